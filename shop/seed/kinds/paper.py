"""Notebooks, books, cards and pencils."""

from __future__ import annotations

from shop.seed.drawing import Color, Look, Pen, Point, arc, bend, box, dark, light, loop, oval, shift, tone, turn
from shop.seed.patterns import sprig, weave

PAPER = tone("#fffaf0")


def _pencil(pen: Pen, tip: Point, length: float, degrees: float, color: Color) -> None:
    """A pencil pointing up from its tip, then turned about it."""
    x, y = tip
    w = 15.0
    parts: list[tuple[list[Point], Color]] = [
        (box(x - w, y + 62, x + w, y + length), color),
        (box(x + w * 0.3, y + 62, x + w, y + length), dark(color, 0.2)),
        ([(x, y), (x + w, y + 64), (x - w, y + 64)], tone("beech")),
        ([(x, y), (x + 5, y + 22), (x - 5, y + 22)], tone("charcoal")),
        (box(x - w, y + length - 12, x + w, y + length + 14, 5), light(color, 0.45)),
    ]
    pen.shadow(turn(box(x - w, y + 40, x + w, y + length), degrees, x, y), 6, 10, blur=6, share=0.28)
    for outline, shade in parts:
        pen.fill(turn(outline, degrees, x, y), shade)


def notebook(pen: Pen, look: Look) -> None:
    cover, thread = look.color(0), look.color(1)
    tilt = -9
    pages = turn(box(268, 204, 724, 824, 10), tilt)
    pen.shadow(pages, 12, 20, blur=16, share=0.3)
    pen.fill(shift(pages, 10, 10), dark(cover, 0.3))
    pen.fill(shift(pages, 5, 5), PAPER)
    front = turn(box(262, 196, 716, 812, (4, 16, 16, 4)), tilt)
    pen.fill(front, cover)
    with pen.inside(front) as inner:
        if look.pattern == "sprig":
            sprig(inner, turn([(520, 520)], tilt)[0], 150, look.color(2), tilt)
        else:
            weave(inner, look.pattern, (180, 140, 860, 900), look.color(2), look.option("step", 76))
        inner.fill(turn(box(250, 180, 336, 830), tilt), dark(cover, 0.3))
        inner.line(turn([(336, 180), (336, 830)], tilt), 4, dark(cover, 0.4))
    for i in range(7):
        y = 246 + i * 86
        pen.line(turn([(264, y), (318, y)], tilt), 7, thread)
    pen.line(turn([(318, 246), (318, 762)], tilt), 7, thread)
    if look.option("label", True):
        label = turn(box(430, 290, 640, 410, 6), tilt)
        pen.fill(label, PAPER)
        pen.line(turn(box(442, 302, 628, 398, 3), tilt), 4, thread, closed=True)
    _pencil(pen, (824, 250), 470, 12, tone("madder") if look.color(0) != tone("madder") else tone("ochre"))


def planner(pen: Pen, look: Look) -> None:
    cover = look.color(0)
    back = box(130, 240, 870, 780, 26)
    pen.shadow(back, 10, 20, blur=18, share=0.3)
    pen.body(back, cover, 0, -8)
    for x0, x1 in ((154, 492), (508, 846)):
        page = box(x0, 260, x1, 758, 10)
        pen.body(page, PAPER, -6, -4, 0.1)
        with pen.inside(box(x0 + 24, 330, x1 - 24, 732)) as inner:
            for k in range(14):
                inner.line([(x0, 332 + k * 29), (x1, 332 + k * 29)], 2, tone("#d8d2c4"))
                inner.line([(x0 + 24 + k * 29, 320), (x0 + 24 + k * 29, 740)], 2, tone("#d8d2c4"))
        pen.fill(box(x0 + 24, 288, x0 + 150, 308, 6), look.color(1))
    for i, color in enumerate((look.color(1), look.color(2), look.color(3))):
        pen.fill(box(846, 300 + i * 90, 884, 370 + i * 90, (0, 10, 10, 0)), color)
    for row, column, color in (
        (2, 1, look.color(1)),
        (4, 3, look.color(2)),
        (6, 2, look.color(3)),
        (9, 5, look.color(2)),
        (11, 1, look.color(1)),
    ):
        x, y = 178 + column * 29, 332 + row * 29
        pen.fill(box(x, y, x + 29 * 4, y + 29), light(color, 0.35))
    for k in range(8):
        y = 304 + k * 56
        pen.line(arc(500, y, 34, 18, 180, 360, 20), 9, tone("brass"))
        for x in (468, 532):
            pen.fill(oval(x, y + 4, 7), dark(PAPER, 0.4))
    pen.line(bend((640, 260), (646, 500), (632, 800), (642, 836)), 14, look.color(2))
    _pencil(pen, (600, 400), 330, -52, look.color(3))


def postcards(pen: Pen, look: Look) -> None:
    for i, degrees in enumerate((-20, -3, 14)):
        card = turn(box(330, 210, 690, 730, 10), degrees, 510, 900)
        pen.shadow(card, 6, 12, blur=10, share=0.26)
        pen.fill(card, PAPER)
        face = turn(box(354, 234, 666, 706, 4), degrees, 510, 900)
        pen.fill(face, light(look.color(i), 0.72))
        with pen.inside(face) as inner:
            cx, cy = turn([(510, 490)], degrees, 510, 900)[0]
            sprig(inner, (cx, cy), 150, look.color(i), degrees)
            cx, cy = turn([(596, 610)], degrees, 510, 900)[0]
            sprig(inner, (cx, cy), 74, dark(look.color(i), 0.2), degrees + 30)
    band = turn(box(300, 742, 720, 800), -2, 510, 780)
    pen.shadow(band, 4, 8, blur=8, share=0.25)
    pen.fill(band, tone("sand"))
    pen.fill(oval(510, 772, 26), tone("madder"))


def book(pen: Pen, look: Look) -> None:
    """A thick book standing at an angle."""
    cover, motif = look.color(0), look.color(1)
    pen.ground(510, 806, 280)
    spine = [(250, 236), (340, 210), (340, 812), (250, 778)]
    front = [(340, 210), (762, 250), (762, 786), (340, 812)]
    pen.fill([(250, 236), (340, 210), (762, 250), (690, 268)], PAPER)
    pen.fill(spine, dark(cover, 0.3))
    for y in (310, 330, 690, 710):
        pen.line([(252, y), (338, y - 6 + (y - 500) * 0.05)], 6, motif)
    pen.fill(front, cover)
    with pen.inside(front) as inner:
        if look.option("worn", False):
            _worn(inner, cover)
        frame = [(392, 276), (714, 302), (714, 732), (392, 750)]
        inner.fill(frame, look.color(2))
        with inner.inside(frame) as print_area:
            weave(print_area, look.pattern, (370, 270, 740, 770), motif, look.option("step", 70))
        inner.line(frame, 7, motif, closed=True)
        inner.line([(352, 212), (352, 812)], 5, dark(cover, 0.22))
    pen.line([(628, 790), (630, 842)], 14, look.color(3))


def _worn(pen: Pen, cover: Color) -> None:
    """Rubbed corners and a stain, as on a book that has been read for decades."""
    for x, y, r in ((762, 250, 60), (762, 786, 74), (340, 812, 40)):
        pen.fill(loop(*turn([(x - r, y), (x, y - r), (x + r * 0.8, y), (x, y + r * 0.7)], 18, x, y)), light(cover, 0.5))
    pen.line(oval(690, 330, 52, 58), 7, dark(cover, 0.12), closed=True)


def folded_map(pen: Pen, look: Look) -> None:
    land, water, park = look.color(0), look.color(1), look.color(2)
    edges = [(120, 300), (310, 240), (500, 300), (690, 240), (880, 300)]
    sheet = [*edges, *[(x, y + 470) for x, y in reversed(edges)]]
    pen.shadow(sheet, 8, 20, blur=16, share=0.28)
    pen.fill(sheet, land)
    with pen.inside(sheet) as inner:
        inner.fill(loop((60, 700), (260, 620), (420, 690), (600, 640), (900, 720), (940, 900), (60, 900)), water)
        for x, y, w, h in ((250, 430, 90, 60), (640, 400, 120, 70), (760, 580, 70, 46)):
            inner.fill(oval(x, y, w, h), park)
        for road in (
            ((100, 380), (330, 470), (560, 400), (900, 480)),
            ((420, 200), (450, 420), (400, 640)),
            ((600, 200), (640, 460), (800, 640)),
        ):
            inner.line(bend(*road), 15, PAPER)
        inner.line(bend((170, 580), (330, 560), (470, 500), (560, 560), (720, 500), (800, 390)), 9, look.color(3))
        for i in range(4):
            (x0, y0), (x1, y1) = edges[i], edges[i + 1]
            inner.glaze(
                [(x0, y0), (x1, y1), (x1, y1 + 470), (x0, y0 + 470)], tone("ink") if i % 2 else (255, 255, 255), 0.1
            )
    for x, y in edges[1:4]:
        pen.line([(x, y), (x, y + 470)], 3, dark(land, 0.25))
    pen.ground(800, 392, 24, 8)
    pin = [*arc(800, 300, 44, 44, 150, 390, 30), (800, 394)]
    pen.body(pin, tone("madder"), -8)
    pen.fill(oval(800, 300, 17), PAPER)
    pen.fill(oval(170, 580, 16), look.color(3))
    pen.fill(oval(170, 580, 7), PAPER)


def ticket(pen: Pen, look: Look) -> None:
    for i, degrees in enumerate((10, -10)):
        color = look.color(i)
        cx, cy = (530, 430) if i == 0 else (480, 590)
        x0, x1, y0, y1 = cx - 330, cx + 330, cy - 150, cy + 150
        outline = [
            *arc(x0, cy, 34, 34, 90, -90, 20),
            (x0, y0),
            (x1, y0),
            *arc(x1, cy, 34, 34, 270, 90, 20),
            (x1, y1),
            (x0, y1),
        ]
        card = turn(outline, degrees, cx, cy)
        pen.shadow(card, 8, 14, blur=12, share=0.28)
        pen.fill(card, color)
        pen.line(turn(box(x0 + 46, y0 + 22, x1 - 46, y1 - 22, 10), degrees, cx, cy), 5, light(color, 0.55), closed=True)
        for k in range(11):
            pen.fill(oval(*turn([(cx + 150, y0 + 18 + k * 26.4)], degrees, cx, cy)[0], 6), look.color(3))
        block = turn(box(cx - 250, cy - 96, cx + 90, cy + 96, 8), degrees, cx, cy)
        pen.fill(block, light(color, 0.78))
        with pen.inside(block) as inner:
            centre = turn([(cx - 80, cy + 16)], degrees, cx, cy)[0]
            sprig(inner, centre, 92, dark(color, 0.2), degrees + 64)
            sun = turn([(cx + 30, cy - 40)], degrees, cx, cy)[0]
            inner.fill(oval(*sun, 30), look.color(2))
        star = turn([(cx + 224, cy)], degrees, cx, cy)[0]
        pen.fill(oval(*star, 42), look.color(2))
        pen.fill(oval(*star, 26), color)


def pencils(pen: Pen, look: Look) -> None:
    for i in range(6):
        x, lift = 270 + i * 70, (14, 0, 26, 6, 20, 2)[i]
        _pencil(pen, (x, 170 + lift), 560, 0, look.color(i))
    sleeve = box(216, 500, 674, 800, 10)
    pen.shadow(sleeve, 8, 16, blur=12, share=0.3)
    pen.body(sleeve, tone("#d9c39a"), -14)
    with pen.inside(sleeve) as inner:
        weave(inner, look.pattern, (216, 560, 680, 720), look.color(6), 64)
        inner.fill(box(216, 500, 680, 516), dark(tone("#d9c39a"), 0.14))
        inner.fill(box(216, 746, 680, 756), look.color(6))
    curl = loop((740, 700), (800, 660), (850, 706), (806, 760), (750, 746))
    pen.shadow(curl, 4, 8, blur=6, share=0.25)
    pen.body(curl, tone("beech"), -8)
    pen.fill(oval(796, 714, 20, 15), dark(tone("beech"), 0.35))
    pen.line(arc(796, 710, 50, 44, 140, 330, 20), 6, look.color(0))
