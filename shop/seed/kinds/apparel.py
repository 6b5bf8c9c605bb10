"""Clothes and things worn or carried."""

from __future__ import annotations

from shop.seed.drawing import (
    Color,
    Look,
    Pen,
    Point,
    arc,
    bend,
    box,
    dark,
    light,
    loop,
    mirror,
    oval,
    shift,
    tone,
    turn,
)
from shop.seed.patterns import sprig, weave


def _sleeve(side: int, long: bool) -> list[Point]:
    if long:
        half = [
            (350, 236),
            (268, 300),
            *bend((230, 380), (190, 560), (172, 694)),
            (250, 712),
            *bend((290, 580), (330, 460)),
        ]
    else:
        half = [(350, 236), (262, 290), *bend((222, 350), (176, 446)), (282, 502), (336, 420)]
    return [(500 + side * (500 - x), y) for x, y in half]


def _torso(length: float) -> list[Point]:
    side = bend((318, 300), (334, 440), (326, 600), (322, length))
    return mirror([(420, 214), (350, 234), *side, *bend((322, length), (400, length + 14), (500, length + 16))])


def shirt(pen: Pen, look: Look) -> None:
    """A shirt, T-shirt or jacket lying flat; options: long, collar (stand, point, crew), pockets, open."""
    cloth, long = look.color(0), bool(look.option("long", True))
    collar = str(look.option("collar", "point"))
    torso = _torso(784)
    for side in (-1, 1):
        sleeve = _sleeve(side, long)
        pen.shadow(sleeve, 8, 14, blur=14, share=0.2)
        pen.body(sleeve, dark(cloth, 0.06), -12)
        with pen.inside(sleeve) as inner:
            weave(inner, look.pattern, (150, 220, 850, 740), look.color(1), look.option("step", 60))
            y = 690 if long else 474
            cuff = [(500 + side * (500 - x), y + dy) for x, dy in ((120, -14), (340, 18))]
            inner.line(cuff, 5, dark(cloth, 0.3))
    pen.shadow(torso, 8, 16, blur=14, share=0.22)
    pen.body(torso, cloth, -16)
    with pen.inside(torso) as inner:
        weave(inner, look.pattern, (300, 200, 700, 820), look.color(1), look.option("step", 60))
        inner.line([(300, 770), (700, 770)], 4, dark(cloth, 0.22))
        for side in (-1, 1):
            inner.line(
                bend((500 + side * 160, 330), (500 + side * 168, 420), (500 + side * 130, 520)), 5, dark(cloth, 0.14)
            )
    COLLARS[collar](pen, cloth)
    if collar != "crew":
        _placket(pen, cloth, look.color(2))
    for pocket in POCKETS[str(look.option("pockets", "none"))]:
        _pocket(pen, cloth, *pocket)


def _placket(pen: Pen, cloth: Color, button: Color) -> None:
    pen.fill(box(484, 290, 516, 797), light(cloth, 0.1))
    for x in (484, 516):
        pen.line([(x, 292), (x, 796)], 3, dark(cloth, 0.25))
    for y in (350, 440, 530, 620, 710):
        pen.fill(oval(500, y + 2, 10), dark(cloth, 0.4))
        pen.fill(oval(500, y, 10), button)


POCKETS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "none": (),
    "one": ((588, 392, 100),),
    "two": ((588, 392, 96), (412, 392, 96)),
    "three": ((588, 400, 92), (412, 640, 130), (588, 640, 130)),
}


def _pocket(pen: Pen, cloth: Color, x: float, y: float, size: float) -> None:
    half = size / 2
    outline = [(x - half, y), (x + half, y), (x + half, y + size), (x, y + size * 1.16), (x - half, y + size)]
    pen.fill(outline, light(cloth, 0.07))
    pen.line(outline, 4, dark(cloth, 0.3), closed=True)
    pen.line([(x - half, y + 18), (x + half, y + 18)], 3, dark(cloth, 0.3))


def _crew(pen: Pen, cloth: Color) -> None:
    pen.fill(arc(500, 212, 84, 68, 0, 180), light(dark(cloth, 0.4), 0.1))
    pen.line(arc(500, 212, 82, 70, 2, 178), 24, light(cloth, 0.14))
    pen.line(arc(500, 212, 70, 58, 2, 178), 3, dark(cloth, 0.2))


def _stand(pen: Pen, cloth: Color) -> None:
    pen.fill(oval(500, 218, 82, 26), dark(cloth, 0.4))
    for side in (-1, 1):
        band = [
            (500 + side * 84, 196),
            *bend((500 + side * 84, 236), (500 + side * 50, 280), (500 - side * 8, 300)),
            *bend((500 - side * 8, 264), (500 + side * 46, 240), (500 + side * 70, 196)),
        ]
        pen.fill(band, light(cloth, 0.16))
        pen.line(band, 3, dark(cloth, 0.25), closed=True)


def _point(pen: Pen, cloth: Color) -> None:
    pen.fill(oval(500, 212, 84, 26), dark(cloth, 0.4))
    pen.fill([(432, 214), (568, 214), (500, 292)], dark(cloth, 0.34))
    for side in (-1, 1):
        wing = [
            (500 + side * 86, 188),
            (500 + side * 116, 226),
            (500 + side * 66, 332),
            (500, 284),
            (500 + side * 62, 214),
        ]
        pen.shadow(wing, 2, 6, blur=5, share=0.25)
        pen.fill(wing, light(cloth, 0.14))
        pen.line(wing, 3, dark(cloth, 0.25), closed=True)


COLLARS = {"crew": _crew, "stand": _stand, "point": _point}


def apron(pen: Pen, look: Look) -> None:
    cloth, strap = look.color(0), look.color(1)
    pen.line(bend((410, 300), (420, 190), (500, 150), (580, 190), (590, 300)), 20, strap)
    for side in (-1, 1):
        pen.line(
            bend((500 + side * 180, 470), (500 + side * 260, 520), (500 + side * 286, 640), (500 + side * 250, 720)),
            18,
            strap,
        )
    side_line = bend((390, 280), (388, 360), (350, 440), (292, 476))
    outline = mirror([*side_line, *bend((292, 476), (284, 640), (280, 812)), (500, 816)])
    pen.shadow(outline, 8, 16, blur=14, share=0.25)
    pen.body(outline, cloth, -18)
    with pen.inside(outline) as inner:
        weave(inner, look.pattern, (270, 270, 740, 830), look.color(2), 64)
        inner.line([(380, 302), (620, 302)], 4, light(cloth, 0.4))
        inner.line([(270, 790), (730, 790)], 4, light(cloth, 0.4))
    pocket = box(374, 560, 626, 716, (6, 6, 26, 26))
    pen.body(pocket, light(cloth, 0.1), -8)
    pen.line(pocket, 4, dark(cloth, 0.3), closed=True)
    pen.line([(500, 562), (500, 714)], 4, dark(cloth, 0.3))
    for x, y in ((414, 320), (586, 320), (374, 560), (626, 560)):
        pen.fill(oval(x, y, 10), tone("brass"))


def scarf(pen: Pen, look: Look) -> None:
    """A scarf looped once, both ends hanging."""
    cloth, motif = look.color(0), look.color(1)
    tails: list[tuple[list[Point], float]] = [(box(524, 420, 690, 740, 6), 7), (box(340, 420, 506, 800, 6), -5)]
    for outline, degrees in tails:
        tail = turn(outline, -degrees, 500, 420)
        _tail_fringe(pen, outline, -degrees, cloth)
        pen.shadow(tail, 8, 12, blur=12, share=0.24)
        pen.body(tail, cloth, -14)
        with pen.inside(tail) as inner:
            weave(inner, look.pattern, (280, 400, 760, 860), motif, look.option("step", 84))
    ring = loop((500, 170), (650, 205), (716, 340), (650, 468), (500, 510), (350, 468), (284, 340), (350, 205))
    hole = loop((500, 236), (590, 254), (622, 318), (590, 360), (500, 376), (410, 360), (378, 318), (410, 254))
    pen.shadow(ring, 4, 14, blur=12, share=0.25)
    pen.body(ring, light(cloth, 0.06), -14, -10)
    with pen.inside(ring) as inner:
        weave(inner, look.pattern, (270, 160, 740, 520), motif, look.option("step", 84))
        for side in (-1, 1):
            for k in (0, 34):
                fold = bend((500 + side * (210 - k), 330), (500 + side * (150 - k), 430), (500, 470 - k))
                inner.line(fold, 5, dark(cloth, 0.24))
    pen.fill(hole, dark(cloth, 0.45))
    with pen.inside(hole) as inner:
        inner.fill(shift(hole, 0, 34), tone("#e9dfcb") if look.backdrop == "linen" else dark(cloth, 0.3))


def _tail_fringe(pen: Pen, outline: list[Point], degrees: float, cloth: Color) -> None:
    xs, bottom = [p[0] for p in outline], max(p[1] for p in outline)
    for i in range(10):
        x = min(xs) + 8 + (max(xs) - min(xs) - 16) * i / 9
        pen.line(turn([(x, bottom - 4), (x, bottom + 44)], degrees, 500, 420), 7, dark(cloth, 0.14))


def tote(pen: Pen, look: Look) -> None:
    cloth, print_color = look.color(0), look.color(1)
    pen.ground(500, 806, 260)
    pen.line(bend((396, 420), (392, 240), (500, 176), (608, 240), (604, 420)), 26, dark(cloth, 0.22))
    outline = mirror([(262, 380), *bend((262, 380), (248, 600), (262, 770)), *arc(292, 776, 30, 30, 180, 90, 8)])
    pen.body(outline, cloth, -24)
    pen.line(bend((380, 500), (372, 280), (500, 224), (628, 280), (620, 500)), 28, look.color(2))
    with pen.inside(outline) as inner:
        inner.line([(240, 404), (760, 404)], 4, dark(cloth, 0.2))
        for x in (360, 600):
            inner.fill(box(x, 430, x + 40, 512, 4), look.color(2))
        _print(inner, look.pattern, print_color)
        inner.line(bend((300, 700), (320, 750), (304, 800)), 5, dark(cloth, 0.15))


def _print(pen: Pen, name: str, color: Color) -> None:
    if name == "sprig":
        sprig(pen, (500, 650), 118, color)
        return
    with pen.inside(oval(500, 645, 112)) as inner:
        inner.fill(oval(500, 645, 112), color)
        weave(inner, name, (380, 530, 620, 770), light(color, 0.75), 52)


def backpack(pen: Pen, look: Look) -> None:
    cloth, trim = look.color(0), look.color(1)
    pen.ground(500, 806, 250)
    pen.line(bend((452, 236), (456, 176), (544, 176), (548, 236)), 22, trim)
    for side in (-1, 1):
        pen.line(bend((500 + side * 214, 360), (500 + side * 268, 500), (500 + side * 236, 720)), 30, dark(trim, 0.15))
        pen.body(box(500 + side * 232 - 42, 560, 500 + side * 232 + 42, 764, 26), dark(cloth, 0.14), -12)
    outline = box(270, 216, 730, 800, (190, 190, 70, 70))
    pen.body(outline, cloth, -26)
    pocket = box(326, 560, 674, 772, (34, 34, 52, 52))
    pen.body(pocket, light(cloth, 0.1), -16)
    pen.line(pocket, 4, dark(cloth, 0.3), closed=True)
    pen.line([(346, 610), (654, 610)], 8, dark(cloth, 0.4))
    pen.line([(420, 610), (420, 642)], 9, tone("brass"))
    flap = box(262, 216, 738, 500, (190, 190, 80, 80))
    pen.shadow(flap, 0, 12, blur=9, share=0.3)
    pen.body(flap, light(cloth, 0.05), -20, -8)
    pen.line(shift(arc(500, 300, 214, 182, 20, 160), 0, 4), 3, light(cloth, 0.35))
    for x in (388, 612):
        pen.body(box(x - 17, 410, x + 17, 574, 8), trim, -6)
        pen.fill(box(x - 24, 506, x + 24, 542, 7), tone("brass"))
        pen.fill(box(x - 12, 514, x + 12, 534, 3), dark(trim, 0.3))


def hat(pen: Pen, look: Look) -> None:
    """A bucket hat: a round crown above a short sloping brim."""
    cloth = look.color(0)
    pen.ground(500, 776, 300, 24)
    brim = mirror([(300, 540), *bend((270, 560), (218, 650), (172, 734)), *bend((172, 734), (330, 778), (500, 788))])
    pen.body(brim, dark(cloth, 0.1), -20, -6)
    with pen.inside(brim) as inner:
        for i in range(4):
            inner.line(
                bend(
                    (140, 722 - i * 40),
                    (320, 758 - i * 40),
                    (500, 768 - i * 40),
                    (680, 758 - i * 40),
                    (860, 722 - i * 40),
                ),
                3,
                dark(cloth, 0.26),
            )
    crown = mirror(
        [*bend((500, 322), (380, 328), (318, 352), (286, 470), (272, 590)), *bend((272, 590), (390, 626), (500, 632))]
    )
    pen.shadow(crown, 0, 10, blur=7, share=0.25)
    pen.body(crown, cloth, -30)
    with pen.inside(crown) as inner:
        for i in range(-17, 18):
            inner.line([(500 + i * 12, 300), (500 + i * 14, 650)], 4, dark(cloth, 0.12))
        inner.fill(
            [*bend((250, 540), (390, 580), (500, 586), (610, 580), (750, 540)), (750, 660), (250, 660)], look.color(1)
        )
        inner.line(bend((296, 372), (400, 400), (500, 406), (600, 400), (704, 372)), 5, dark(cloth, 0.3))
    for x in (372, 412):
        pen.fill(oval(x, 480, 12), dark(tone("brass"), 0.3))
        pen.fill(oval(x, 478, 10), tone("brass"))


def _sock(x: float, y: float) -> list[Point]:
    toe = bend(
        (x + 132, y + 330),
        (x + 210, y + 372),
        (x + 290, y + 400),
        (x + 322, y + 450),
        (x + 290, y + 500),
        (x + 200, y + 506),
    )
    heel = bend((x + 200, y + 506), (x + 60, y + 490), (x - 6, y + 420), (x, y + 320))
    return [(x, y), (x + 136, y), *toe, *heel]


def socks(pen: Pen, look: Look) -> None:
    for i, (x, y) in enumerate(((420, 180), (320, 226), (220, 272))):
        color, accent = look.color(i), light(look.color(i), 0.45)
        outline = turn(_sock(x, y), -6, 500, 500)
        pen.shadow(outline, 8, 14, blur=12, share=0.25)
        pen.body(outline, color, -12, -8)
        with pen.inside(outline) as inner:
            inner.fill(
                turn(loop((x + 230, y + 380), (x + 360, y + 380), (x + 360, y + 540), (x + 250, y + 530)), -6), accent
            )
            inner.fill(turn(oval(x + 14, y + 430, 76, 66), -6), accent)
            weave(inner, look.pattern, (x - 40, y + 120, x + 230, y + 420), accent, 60)
            inner.fill(turn(box(x - 20, y - 10, x + 160, y + 84), -6), light(color, 0.12))
            for k in range(11):
                inner.line(turn([(x + 6 + k * 13, y), (x + 6 + k * 13, y + 84)], -6), 4, dark(color, 0.2))
