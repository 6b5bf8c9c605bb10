"""Cups, pots, boards and food."""

from __future__ import annotations

import math

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
    mix,
    oval,
    shift,
    tone,
    turn,
)
from shop.seed.patterns import blade, sprig, weave

GLASS = tone("#ffffff")


def _steam(pen: Pen, x: float, y: float) -> None:
    for dx, rise in ((-60, 120), (0, 160), (60, 120)):
        curve = bend((x + dx, y), (x + dx + 22, y - rise * 0.35), (x + dx - 18, y - rise * 0.7), (x + dx + 8, y - rise))
        pen.line(curve, 10, tone("#e2dacb"))


def mug(pen: Pen, look: Look) -> None:
    glaze, clay = look.color(0), look.color(1)
    _steam(pen, 460, 340)
    pen.ground(480, 802, 210)
    pen.line(arc(650, 580, 108, 112, -80, 80), 46, dark(glaze, 0.16))
    pen.line(arc(650, 580, 108, 112, -80, 80), 26, glaze)
    outline = box(280, 400, 660, 800, (10, 10, 80, 80))
    pen.body(outline, clay, -40)
    with pen.inside(outline) as inner:
        dip = [(200, 300), (720, 300), *bend((720, 660), (600, 700), (470, 668), (360, 704), (200, 670))]
        inner.fill(dip, dark(glaze, 0.14))
        with inner.inside(shift(outline, -40)) as lit:
            lit.fill(dip, glaze)
            weave(lit, look.pattern, (290, 480, 660, 640), look.color(2), 66)
        for x, y in ((330, 740), (400, 770), (470, 738), (540, 766), (600, 740), (500, 782)):
            inner.fill(oval(x, y, 5), dark(clay, 0.35))
    pen.fill(oval(470, 402, 190, 42), light(glaze, 0.25))
    pen.fill(oval(470, 406, 172, 33), dark(glaze, 0.3))
    pen.fill(oval(470, 413, 160, 26), tone("tea"))
    pen.glaze(box(312, 470, 330, 680, 9), GLASS, 0.28)


def glasses(pen: Pen, look: Look) -> None:
    for x, top, scale, drink in ((640, 360, 0.94, look.color(1)), (370, 400, 1.0, look.color(0))):
        w, bottom = 152 * scale, 800
        pen.ground(x, bottom, w * 0.8)
        outer = mirror(
            [*bend((x - w, top), (x - w * 1.04, top + 180), (x - w * 0.8, bottom - 50), (x - w * 0.6, bottom))], x
        )
        cup = mirror(
            [*bend((x - w + 8, top + 4), (x - w * 0.86, top + 150), (x - w * 0.6, bottom - 110), (x, bottom - 84))], x
        )
        pen.glaze(outer, GLASS, 0.55)
        with pen.inside(cup) as inner:
            inner.glaze(box(x - w, top + 80, x + w, bottom), drink, 0.88)
            inner.glaze(oval(x, top + 80, w * 0.96, 24), light(drink, 0.4), 0.9)
            inner.glaze(box(x + w * 0.3, top, x + w, bottom), dark(drink, 0.5), 0.14)
        pen.line(outer, 6, tone("#ffffff"), closed=True)
        pen.line(cup[: len(cup)], 4, tone("#e8eef0"))
        pen.line(oval(x, top + 2, w - 2, 22), 6, tone("#ffffff"), closed=True)
        pen.glaze(box(x - w * 0.84, top + 60, x - w * 0.74, bottom - 170, 8), GLASS, 0.7)


def teapot(pen: Pen, look: Look) -> None:
    glaze, trim = look.color(0), look.color(1)
    _steam(pen, 250, 400)
    pen.ground(510, 802, 250)
    spout = [
        *bend((350, 560), (290, 540), (262, 460), (214, 430)),
        *bend((252, 416), (318, 440), (360, 520), (390, 660)),
    ]
    pen.body(spout, glaze, -8)
    pen.line(bend((690, 510), (820, 470), (846, 590), (800, 680), (690, 700)), 40, dark(trim, 0.1))
    pen.line(bend((690, 510), (820, 470), (846, 590), (800, 680), (690, 700)), 22, trim)
    outline = loop(
        (510, 410), (640, 436), (726, 560), (700, 720), (600, 796), (420, 796), (320, 720), (294, 560), (380, 436)
    )
    pen.body(outline, glaze, -44)
    with pen.inside(outline) as inner:
        if look.pattern == "sprig":
            sprig(inner, (500, 626), 108, look.color(2), 16)
        else:
            weave(inner, look.pattern, (280, 560, 740, 690), look.color(2), 70)
        inner.glaze(oval(380, 560, 26, 84), GLASS, 0.45)
    lid = [*bend((392, 432), (420, 372), (510, 356), (600, 372), (628, 432)), *bend((628, 440), (510, 462), (392, 440))]
    pen.shadow(lid, 0, 8, blur=5, share=0.22)
    pen.body(lid, glaze, -24)
    pen.fill(oval(510, 356, 36, 10), dark(trim, 0.2))
    pen.body(oval(510, 328, 34, 30), trim, -8, -6)


def bowls(pen: Pen, look: Look) -> None:
    """Bowls stacked in one another: the lower ones hide the bottoms of those above."""
    count = int(look.option("count", 4))
    pen.ground(500, 806, 170)
    for i in reversed(range(count)):
        y, color, band = 620 - i * 66, look.color(i), look.color(count)
        if i == count - 1:
            pen.fill(oval(500, y, 280, 50), light(color, 0.45))
            pen.fill(oval(500, y + 5, 262, 41), dark(color, 0.16))
        if i == 0:
            pen.body(mirror([(404, 760), (416, 806)]), dark(color, 0.14), -20)
        outline = [*arc(500, y, 280, 50, 180, 0), *arc(500, y, 280, 160, 0, 180)]
        pen.shadow([*arc(500, y, 276, 46, 180, 0), *arc(500, y, 276, 40, 0, 180)], 0, -6, blur=5, share=0.3)
        pen.body(outline, color, -36, -4)
        with pen.inside(outline) as inner:
            weave(inner, look.pattern, (200, y + 66, 800, y + 150), band, 60)
            inner.line(arc(500, y + 6, 280, 50, 0, 180), 10, light(color, 0.5))
            inner.line(arc(500, y + 30, 284, 50, 0, 180), 5, band)
            inner.glaze(oval(306, y + 76, 16, 30), GLASS, 0.4)


def plate(pen: Pen, look: Look) -> None:
    glaze, rim, napkin = look.color(0), look.color(1), look.color(2)
    cloth = turn(box(250, 190, 810, 810), -8)
    pen.shadow(cloth, 8, 14, blur=14, share=0.22)
    pen.fill(cloth, napkin)
    with pen.inside(cloth) as inner:
        inner.line(turn(box(270, 210, 790, 790), -8), 5, light(napkin, 0.45), closed=True)
    disc = oval(470, 500, 300)
    pen.shadow(disc, 10, 16, blur=16, share=0.32)
    pen.body(disc, rim, -8, -8)
    pen.fill(oval(470, 500, 276), mix(rim, glaze, 0.55))
    pen.fill(oval(470, 500, 252), mix(rim, glaze, 0.8))
    pen.fill(oval(470, 500, 206), dark(glaze, 0.1))
    pen.fill(oval(474, 504, 200), glaze)
    for i in range(46):
        degrees, r = i * 137.5, 40 * math.sqrt(i + 1)
        x, y = turn([(470 + r, 500)], degrees, 470, 500)[0]
        pen.fill(oval(x, y, 3.5 + (i % 3)), dark(rim, 0.2))
    for x, lean in ((822, 2), (858, 5)):
        stick = turn([(x - 8, 200), (x + 8, 200), (x + 5, 800), (x - 5, 800)], lean, x, 500)
        pen.shadow(stick, 6, 10, blur=6, share=0.28)
        pen.fill(stick, tone("walnut"))
        pen.fill(turn([(x - 8, 200), (x + 8, 200), (x + 7, 300), (x - 7, 300)], lean, x, 500), tone("madder"))


def board(pen: Pen, look: Look) -> None:
    wood = look.color(0)
    outline = turn(box(210, 250, 690, 850, 56), 24)
    handle = turn(box(395, 110, 505, 300, 46), 24)
    for part in (handle, outline):
        pen.shadow(part, 10, 18, blur=16, share=0.3)
    for part in (handle, outline):
        pen.fill(shift(part, 4, 12), dark(wood, 0.3))
    for part in (handle, outline):
        pen.fill(part, wood)
    with pen.inside(outline) as inner:
        for i, x in enumerate((280, 352, 440, 520, 600, 650)):
            inner.line(
                turn(bend((x, 230), (x + 16 * (-1) ** i, 480), (x - 10, 860)), 24), 5 + i % 3 * 3, dark(wood, 0.1)
            )
        inner.fill(turn(box(556, 240, 596, 860), 24), light(wood, 0.16))
    pen.fill(turn(oval(450, 160, 20), 24), tone("#ece3d3"))
    for x, y, r in ((400, 640, 78), (508, 700, 78)):
        pen.shadow(oval(x, y, r), 6, 10, blur=7, share=0.28)
        pen.fill(oval(x, y, r), look.color(1))
        pen.fill(oval(x, y, r * 0.86), light(look.color(1), 0.5))
        for k in range(8):
            wedge = [(x, y), *arc(x, y, r * 0.76, r * 0.76, k * 45 + 5, k * 45 + 40, 8)]
            pen.fill(wedge, light(look.color(1), 0.14))
    sprig(pen, (570, 460), 96, tone("leaf"), 58)


def knife(pen: Pen, look: Look) -> None:
    steel, handle = tone("steel"), look.color(0)
    cloth = turn(box(150, 330, 850, 700), -22)
    pen.shadow(cloth, 8, 14, blur=14, share=0.2)
    pen.fill(cloth, look.color(1))
    with pen.inside(cloth) as inner:
        for y in (356, 376, 654, 674):
            inner.line(turn([(140, y), (860, y)], -22), 7, look.color(2))
    blade_outline: list[Point] = [
        (110, 470),
        (560, 452),
        (560, 590),
        (520, 600),
        *bend((470, 602), (300, 596), (190, 552), (110, 470)),
    ]
    tilted = turn(blade_outline, -22)
    pen.shadow(tilted, 8, 16, blur=12, share=0.32)
    pen.fill(tilted, steel)
    with pen.inside(tilted) as inner:
        edge = turn([(100, 480), *bend((160, 510), (300, 566), (470, 574), (570, 574)), (570, 620), (100, 620)], -22)
        inner.fill(edge, light(steel, 0.62))
        inner.fill(turn([(110, 470), (560, 452), (560, 470), (140, 484)], -22), dark(steel, 0.18))
    grip = turn(
        loop(
            (560, 456), (640, 450), (760, 452), (890, 462), (912, 500), (880, 534), (760, 520), (640, 524), (566, 530)
        ),
        -22,
    )
    pen.shadow(grip, 8, 14, blur=10, share=0.3)
    pen.body(grip, handle, -2, -10)
    pen.fill(turn(box(548, 448, 596, 540, 8), -22), tone("brass"))
    for x in (670, 760, 850):
        pen.fill(turn(oval(x, 489, 10), -22), tone("brass"))
    for k in range(3):
        pen.fill(turn(oval(300 + k * 70, 500, 14, 7), -22), mix(steel, tone("ink"), 0.08))


def jars(pen: Pen, look: Look) -> None:
    places = ((250, 500, 120), (506, 380, 130), (756, 580, 106))
    for i, (x, top, w) in enumerate(places):
        pen.ground(x, 804, w)
        glass = box(x - w, top, x + w, 802, (30, 30, 34, 34))
        pen.glaze(glass, GLASS, 0.6)
        filling = box(x - w + 16, top + 74, x + w - 16, 786, (10, 10, 24, 24))
        color = look.color(i)
        pen.fill(filling, color)
        with pen.inside(filling) as inner:
            _grains(inner, (x - w, top + 74, x + w, 800), color, i)
            inner.glaze(box(x + w * 0.4, top, x + w, 802), dark(color, 0.6), 0.16)
        pen.line(glass, 6, GLASS, closed=True)
        pen.glaze(box(x - w + 26, top + 40, x - w + 40, 740, 7), GLASS, 0.7)
        pen.body(box(x - w * 0.8, top - 54, x + w * 0.8, top + 8, 12), look.color(3), -18)
        pen.fill(box(x - w * 0.84, top - 2, x + w * 0.84, top + 14, 6), tone("madder"))


def _grains(pen: Pen, area: tuple[float, float, float, float], color: Color, kind: int) -> None:
    x0, y0, x1, y1 = area
    size = (13, 18, 10)[kind % 3]
    rows, columns = int((y1 - y0) / size / 1.7) + 1, int((x1 - x0) / size / 2) + 1
    for r in range(rows):
        for c in range(columns):
            x, y = x0 + (c + 0.5 * (r % 2)) * size * 2, y0 + 6 + r * size * 1.7
            tint = (r * 5 + c * 3) % 4
            pen.fill(oval(x, y, size * 0.9, size * 0.74), dark(color, 0.12) if tint == 0 else light(color, 0.1 * tint))


def pan(pen: Pen, look: Look) -> None:
    iron, wood = look.color(0), look.color(1)
    grip = turn(box(640, 462, 940, 538, 36), -38, 440, 520)
    pen.shadow(grip, 10, 16, blur=12, share=0.3)
    pen.body(grip, wood, 0, -10)
    pen.fill(turn(oval(900, 500, 15), -38, 440, 520), tone("#ece3d3"))
    disc = oval(440, 540, 300)
    pen.shadow(disc, 12, 20, blur=18, share=0.36)
    pen.body(turn(box(690, 456, 770, 544, 10), -38, 440, 520), iron, -4)
    pen.body(disc, light(iron, 0.12), -10, -10)
    pen.fill(oval(440, 540, 272), dark(iron, 0.5))
    pen.fill(oval(446, 546, 258), iron)
    for r in (220, 160, 100):
        pen.line(arc(446, 546, r, r, 190, 250), 4, light(iron, 0.16))
    egg = loop((330, 540), (350, 440), (450, 420), (540, 470), (570, 560), (500, 650), (400, 660), (340, 620))
    pen.shadow(egg, 4, 6, blur=5, share=0.3)
    pen.body(egg, tone("#fdf8ec"), -6, -6)
    pen.body(oval(450, 540, 66), look.color(2), -8, -8)
    pen.glaze(oval(428, 516, 18, 14), GLASS, 0.6)
    for x, y, degrees in ((300, 460, 20), (560, 690, 70), (620, 440, -30)):
        pen.fill(blade((x, y), 54, degrees, 0.3), tone("leaf"))


def bottle(pen: Pen, look: Look) -> None:
    oil, label = look.color(0), look.color(1)
    pen.ground(470, 806, 150)
    half = bend((428, 210), (428, 320), (410, 380), (350, 450), (336, 520), (336, 780))
    outline = mirror([*half, *arc(360, 780, 24, 24, 180, 90, 8)], 470)
    pen.body(outline, oil, -40)
    with pen.inside(outline) as inner:
        inner.glaze(box(300, 200, 640, 300), GLASS, 0.4)
        inner.glaze(box(356, 480, 374, 780, 9), GLASS, 0.4)
    pen.body(box(436, 138, 504, 226, 10), tone("oak"), -14)
    pen.fill(box(422, 206, 518, 240, 8), dark(oil, 0.35))
    pen.fill(box(336, 540, 604, 730), label)
    pen.glaze(box(560, 540, 604, 730), tone("ink"), 0.1)
    for y in (552, 712):
        pen.fill(box(336, y, 604, y + 6), look.color(2))
    _camellia(pen, (470, 636), 54, look.color(2))
    for x, y, r in ((690, 770, 36), (756, 778, 28)):
        pen.ground(x, y + r - 2, r, 8)
        pen.body(oval(x, y, r), tone("walnut"), -8, -8)
    pen.fill(blade((650, 790), 120, 62, 0.24), tone("leaf"))
    _camellia(pen, (700, 690), 56, tone("rose"))


def _camellia(pen: Pen, centre: Point, size: float, color: Color) -> None:
    cx, cy = centre
    for k in range(6):
        x, y = turn([(cx + size * 0.55, cy)], k * 60, cx, cy)[0]
        pen.fill(oval(x, y, size * 0.44), dark(color, 0.1) if k % 2 else color)
    pen.fill(oval(cx, cy, size * 0.3), tone("ochre"))


def sack(pen: Pen, look: Look) -> None:
    cloth, band = look.color(0), look.color(1)
    pen.ground(460, 808, 260)
    frill = loop((400, 350), (330, 250), (400, 226), (470, 250), (540, 216), (600, 256), (530, 350))
    pen.body(frill, light(cloth, 0.1), -10)
    for x in (420, 470, 520):
        pen.line([(x, 250), (466 + (x - 470) * 0.5, 350)], 4, dark(cloth, 0.2))
    outline = loop(
        (466, 356), (600, 400), (690, 560), (690, 760), (600, 806), (330, 806), (240, 760), (240, 560), (330, 400)
    )
    pen.body(outline, cloth, -36)
    with pen.inside(outline) as inner:
        weave(inner, "twill", (200, 340, 720, 820), light(cloth, 0.12), 22)
        inner.fill(box(200, 720, 720, 752), band)
        inner.fill(box(200, 762, 720, 770), band)
    pen.line(bend((388, 352), (466, 372), (546, 352)), 24, tone("madder"))
    pen.line(bend((500, 364), (560, 400), (548, 450)), 9, tone("madder"))
    for side in (-1, 1):
        stem = bend((466, 690), (466 + side * 30, 580), (466 + side * 96, 500))
        pen.line(stem, 7, look.color(2))
        for k in range(6):
            gx, gy = stem[8 + k * 3]
            pen.fill(turn(oval(gx + side * 12, gy, 9, 19), side * 40 + (40 if k % 2 else -30), gx, gy), look.color(2))
    pen.ground(780, 806, 100, 14)
    rice = loop((690, 720), (730, 672), (780, 660), (830, 672), (870, 720), (780, 744))
    pen.fill(rice, tone("#fffdf6"))
    pen.body(mirror([*arc(780, 716, 104, 90, 180, 90, 20)], 780), look.color(3), -16)
    for x, y in ((740, 696), (780, 682), (812, 700), (764, 706), (836, 706)):
        pen.fill(turn(oval(x, y, 10, 4), x, x, y), dark(tone("#fffdf6"), 0.12))
