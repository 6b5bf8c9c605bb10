"""Tents, camp chairs and things for a day outside."""

from __future__ import annotations

from shop.seed.drawing import Color, Look, Pen, arc, bend, box, dark, light, loop, mirror, oval, shift, tone, turn
from shop.seed.patterns import weave


def _tree(pen: Pen, x: float, base: float, height: float, color: Color) -> None:
    pen.fill(box(x - 8, base - 40, x + 8, base), tone("walnut"))
    for k in range(3):
        y, w = base - 30 - k * height * 0.26, height * (0.3 - k * 0.06)
        pen.fill([(x - w, y), (x + w, y), (x, y - height * 0.42)], dark(color, 0.06 * (2 - k)))


def tent(pen: Pen, look: Look) -> None:
    cloth, door = look.color(0), look.color(1)
    pen.fill(oval(760, 250, 62), light(tone("ochre"), 0.3))
    for x, base, height in ((150, 720, 360), (236, 740, 280), (880, 730, 330), (800, 738, 230)):
        _tree(pen, x, base, height, tone("moss"))
    pen.fill([*bend((0, 740), (300, 716), (640, 730), (1000, 716)), (1000, 1000), (0, 1000)], tone("sage"))
    pen.ground(520, 806, 360, 30)
    pen.fill([(440, 300), (660, 330), (860, 790), (700, 806)], dark(cloth, 0.3))
    front = [*bend((440, 300), (330, 520), (150, 806)), (730, 806), *bend((730, 806), (560, 540), (440, 300))]
    pen.body(front, cloth, 0, -10)
    pen.fill([*bend((440, 400), (390, 600), (310, 806)), *bend((574, 806), (490, 600), (440, 400))], dark(door, 0.45))
    flap = [*bend((440, 400), (470, 560), (574, 806)), (640, 806), *bend((640, 806), (560, 620), (440, 400))]
    pen.fill(flap, light(door, 0.2))
    other = [*bend((440, 400), (410, 560), (310, 806)), (248, 806), *bend((248, 806), (330, 620), (440, 400))]
    pen.fill(other, door)
    pen.line(bend((440, 300), (560, 540), (730, 806)), 7, light(cloth, 0.45))
    pen.line(bend((440, 300), (330, 520), (150, 806)), 7, light(cloth, 0.45))
    for start, end in (((300, 570), (96, 824)), ((800, 650), (920, 812))):
        pen.line([start, end], 4, tone("cream"))
        pen.line([end, (end[0] + 6, end[1] + 20)], 8, tone("walnut"))
    pen.fill(oval(440, 300, 12), tone("madder"))


def camp_chair(pen: Pen, look: Look) -> None:
    cloth, frame = look.color(0), look.color(1)
    pen.ground(500, 812, 300)
    for side in (-1, 1):
        pen.line([(500 + side * 196, 560), (500 - side * 210, 800)], 20, dark(frame, 0.25))
    pen.line([(300, 200), (286, 560)], 22, frame)
    pen.line([(700, 200), (714, 560)], 22, frame)
    back = [
        *bend((292, 214), (400, 232), (500, 238), (600, 232), (708, 214)),
        *bend((704, 470), (600, 500), (500, 506), (400, 500), (296, 470)),
    ]
    pen.shadow(back, 4, 10, blur=10, share=0.22)
    pen.body(back, cloth, -16)
    with pen.inside(back) as inner:
        weave(inner, look.pattern, (280, 200, 720, 520), look.color(2), 62)
        for y in (236, 480):
            inner.line(bend((280, y - 18), (500, y + 8), (720, y - 18)), 4, light(cloth, 0.4))
    seat = [
        *bend((270, 548), (400, 580), (500, 588), (600, 580), (730, 548)),
        *bend((762, 640), (620, 690), (500, 700), (380, 690), (238, 640)),
    ]
    for side in (-1, 1):
        pen.line([(500 + side * 262, 630), (500 - side * 250, 812)], 22, frame)
        pen.fill(oval(500 - side * 250, 810, 17), tone("charcoal"))
        pen.fill(oval(500 - side * 208, 800, 14), tone("charcoal"))
    pen.fill(oval(500, 722, 17), tone("brass"))
    pen.shadow(seat, 0, 12, blur=8, share=0.3)
    pen.body(seat, light(cloth, 0.08), -10, -12)
    for side in (-1, 1):
        x = 500 + side * 236
        pen.line([(x, 470), (x + side * 20, 620)], 16, dark(frame, 0.1))
        pen.body(turn(box(x - 40, 446, x + 40, 478, 14), side * 8, x, 460), tone("oak"), 0, -8)


def lantern(pen: Pen, look: Look) -> None:
    metal = look.color(0)
    pen.soft(oval(500, 530, 260), tone("#ffe2a0"), 40, 0.75)
    pen.ground(500, 812, 190)
    pen.line(bend((318, 470), (330, 220), (500, 140), (670, 220), (682, 470)), 12, dark(metal, 0.2))
    for side in (-1, 1):
        pen.line(
            bend((500 + side * 110, 320), (500 + side * 196, 360), (500 + side * 196, 640), (500 + side * 130, 700)),
            20,
            metal,
        )
    globe = mirror([*bend((430, 350), (360, 430), (350, 540), (420, 660))])
    pen.glaze(globe, (255, 255, 255), 0.6)
    pen.fill(loop((500, 470), (536, 560), (530, 620), (500, 640), (470, 620), (466, 560)), tone("ochre"))
    pen.fill(loop((500, 540), (516, 596), (500, 628), (484, 596)), tone("#fff6da"))
    for y in (440, 560):
        pen.line(arc(500, y - 10, 146, 16, 0, 180, 24), 5, light(metal, 0.3))
    pen.glaze(bend((392, 450), (382, 540), (400, 600), (410, 600), (398, 540), (408, 450)), (255, 255, 255), 0.8)
    pen.body(box(420, 646, 580, 690, 8), dark(metal, 0.15), -16)
    pen.body(mirror([*bend((394, 686), (330, 720), (316, 800)), (330, 812)]), metal, -34)
    pen.fill(box(322, 742, 678, 752), light(metal, 0.3))
    pen.fill(oval(630, 716, 18), tone("brass"))
    pen.body(mirror([*bend((430, 250), (410, 300), (376, 350)), (380, 362)]), metal, -24)
    pen.body(box(444, 214, 556, 262, (24, 24, 6, 6)), dark(metal, 0.12), -16)


def flask(pen: Pen, look: Look) -> None:
    metal, lid = look.color(0), look.color(1)
    pen.ground(500, 812, 140)
    pen.line(bend((566, 226), (650, 190), (660, 320), (588, 350)), 18, tone("walnut"))
    outline = mirror(
        [*bend((420, 340), (418, 380), (372, 430), (364, 500)), (364, 770), *arc(402, 774, 38, 38, 180, 90, 10)]
    )
    pen.body(outline, metal, -46)
    with pen.inside(outline) as inner:
        inner.fill(box(350, 700, 650, 830), look.color(2))
        inner.glaze(box(600, 700, 650, 830), tone("ink"), 0.14)
        inner.glaze(box(392, 470, 414, 690, 11), (255, 255, 255), 0.4)
        weave(inner, look.pattern, (364, 560, 640, 640), look.color(2), 58)
    pen.fill(box(416, 326, 584, 350, 5), tone("steel"))
    pen.body(box(408, 200, 592, 332, (26, 26, 8, 8)), lid, -28)
    for x in (444, 480, 516, 552):
        pen.line([(x, 232), (x, 312)], 4, dark(lid, 0.2))


def picnic_mat(pen: Pen, look: Look) -> None:
    cloth, motif = look.color(0), look.color(1)
    pen.fill([*bend((0, 560), (300, 540), (700, 556), (1000, 536)), (1000, 1000), (0, 1000)], light(tone("sage"), 0.25))
    sheet = [(276, 500), (760, 500), (930, 850), (80, 850)]
    pen.shadow(sheet, 4, 10, blur=12, share=0.28)
    pen.fill(sheet, cloth)
    with pen.inside(sheet) as inner:
        for i in range(0, 14, 2):
            a, b = i / 14, (i + 1) / 14
            inner.glaze(
                [(276 + 484 * a, 500), (276 + 484 * b, 500), (80 + 850 * b, 850), (80 + 850 * a, 850)], motif, 0.55
            )
        for k in range(0, 10, 2):
            top, bottom = ((k / 10) ** 1.3, ((k + 1) / 10) ** 1.3)
            inner.glaze(box(60, 500 + 350 * top, 950, 500 + 350 * bottom), motif, 0.55)
    pen.line([sheet[3], sheet[2]], 12, dark(motif, 0.2))
    straw = tone("bamboo")
    pen.line(arc(430, 470, 130, 170, 180, 360), 20, dark(straw, 0.25))
    pen.ground(430, 640, 176, 16)
    hamper = [(262, 470), (598, 470), (572, 644), (288, 644)]
    pen.body(hamper, straw, -20)
    with pen.inside(hamper) as inner:
        weave(inner, "waffle", (250, 480, 610, 650), dark(straw, 0.16), 28)
    pen.body(box(246, 446, 614, 490, 12), light(straw, 0.14), -14)
    pen.fill(box(404, 470, 456, 530, 8), tone("walnut"))
    for x, y, r in ((690, 650, 44), (756, 690, 42)):
        pen.ground(x, y + r - 4, r, 9)
        pen.body(oval(x, y, r), tone("madder"), -8, -8)
        pen.line([(x, y - r + 6), (x + 8, y - r - 18)], 6, tone("walnut"))
    pen.ground(610, 764, 60, 10)
    pen.body(box(556, 680, 660, 766, (6, 6, 26, 26)), tone("cream"), -14)
    pen.fill(oval(608, 682, 52, 13), tone("tea"))


def hammock(pen: Pen, look: Look) -> None:
    cloth = look.color(0)
    pen.fill([*bend((0, 760), (300, 740), (700, 756), (1000, 740)), (1000, 1000), (0, 1000)], light(tone("sage"), 0.15))
    for x in (130, 870):
        for dx, y, r in ((-60, 120, 130), (70, 90, 150), (0, 200, 120)):
            pen.fill(oval(x + dx, y, r), dark(tone("leaf"), 0.1 if dx < 0 else 0.02))
        trunk = [*bend((x - 32, 150), (x - 30, 500), (x - 54, 800)), *bend((x + 54, 800), (x + 30, 500), (x + 32, 150))]
        pen.body(trunk, tone("walnut"), -16)
    pen.shadow(oval(500, 800, 300, 24), blur=14, share=0.3)
    for side in (-1, 1):
        x = 500 + side * 342
        for k in range(7):
            pen.line([(x, 390), (500 + side * (262 - k * 3), 470 + k * 17)], 5, tone("sand"))
        pen.line([(x - side * 2, 390), (500 + side * 378, 372)], 12, tone("sand"))
        pen.line([(500 + side * 400, 360), (500 + side * 344, 388)], 12, tone("sand"))
    top = bend((236, 462), (360, 560), (500, 590), (640, 560), (764, 462))
    bottom = bend((752, 566), (640, 690), (500, 730), (360, 690), (248, 566))
    bed = [*top, *bottom]
    for i in range(26):
        tassel = 270 + i * 18.4
        hem = 590 + 140 * (1 - ((tassel - 500) / 262) ** 2)
        pen.line([(tassel, hem - 12), (tassel, hem + 30)], 6, light(cloth, 0.5))
    pen.body(bed, cloth, 0, -14)
    with pen.inside(bed) as inner:
        for k in range(6):
            curve = shift(bend((236, 462), (360, 560), (500, 590), (640, 560), (764, 462)), 0, 14 + k * 26)
            inner.line(curve, 10, look.color(1) if k % 2 else look.color(2))
    cushion = turn(box(300, 452, 430, 540, 28), 32, 360, 500)
    pen.body(cushion, look.color(3), -8, -8)


def umbrella(pen: Pen, look: Look) -> None:
    cloth, other = look.color(0), look.color(1)
    lean = 14
    shaft = [*bend((500, 200), (500, 780)), *arc(456, 780, 44, 50, 0, 180, 20)]
    pen.line(turn(shaft[:15], lean), 15, tone("charcoal"))
    pen.line(turn(shaft[14:], lean), 28, tone("walnut"))
    ribs = [160, 296, 432, 568, 704, 840]
    scallops = [
        p for i in range(5) for p in reversed(arc((ribs[i] + ribs[i + 1]) / 2, 520, 68, 30, 180, 360, 16)[::-1])
    ]
    dome = [*arc(500, 520, 340, 330, 180, 360, 60), *reversed(scallops)]
    under = turn([*arc(500, 520, 340, 60, 180, 360, 40), *arc(500, 520, 340, 26, 0, 180, 40)], lean)
    pen.fill(under, dark(cloth, 0.4))
    canopy = turn(dome, lean)
    pen.shadow(canopy, 10, 22, blur=20, share=0.2)
    pen.fill(canopy, cloth)
    with pen.inside(canopy) as inner:
        for i in (0, 2, 4):
            left, right = ribs[i], ribs[i + 1]
            gore = [*_rib(left), (left, 560), (right, 560), *reversed(_rib(right))]
            inner.fill(turn(gore, lean), other)
        for x in ribs[1:5]:
            inner.line(turn(_rib(x), lean), 4, dark(cloth, 0.3))
        inner.glaze(turn(arc(700, 560, 340, 380, 180, 360, 40), lean), tone("ink"), 0.07)
    pen.line(turn([(500, 196), (500, 156)], lean), 14, tone("walnut"))


def _rib(x: float) -> list[tuple[float, float]]:
    """One seam of the canopy, from its top to its edge."""
    return bend((500, 190), (500 + (x - 500) * 0.72, 290), (500 + (x - 500) * 0.96, 420), (x, 524))
