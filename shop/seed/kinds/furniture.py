"""Lamps, chairs and tables."""

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
    mirror,
    oval,
    shift,
    tone,
    turn,
)
from shop.seed.patterns import blade, weave

GLOW = tone("#ffe9b8")


def _leg(pen: Pen, top: Point, foot: Point, width: float, color: Color) -> None:
    """A leg that tapers towards the floor."""
    (x0, y0), (x1, y1) = top, foot
    half, end = width / 2, width * 0.32
    pen.body([(x0 - half, y0), (x0 + half, y0), (x1 + end, y1), (x1 - end, y1)], color, -width * 0.28)


def mushroom_lamp(pen: Pen, look: Look) -> None:
    shade, base = look.color(0), look.color(1)
    pen.soft(oval(500, 580, 320, 230), GLOW, 40, 0.8)
    pen.ground(500, 806, 190)
    pen.body(mirror([(440, 470), *bend((440, 470), (430, 640), (404, 720), (330, 790)), (340, 804)]), base, -26)
    pen.fill(oval(500, 476, 180, 40), GLOW)
    dome = mirror(
        [*bend((500, 214), (380, 226), (270, 300), (206, 440), (200, 480)), *bend((200, 480), (340, 512), (500, 518))]
    )
    pen.body(dome, shade, -40, -6)
    with pen.inside(dome) as inner:
        inner.glaze(oval(500, 530, 300, 90), GLOW, 0.4)
        inner.glaze(oval(380, 320, 50, 70), (255, 255, 255), 0.22)
    pen.body(box(478, 190, 522, 226, 10), tone("brass"), -8)


def desk_lamp(pen: Pen, look: Look) -> None:
    metal, joint = look.color(0), look.color(1)
    pen.glaze([(596, 400), (730, 330), (930, 790), (500, 790)], GLOW, 0.55)
    pen.ground(370, 806, 190)
    pen.body(box(220, 762, 520, 804, (24, 24, 10, 10)), metal, -20)
    pen.line([(370, 768), (300, 500)], 22, joint)
    pen.line([(300, 500), (560, 270)], 22, joint)
    for x, y, r in ((370, 764, 24), (300, 500, 28)):
        pen.fill(oval(x, y, r), metal)
        pen.fill(oval(x, y, r * 0.4), tone("brass"))
    head = turn(mirror([(530, 210), *bend((530, 210), (480, 280), (452, 360))], 570), -28, 570, 260)
    pen.fill(turn(oval(570, 362, 118, 24), -28, 570, 260), GLOW)
    pen.body(head, metal, -22, -8)
    pen.body(turn(box(540, 176, 600, 226, 14), -28, 570, 260), joint, -8)
    pen.fill(oval(560, 268, 20), tone("brass"))


def pendant(pen: Pen, look: Look) -> None:
    shade = look.color(0)
    pen.soft(mirror([(290, 590), (170, 880)]), GLOW, 16, 0.7)
    pen.line([(500, 60), (500, 300)], 8, tone("charcoal"))
    pen.fill(box(470, 250, 530, 316, 10), tone("charcoal"))
    pen.fill(oval(500, 612, 64, 62), tone("#fff6dc"))
    side = bend((450, 306), (330, 360), (260, 470), (240, 590))
    dome = [*side, *arc(500, 590, 260, 50, 180, 0, 30), *((1000 - x, y) for x, y in reversed(side))]
    pen.body(dome, shade, -34)
    with pen.inside(dome) as inner:
        for i in range(-8, 9):
            rib = bend((500 + i * 7, 300), (500 + i * 22, 400), (500 + i * 33, 620))
            inner.line(rib, 5, dark(shade, 0.22))
        for k in range(6):
            y = 350 + k * 42
            inner.line(arc(500, y - 20, 300, 44, 0, 180, 30), 7, light(shade, 0.35) if k % 2 else dark(shade, 0.3))
        inner.soft(oval(500, 640, 160, 90), GLOW, 30, 0.6)
    pen.line(arc(500, 590, 258, 50, 0, 180, 40), 16, dark(shade, 0.28))


def floor_lamp(pen: Pen, look: Look) -> None:
    shade, wood = look.color(0), look.color(1)
    pen.soft(oval(500, 400, 310, 230), GLOW, 40, 0.8)
    pen.ground(500, 860, 230)
    _leg(pen, (500, 440), (516, 836), 24, dark(wood, 0.25))
    _leg(pen, (490, 440), (330, 862), 26, wood)
    _leg(pen, (510, 440), (680, 862), 26, wood)
    pen.body(box(440, 600, 574, 616, 6), dark(wood, 0.18), 0, -5)
    pen.body(oval(500, 446, 44, 22), tone("brass"), -8)
    pen.fill(oval(500, 416, 218, 30), GLOW)
    drum = [(352, 160), (648, 160), *arc(500, 412, 220, 34, 0, 180, 40)]
    pen.body(drum, shade, -36)
    with pen.inside(drum) as inner:
        weave(inner, look.pattern, (270, 150, 730, 460), look.color(2), 50)
        inner.soft(oval(500, 430, 150, 110), GLOW, 30, 0.7)
        inner.fill(box(260, 160, 740, 176), dark(shade, 0.12))


def paper_lantern(pen: Pen, look: Look) -> None:
    paper, frame = look.color(0), look.color(1)
    pen.soft(oval(500, 480, 330, 320), GLOW, 40, 0.8)
    pen.line([(500, 80), (500, 220)], 7, frame)
    outline = mirror([*bend((420, 214), (300, 300), (226, 470), (300, 640), (420, 736))])
    pen.shadow(outline, 0, 18, blur=18, share=0.18)
    pen.body(outline, paper, -44)
    with pen.inside(outline) as inner:
        inner.soft(oval(490, 480, 170, 210), tone("#fff4d2"), 40, 0.8)
        for k in range(13):
            y = 236 + k * 40
            inner.line(arc(500, y - 16, 330, 24, 0, 180, 30), 4, dark(paper, 0.16))
        for x, y, size, degrees in ((430, 640, 150, 20), (450, 600, 130, -26), (440, 560, 140, 8), (470, 650, 110, 55)):
            inner.glaze(blade((x, y), size, degrees, 0.16), look.color(2), 0.75)
    pen.body(box(404, 198, 596, 236, 12), frame, -20)
    pen.body(box(404, 718, 596, 756, 12), frame, -20)
    pen.line([(500, 756), (500, 800)], 6, look.color(3))
    pen.fill(oval(500, 800, 14), look.color(3))
    for i in range(7):
        pen.line([(488 + i * 4, 808), (482 + i * 6, 890)], 5, look.color(3))


def chair(pen: Pen, look: Look) -> None:
    """A wooden dining chair from the front, spindles in its back."""
    wood, seat = look.color(0), look.color(1)
    pen.ground(500, 830, 240)
    for side in (-1, 1):
        _leg(pen, (500 + side * 130, 590), (500 + side * 178, 796), 26, dark(wood, 0.3))
        pen.line(bend((500 + side * 150, 590), (500 + side * 176, 400), (500 + side * 196, 210)), 26, dark(wood, 0.1))
    count = int(look.option("spindles", 5))
    for i in range(count):
        t = (i + 1) / (count + 1) - 0.5
        pen.line([(500 + t * 290, 590), (500 + t * 370, 230)], 13, dark(wood, 0.16))
    crest = [
        *bend((288, 196), (400, 158), (500, 150), (600, 158), (712, 196)),
        *bend((706, 272), (600, 238), (500, 230), (400, 238), (294, 272)),
    ]
    pen.body(crest, wood, -10, -12)
    pen.body(box(330, 650, 670, 672, 8), dark(wood, 0.2), 0, -6)
    board = [
        *bend((292, 560), (400, 540), (500, 536), (600, 540), (708, 560)),
        *bend((762, 620), (740, 646), (500, 658), (260, 646), (238, 620)),
    ]
    for side in (-1, 1):
        _leg(pen, (500 + side * 206, 636), (500 + side * 248, 832), 38, wood)
    pen.shadow(board, 0, 14, blur=8, share=0.3)
    pen.body(board, seat, 0, -16)
    with pen.inside(shift(board, 0, -16)) as inner:
        weave(inner, look.pattern, (220, 520, 780, 660), look.color(2), 40)


def armchair(pen: Pen, look: Look) -> None:
    cloth, wood = look.color(0), look.color(1)
    pen.ground(500, 822, 300)
    for x, foot in ((290, 268), (710, 732)):
        _leg(pen, (x, 720), (foot, 824), 34, wood)
    pen.body(box(270, 210, 730, 660, (120, 120, 20, 20)), dark(cloth, 0.06), -24)
    with pen.inside(box(270, 210, 730, 660, (120, 120, 20, 20))) as inner:
        weave(inner, look.pattern, (260, 200, 740, 560), look.color(2), 62)
        for x in (400, 500, 600):
            inner.fill(oval(x, 380, 9), dark(cloth, 0.35))
    seat = box(286, 540, 714, 660, 44)
    pen.shadow(seat, 0, -8, blur=10, share=0.25)
    pen.body(seat, light(cloth, 0.12), 0, -14)
    pen.body(box(240, 640, 760, 744, 26), cloth, 0, -14)
    for x0, x1 in ((182, 306), (694, 818)):
        arm = box(x0, 450, x1, 756, (60, 60, 30, 30))
        pen.shadow(arm, 6, 4, blur=9, share=0.2)
        pen.body(arm, light(cloth, 0.05), -16)
    cushion = turn(box(430, 440, 590, 580, 30), 9, 510, 510)
    pen.shadow(cushion, 4, 8, blur=8, share=0.25)
    pen.body(cushion, look.color(3), -10, -8)


def stool(pen: Pen, look: Look) -> None:
    wood = look.color(0)
    pen.ground(500, 822, 220)
    for side in (-1, 1):
        _leg(pen, (500 + side * 96, 480), (500 + side * 128, 772), 32, dark(wood, 0.3))
    pen.body(box(330, 650, 670, 676, 8), dark(wood, 0.18), 0, -7)
    for side in (-1, 1):
        _leg(pen, (500 + side * 158, 490), (500 + side * 220, 822), 42, wood)
    pen.shadow(oval(500, 480, 240, 60), 0, 26, blur=8, share=0.25)
    pen.body([*arc(500, 440, 256, 66, 180, 0, 40), *arc(500, 478, 256, 66, 0, 180, 40)], dark(wood, 0.12), -30)
    top = oval(500, 440, 256, 66)
    pen.fill(top, light(wood, 0.14))
    with pen.inside(top) as inner:
        for k in (0.82, 0.6, 0.36, 0.14):
            inner.line(oval(470, 438, 256 * k, 60 * k), 4, dark(wood, 0.06), closed=True)
    for x in (360, 640):
        pen.fill(turn(box(x - 18, 430, x + 18, 444, 3), 0), dark(wood, 0.28))


def round_table(pen: Pen, look: Look) -> None:
    wood = look.color(0)
    pen.ground(500, 830, 300)
    for side in (-1, 1):
        _leg(pen, (500 + side * 150, 480), (500 + side * 170, 770), 34, dark(wood, 0.3))
        _leg(pen, (500 + side * 262, 480), (500 + side * 300, 830), 44, dark(wood, 0.06))
    pen.body(box(230, 476, 770, 524, 8), dark(wood, 0.18), 0, -8)
    pen.body([*arc(500, 440, 392, 76, 180, 0, 50), *arc(500, 466, 392, 76, 0, 180, 50)], dark(wood, 0.16), -30)
    top = oval(500, 440, 392, 76)
    pen.fill(top, light(wood, 0.12))
    with pen.inside(top) as inner:
        for y in (392, 416, 444, 470, 496):
            inner.line(bend((100, y), (420, y - 6), (640, y + 5), (900, y)), 3, dark(wood, 0.05))
    pen.ground(400, 440, 66, 12)
    pen.body(mirror([*bend((372, 330), (378, 360), (344, 400), (352, 440))], 400), look.color(1), -12)
    for degrees, size in ((-30, 130), (-8, 180), (16, 160), (40, 116)):
        pen.fill(blade((400, 336), size, degrees, 0.2), tone("leaf") if degrees > 0 else tone("moss"))
    pen.ground(620, 452, 96, 14)
    pen.body(mirror([*arc(620, 400, 92, 56, 180, 90, 20)], 620), look.color(2), -14)
    for x, color in ((580, tone("ochre")), (640, tone("madder")), (612, tone("ochre"))):
        pen.body(oval(x, 388, 32), color, -6, -6)
    with pen.inside(box(520, 398, 720, 470)) as inner:
        inner.body(mirror([*arc(620, 400, 92, 56, 180, 90, 20)], 620), look.color(2), -14)


def desk(pen: Pen, look: Look) -> None:
    wood = look.color(0)
    pen.ground(500, 830, 380)
    for side in (-1, 1):
        _leg(pen, (500 + side * 282, 520), (500 + side * 286, 786), 28, dark(wood, 0.3))
        _leg(pen, (500 + side * 334, 520), (500 + side * 348, 830), 40, wood)
    pen.body(box(150, 470, 850, 592, 8), dark(wood, 0.08), 0, -10)
    for x in (174, 510):
        drawer = box(x, 490, x + 316, 572, 6)
        pen.fill(drawer, light(wood, 0.08))
        pen.line(drawer, 4, dark(wood, 0.26), closed=True)
        pen.fill(oval(x + 158, 531, 13), tone("brass"))
    pen.body(box(120, 438, 880, 480, 8), light(wood, 0.1), 0, -12)
    for i, color in enumerate((look.color(1), look.color(2), tone("cream"))):
        pen.body(box(196 + i * 8, 412 - i * 26, 376 - i * 6, 438 - i * 26, 4), color, -14)
    for x, color in ((690, tone("ochre")), (712, tone("madder")), (734, tone("indigo"))):
        pen.line([(716, 400), (x, 290)], 9, color)
    pen.body(box(676, 348, 754, 438, 8), look.color(3), -14)


def side_table(pen: Pen, look: Look) -> None:
    wood, top = look.color(0), look.color(1)
    pen.ground(500, 832, 210)
    _leg(pen, (500, 480), (500, 792), 28, dark(wood, 0.3))
    pen.fill(oval(500, 668, 158, 34), dark(wood, 0.24))
    pen.fill(oval(500, 658, 158, 34), light(wood, 0.05))
    for side in (-1, 1):
        _leg(pen, (500 + side * 170, 470), (500 + side * 208, 832), 36, wood)
    pen.body([*arc(500, 430, 270, 62, 180, 0, 40), *arc(500, 474, 270, 62, 0, 180, 40)], dark(top, 0.14), -30)
    pen.fill(oval(500, 430, 270, 62), light(top, 0.1))
    pen.fill(oval(500, 436, 250, 50), dark(top, 0.1))
    book = [(560, 420), (660, 404), (706, 432), (600, 452)]
    pen.fill(shift(book, 0, 14), tone("cream"))
    pen.fill(book, look.color(2))
    pen.ground(420, 442, 70, 12)
    pen.body(mirror([*arc(420, 330, 66, 112, 180, 90, 20)], 420), tone("cream"), -14)
    pen.line(arc(496, 372, 30, 32, 260, 460, 20), 14, tone("cream"))
    pen.fill(oval(420, 330, 66, 18), dark(tone("cream"), 0.14))
    pen.fill(oval(420, 334, 54, 12), tone("tea"))


def bench(pen: Pen, look: Look) -> None:
    wood, cloth = look.color(0), look.color(1)
    pen.ground(500, 812, 390)
    for side in (-1, 1):
        _leg(pen, (500 + side * 260, 560), (500 + side * 268, 776), 30, dark(wood, 0.3))
        _leg(pen, (500 + side * 330, 560), (500 + side * 350, 812), 42, wood)
    for y in (690, 712):
        pen.body(box(174, y, 826, y + 14, 4), dark(wood, 0.12), 0, -5)
    for x in (290, 436, 620):
        color = look.color(2) if x != 620 else look.color(3)
        shoe = [(x, 692), (x - 2, 628), *bend((x + 46, 624), (x + 62, 650), (x + 104, 660), (x + 120, 692))]
        pen.body(shoe, color, -8)
        pen.fill(box(x - 6, 682, x + 124, 694, 5), tone("cream"))
        for k in range(3):
            pen.line([(x + 52 + k * 13, 640 + k * 8), (x + 42 + k * 13, 654 + k * 7)], 4, tone("cream"))
    pen.body(box(120, 518, 880, 576, 10), wood, 0, -14)
    pad = box(146, 462, 854, 530, 30)
    pen.body(pad, cloth, 0, -14)
    with pen.inside(pad) as inner:
        weave(inner, look.pattern, (140, 456, 860, 520), look.color(4), 58)
    back = turn(box(620, 330, 790, 480, 34), 8, 700, 460)
    pen.shadow(back, 4, 6, blur=7, share=0.22)
    pen.body(back, look.color(4), -10, -8)
