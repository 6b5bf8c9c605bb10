"""Boxes, baskets, shelves, pots and vases."""

from __future__ import annotations

from shop.seed.drawing import Color, Look, Pen, Point, arc, bend, box, dark, light, loop, mirror, mix, oval, shift, tone
from shop.seed.patterns import blade, weave


def storage_box(pen: Pen, look: Look) -> None:
    cloth, trim = look.color(0), look.color(1)
    pen.ground(520, 796, 330)
    side = [(640, 470), (806, 410), (806, 716), (640, 796)]
    front = [(200, 470), (640, 470), (640, 796), (200, 796)]
    pen.fill(side, dark(cloth, 0.28))
    pen.fill(front, cloth)
    with pen.inside(front) as inner:
        weave(inner, look.pattern, (200, 540, 650, 800), look.color(2), 66)
        inner.fill(box(200, 776, 640, 800), dark(cloth, 0.12))
    pen.fill([(376, 350), (820, 350), (650, 442), (186, 442)], light(cloth, 0.18))
    pen.fill([(186, 442), (650, 442), (650, 516), (186, 516)], light(cloth, 0.06))
    pen.fill([(650, 442), (820, 350), (820, 420), (650, 516)], dark(cloth, 0.2))
    pen.line([(186, 442), (650, 442), (820, 350)], 4, dark(cloth, 0.14))
    pen.line(bend((344, 610), (352, 664), (492, 664), (500, 610)), 22, trim)
    for x in (344, 500):
        pen.fill(oval(x, 608, 17), dark(trim, 0.2))
        pen.fill(oval(x, 606, 7), tone("brass"))
    pen.line(bend((712, 590), (718, 630), (752, 610), (758, 566)), 15, dark(trim, 0.25))


def _weave_rows(pen: Pen, area: tuple[float, float, float, float], color: Color, rows: int, columns: int) -> None:
    """Over-and-under strokes of basket work."""
    x0, y0, x1, y1 = area
    h, w = (y1 - y0) / rows, (x1 - x0) / columns
    for r in range(rows):
        for c in range(-1, columns + 1):
            x, y = x0 + c * w + (w / 2 if r % 2 else 0), y0 + (r + 0.5) * h
            shade = light(color, 0.14) if (r + c) % 3 else dark(color, 0.04)
            pen.fill(oval(x + w / 2, y, w * 0.5, h * 0.44), shade)
            pen.line(arc(x + w / 2, y - 1, w * 0.46, h * 0.4, 20, 160, 8), 3, dark(color, 0.26))


def basket(pen: Pen, look: Look) -> None:
    straw = look.color(0)
    pen.ground(500, 800, 280)
    throw = loop((310, 430), (360, 300), (500, 330), (590, 270), (690, 330), (700, 450), (500, 500))
    pen.body(throw, look.color(1), -16)
    with pen.inside(throw) as inner:
        weave(inner, look.pattern, (290, 260, 720, 510), look.color(2), 54)
        inner.line(bend((500, 330), (520, 390), (500, 450)), 6, dark(look.color(1), 0.25))
    half = bend((236, 428), (220, 560), (250, 720), (300, 790))
    outline = mirror([*half, (500, 802)])
    pen.fill(outline, dark(straw, 0.22))
    with pen.inside(outline) as inner:
        _weave_rows(inner, (210, 428, 790, 804), straw, 11, 13)
        inner.glaze(shift(outline, 430), tone("ink"), 0.1)
    pen.line(bend((232, 430), (360, 450), (500, 456), (640, 450), (768, 430)), 30, dark(straw, 0.08))
    for i in range(22):
        x = 244 + i * 24.4
        y = 456 - 26 * ((x - 500) / 268) ** 2
        pen.line([(x - 7, y - 12), (x + 7, y + 12)], 5, light(straw, 0.3))
    for side in (-1, 1):
        x = 500 + side * 262
        pen.line(bend((x, 500), (x + side * 62, 520), (x + side * 58, 610), (x - side * 6, 620)), 24, dark(straw, 0.2))


def hamper(pen: Pen, look: Look) -> None:
    cloth, rope = look.color(0), look.color(1)
    pen.ground(500, 812, 230)
    laundry = loop((330, 300), (380, 210), (470, 240), (540, 190), (640, 230), (680, 310), (500, 350))
    pen.body(laundry, look.color(2), -14)
    pen.line(bend((470, 240), (500, 280), (480, 320)), 6, dark(look.color(2), 0.25))
    pen.fill(oval(600, 270, 74, 50), dark(look.color(2), 0.3))
    outline = mirror([(290, 300), *bend((290, 300), (280, 560), (296, 780)), *bend((296, 780), (390, 812), (500, 816))])
    pen.body(outline, cloth, -34)
    with pen.inside(outline) as inner:
        for x, lean in ((350, 8), (436, 4), (560, -4), (640, -8)):
            inner.line(bend((x, 380), (x + lean, 560), (x, 820)), 5, dark(cloth, 0.1))
        inner.fill(
            [*bend((270, 640), (390, 668), (500, 674), (610, 668), (730, 640)), (730, 840), (270, 840)], look.color(3)
        )
    collar = [
        *bend((282, 292), (390, 326), (500, 332), (610, 326), (718, 292)),
        *bend((720, 372), (610, 402), (500, 408), (390, 402), (280, 372)),
    ]
    pen.shadow(collar, 0, 6, blur=6, share=0.2)
    pen.body(collar, light(cloth, 0.3), -20)
    for side in (-1, 1):
        x = 500 + side * 150
        pen.line(bend((x - 40, 356), (x - 34, 470), (x + 34, 470), (x + 40, 356)), 18, rope)
        for k in (-40, 40):
            pen.fill(oval(x + k, 356, 15), tone("brass"))


def shelf(pen: Pen, look: Look) -> None:
    wood = look.color(0)
    pen.shadow(box(150, 600, 850, 660), 14, 34, blur=20, share=0.28)
    for x in (270, 710):
        pen.body([(x, 650), (x + 30, 650), (x + 30, 740), (x + 14, 740)], dark(wood, 0.2), -6)
    for i, (w, h) in enumerate(((44, 240), (34, 210), (52, 262), (38, 226), (46, 196))):
        x = 214 + sum((44, 34, 52, 38, 46)[:i]) + i * 4
        color = look.color(i + 1)
        pen.body(box(x, 600 - h, x + w, 600, 5), color, -7)
        pen.fill(box(x, 640 - h, x + w, 652 - h), light(color, 0.4))
    pen.body(mirror([(604, 500), (618, 600)], 664), tone("clay"), -14)
    pen.body(box(592, 480, 736, 510, 6), tone("clay"), -12)
    for degrees, size in ((-52, 150), (-26, 190), (0, 214), (26, 184), (52, 146)):
        pen.fill(blade((664, 484), size, degrees, 0.2), mix(tone("leaf"), tone("moss"), abs(degrees) / 70))
    bowl = mirror([*arc(790, 540, 52, 60, 180, 90, 16)], 790)
    pen.body(bowl, tone("cream"), -10)
    pen.body(box(140, 600, 860, 656, 10), wood, 0, -14)
    for x, length in ((210, 160), (430, 220), (690, 110)):
        pen.line([(x, 620), (x + length, 620)], 3, dark(wood, 0.14))


def pegs(pen: Pen, look: Look) -> None:
    wood, cloth = look.color(0), look.color(1)
    rail = box(120, 300, 880, 372, 20)
    pen.shadow(rail, 8, 18, blur=14, share=0.28)
    pen.body(rail, wood, 0, -14)
    bag = mirror([(214, 520), *bend((214, 520), (206, 620), (216, 730)), (226, 740)], 300)
    pen.line(bend((250, 530), (270, 420), (300, 380), (330, 420), (350, 530)), 14, dark(cloth, 0.2))
    pen.shadow(bag, 8, 14, blur=12, share=0.22)
    pen.body(bag, cloth, -14)
    with pen.inside(bag) as inner:
        weave(inner, "stripes", (200, 540, 410, 760), look.color(2), 52)
    brim = oval(606, 540, 146, 150)
    pen.shadow(brim, 8, 14, blur=12, share=0.22)
    pen.body(brim, tone("bamboo"), -12)
    for r in (120, 98):
        pen.line(oval(606, 540, r), 4, dark(tone("bamboo"), 0.15), closed=True)
    pen.fill(oval(606, 540, 76), tone("madder"))
    pen.body(oval(606, 536, 66), light(tone("bamboo"), 0.15), -8, -6)
    pen.line(bend((560, 420), (600, 360), (650, 420)), 6, tone("madder"))
    for x in (220, 300, 450, 606, 780):
        pen.fill(oval(x, 348, 24), dark(wood, 0.26))
        pen.body(oval(x, 340, 22), light(wood, 0.18), -5, -5)
    pen.line(bend((780, 352), (768, 420), (780, 470), (792, 420), (780, 352)), 6, look.color(2))
    pen.body(box(764, 466, 796, 640, 16), light(wood, 0.2), -8)
    pen.body(box(750, 620, 810, 664, 8), dark(wood, 0.3), -8)
    for i in range(7):
        pen.line([(754 + i * 8.6, 660), (752 + i * 9.2, 730)], 6, tone("sand"))


def tray(pen: Pen, look: Look) -> None:
    wood = look.color(0)
    pen.shadow(oval(505, 628, 380, 180), 0, 26, blur=18, share=0.34)
    pen.fill(oval(500, 600, 380, 180), dark(wood, 0.34))
    pen.fill(oval(500, 570, 380, 180), light(wood, 0.12))
    pen.fill(oval(500, 572, 354, 160), dark(wood, 0.26))
    floor = oval(500, 588, 340, 144)
    pen.fill(floor, wood)
    with pen.inside(floor) as inner:
        for y in (500, 540, 596, 640, 690):
            inner.line(bend((140, y), (400, y - 12), (620, y + 8), (860, y)), 4, dark(wood, 0.13))
    book = [(300, 580), (480, 520), (600, 580), (420, 650)]
    pen.shadow(book, 6, 14, blur=8, share=0.3)
    pen.fill(shift(book, 0, 22), tone("cream"))
    pen.fill(shift(book, 0, 8), dark(look.color(1), 0.3))
    pen.fill(book, look.color(1))
    cup = mirror([*arc(690, 520, 74, 130, 180, 90, 20)], 690)
    pen.ground(690, 644, 60, 14)
    pen.body(cup, look.color(2), -16)
    pen.fill(oval(690, 520, 74, 26), dark(look.color(2), 0.16))
    pen.fill(oval(690, 524, 62, 19), tone("tea"))
    pen.line(arc(400, 690, 26, 14, 0, 360, 24), 8, tone("brass"))
    pen.line([(428, 690), (500, 690), (500, 704)], 9, tone("brass"))


def pot(pen: Pen, look: Look) -> None:
    clay, green = look.color(0), look.color(1)
    pen.ground(500, 806, 200)
    if look.option("plant", "blade") == "round":
        _round_leaves(pen, green)
    else:
        for degrees, size, shade in ((-34, 300, 0.3), (30, 330, 0.3), (-17, 400, 0.12), (13, 430, 0.05), (-2, 360, 0)):
            leaf = blade((500 + degrees * 0.9, 566), size, degrees * 0.85, 0.15)
            pen.fill(leaf, dark(green, shade))
            with pen.inside(leaf) as inner:
                tip = blade((500 + degrees * 0.9, 566), size * 0.96, degrees * 0.85, 0.06)
                inner.fill(tip, light(green, 0.2 - shade * 0.4))
    pen.fill(oval(500, 796, 208, 20), dark(clay, 0.25))
    pen.body(box(292, 772, 708, 800, 12), clay, -20)
    pen.body(mirror([(334, 600), (372, 776)]), clay, -34)
    rim = box(304, 540, 696, 626, 12)
    pen.shadow(mirror([(336, 600), (342, 640)]), 0, 6, blur=5, share=0.3)
    pen.body(rim, light(clay, 0.06), -34)
    with pen.inside(mirror([(334, 626), (372, 776)])) as inner:
        weave(inner, look.pattern, (330, 690, 680, 730), look.color(2), 56)


def _round_leaves(pen: Pen, green: Color) -> None:
    leaves: list[tuple[float, float, float, float]] = [
        (360, 350, 74, 0.2),
        (640, 330, 78, 0.2),
        (430, 230, 70, 0.1),
        (580, 210, 64, 0.05),
        (500, 330, 84, 0),
        (330, 470, 58, 0.25),
        (676, 456, 62, 0.25),
    ]
    for x, y, r, shade in leaves:
        pen.line(bend((500, 560), (500 + (x - 500) * 0.4, 470), (x, y)), 9, dark(green, 0.3))
        pen.body(oval(x, y, r, r * 0.92), dark(green, shade), -10, -8)
        pen.line([(x, y), (x + (x - 500) * 0.12, y - r * 0.6)], 4, light(green, 0.25))


def vase(pen: Pen, look: Look) -> None:
    glaze, clay = look.color(0), look.color(1)
    pen.ground(500, 806, 170)
    for points, side in ((((505, 400), (540, 280), (640, 160)), 1), (((498, 400), (470, 250), (420, 130)), -1)):
        curve = bend(*points)
        pen.line(curve, 9, tone("walnut"))
        for i in range(5):
            x, y = curve[6 + i * 5]
            pen.fill(oval(x + side * (16 if i % 2 else -16), y - 6, 24), look.color(2))
            pen.fill(oval(x + side * (16 if i % 2 else -16), y - 6, 8), tone("ochre"))
    half = bend((458, 360), (464, 380), (462, 470), (410, 560), (338, 660), (356, 760), (410, 800))
    outline = mirror([*half, (500, 802)])
    pen.body(outline, clay, -40)
    with pen.inside(outline) as inner:
        dip = [*bend((300, 640), (400, 680), (480, 640), (570, 690), (700, 650)), (700, 300), (300, 300)]
        inner.fill(dip, dark(glaze, 0.14))
        with inner.inside(shift(outline, -40)) as lit:
            lit.fill(dip, glaze)
        for x, y in ((400, 720), (460, 760), (540, 730), (590, 770), (500, 700), (440, 600), (560, 580), (520, 500)):
            inner.fill(oval(x, y, 5), dark(clay, 0.4))
        inner.glaze(oval(420, 620, 18, 60), (255, 255, 255), 0.3)
    pen.fill(oval(500, 360, 44, 13), dark(glaze, 0.35))


def candle(pen: Pen, look: Look) -> None:
    glass, wax = look.color(0), look.color(1)
    pen.soft(oval(500, 300, 150), tone("#ffe2a0"), 40, 0.8)
    pen.ground(500, 800, 200)
    pen.body(box(320, 420, 680, 800, (14, 14, 46, 46)), glass, -40)
    pen.fill(oval(500, 424, 180, 40), light(glass, 0.3))
    pen.fill(oval(500, 432, 164, 33), wax)
    pen.line([(500, 430), (503, 372)], 9, tone("charcoal"))
    pen.fill(loop((500, 220), (530, 310), (536, 350), (502, 386), (466, 350), (474, 306)), tone("ochre"))
    pen.fill(loop((502, 290), (518, 340), (502, 376), (486, 342)), tone("#fff3cf"))
    label: list[Point] = box(390, 540, 610, 720, 8)
    pen.fill(label, tone("cream"))
    with pen.inside(label) as inner:
        weave(inner, look.pattern, (400, 590, 620, 700), look.color(2), 62)
    pen.glaze(box(352, 470, 372, 740, 10), (255, 255, 255), 0.3)
