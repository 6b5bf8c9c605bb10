"""Cushions, blankets, bedding and other cloth for the house."""

from __future__ import annotations

from shop.seed.drawing import Color, Look, Pen, Point, arc, bend, box, dark, light, loop, oval, tone, turn
from shop.seed.patterns import sprig, weave


def _cushion_outline(cx: float, cy: float, a: float, degrees: float) -> list[Point]:
    b, waist = a * 0.93, a * 0.9
    corners = [
        bend((cx - b, cy - a), (cx, cy - waist), (cx + b, cy - a)),
        bend((cx + a, cy - b), (cx + waist, cy), (cx + a, cy + b)),
        bend((cx + b, cy + a), (cx, cy + waist), (cx - b, cy + a)),
        bend((cx - a, cy + b), (cx - waist, cy), (cx - a, cy - b)),
    ]
    return turn([p for side in corners for p in side], degrees, cx, cy)


def _one_cushion(pen: Pen, look: Look, centre: Point, a: float, degrees: float, colors: tuple[Color, Color]) -> None:
    cloth, motif = colors
    cx, cy = centre
    outline = _cushion_outline(cx, cy, a, degrees)
    pen.line(outline, 16, dark(cloth, 0.2), closed=True)
    pen.fill(outline, cloth)
    with pen.inside(outline) as inner:
        if look.pattern == "sprig":
            sprig(inner, (cx, cy + 10), a * 0.62, motif, 12)
        else:
            weave(
                inner,
                look.pattern,
                (cx - a * 1.3, cy - a * 1.3, cx + a * 1.3, cy + a * 1.3),
                motif,
                look.option("step", 74),
            )
        inner.soft(oval(cx + a * 0.8, cy + a * 0.8, a * 0.7), dark(cloth, 0.6), 40, 0.16)
        inner.soft(oval(cx - a * 0.35, cy - a * 0.4, a * 0.5, a * 0.4), (255, 252, 244), 30, 0.2)
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        crease = [(cx + sx * a * 0.9, cy + sy * a * 0.86), (cx + sx * a * 0.7, cy + sy * a * 0.74)]
        pen.line(turn(crease, degrees, cx, cy), 5, dark(cloth, 0.3))


def cushion(pen: Pen, look: Look) -> None:
    pen.ground(500, 806, 270 if look.option("count", 1) == 1 else 350)
    if look.option("count", 1) == 2:
        _one_cushion(pen, look, (650, 560), 205, 12, (look.color(2), look.color(3)))
        _one_cushion(pen, look, (390, 578), 222, -5, (look.color(0), look.color(1)))
    else:
        _one_cushion(pen, look, (500, 530), 268, -4, (look.color(0), look.color(1)))


def _fringe(pen: Pen, x0: float, x1: float, y: float, length: float, color: Color, step: float = 17) -> None:
    for i in range(int((x1 - x0) / step) + 1):
        x = x0 + i * step
        pen.line([(x, y), (x + (3 if i % 2 else -3), y + length)], 7, color)


def blanket(pen: Pen, look: Look) -> None:
    """A throw folded into three layers, its end hanging over the front with a fringe."""
    cloth, motif = look.color(0), look.color(1)
    pen.ground(500, 800, 330)
    for i, y in enumerate((690, 588, 486)):
        layer = box(200 + i * 8, y, 800 - i * 6, y + 108, (52, 20, 20, 52) if i % 2 else (20, 52, 52, 20))
        pen.body(layer, dark(cloth, 0.08 * (2 - i)), 0, -14)
        with pen.inside(layer) as inner:
            weave(inner, look.pattern, (190, y - 10, 820, y + 130), motif, look.option("step", 84))
            inner.glaze(box(180, y + 82, 820, y + 120), dark(cloth, 0.6), 0.16)
    flap = [*bend((300, 486), (292, 560), (300, 712)), *bend((566, 712), (572, 560), (566, 486))]
    pen.shadow(flap, 8, 10, blur=10, share=0.25)
    if look.option("fringe", True):
        _fringe(pen, 306, 562, 706, 44, dark(cloth, 0.12))
    pen.fill(flap, light(cloth, 0.12))
    with pen.inside(flap) as inner:
        weave(inner, look.pattern, (300, 480, 600, 730), motif, look.option("step", 84))
        inner.fill(box(280, 700, 600, 720), dark(cloth, 0.14))


def bed(pen: Pen, look: Look) -> None:
    sheet, cover, wood = look.color(0), look.color(1), tone("oak")
    pen.ground(500, 812, 370)
    for x in (196, 776):
        pen.body(box(x, 700, x + 28, 812, (0, 0, 8, 8)), dark(wood, 0.2), -8)
    pen.body(box(170, 270, 830, 640, (60, 60, 0, 0)), wood, 0, -16)
    for x in (335, 500, 665):
        pen.line([(x, 290), (x, 600)], 4, dark(wood, 0.14))
    for x in (230, 510):
        pillow = loop(
            (x, 430), (x + 15, 392), (x + 130, 384), (x + 245, 392), (x + 260, 430), (x + 250, 520), (x + 10, 520)
        )
        pen.shadow(pillow, 6, 6, blur=9, share=0.2)
        pen.body(pillow, sheet, -10, -10, 0.1)
    pen.body(box(180, 500, 820, 740, (50, 50, 26, 26)), light(sheet, 0.3), 0, -12)
    duvet = [
        *bend((172, 590), (330, 560), (500, 572), (680, 558), (828, 590)),
        *box(172, 590, 828, 752, (0, 0, 40, 40))[2:],
    ]
    pen.body(duvet, cover, -18, -14)
    with pen.inside(duvet) as inner:
        weave(inner, look.pattern, (160, 560, 840, 780), look.color(2), 76)
        for x, lean in ((300, 30), (470, -18), (640, 26)):
            inner.line(bend((x, 610), (x + lean, 680), (x - lean * 0.3, 750)), 5, dark(cover, 0.12))
    fold = [
        *bend((172, 592), (330, 552), (500, 566), (680, 550), (828, 592)),
        *bend((828, 646), (660, 610), (480, 624), (172, 646)),
    ]
    pen.shadow(fold, 0, 8, blur=7, share=0.2)
    pen.fill(fold, light(cover, 0.45))


def pillows(pen: Pen, look: Look) -> None:
    """A pair of bed pillows, one leaning behind the other."""
    pen.ground(500, 806, 350)
    _pillow(pen, look, (590, 490), 9, 1)
    _pillow(pen, look, (440, 616), -5, 0)


def _pillow(pen: Pen, look: Look, centre: Point, degrees: float, index: int) -> None:
    cloth, piping = look.color(index), look.color(2)
    cx, cy = centre
    outline = [(x, cy + (y - cy) * 0.64) for x, y in _cushion_outline(cx, cy, 290, 0)]
    inset = [(cx + (x - cx) * 0.88, cy + (y - cy) * 0.8) for x, y in outline]
    tilted = turn(outline, degrees, cx, cy)
    pen.shadow(tilted, 6, 14, blur=12, share=0.22)
    pen.line(tilted, 22, dark(cloth, 0.08), closed=True)
    pen.body(tilted, cloth, -12, -20)
    with pen.inside(turn(inset, degrees, cx, cy)) as inner:
        weave(inner, look.pattern, (cx - 320, cy - 240, cx + 320, cy + 240), dark(cloth, 0.1), 62)
        inner.soft(oval(cx - 90, cy - 60, 140, 60), (255, 255, 255), 30, 0.3)
    pen.line(turn(inset, degrees, cx, cy), 6, piping, closed=True)
    for side in (-1, 1):
        crease = bend((cx + side * 252, cy + 20), (cx + side * 200, cy + 34), (cx + side * 140, cy + 26))
        pen.line(turn(crease, degrees, cx, cy), 5, dark(cloth, 0.2))


def curtain(pen: Pen, look: Look) -> None:
    cloth = look.color(0)
    pen.fill(box(240, 220, 760, 770, 8), tone("#fffdf8"))
    pen.fill(box(262, 242, 738, 748), look.color(1))
    with pen.inside(box(262, 242, 738, 748)) as inner:
        inner.fill(oval(610, 370, 60), light(tone("ochre"), 0.4))
        inner.fill(
            loop((200, 700), (340, 600), (480, 660), (620, 610), (820, 690), (820, 900), (200, 900)), tone("sage")
        )
        inner.fill(loop((200, 720), (420, 670), (640, 720), (840, 700), (820, 900), (200, 900)), tone("moss"))
    pen.fill(box(493, 242, 507, 748), tone("#fffdf8"))
    pen.fill(box(262, 470, 738, 482), tone("#fffdf8"))
    for side in (-1, 1):
        inner_edge = bend((500 + side * 80, 212), (500 + side * 96, 460), (500 + side * 120, 812))
        panel = [*inner_edge, (500 + side * 352, 812), (500 + side * 340, 212)]
        pen.shadow(panel, 0, 6, blur=10, share=0.16)
        pen.glaze(panel, cloth, 0.9)
        with pen.inside(panel) as drape:
            for i in range(6):
                x, lean = 500 + side * (112 + i * 45), side * (22 - i * 3)
                fold = [(x, 212), (x + 17, 212), (x + 24 + lean, 812), (x + lean - 6, 812)]
                drape.glaze(fold, dark(cloth, 0.55), 0.22 if i % 2 else 0.14)
            drape.glaze(box(100, 776, 900, 782), dark(cloth, 0.5), 0.3)
    rod = tone("walnut")
    pen.line([(130, 200), (870, 200)], 16, rod)
    for x in (126, 874):
        pen.fill(oval(x, 200, 20), rod)
    for x in (174, 232, 290, 348, 406, 594, 652, 710, 768, 826):
        pen.line(arc(x, 204, 12, 15, 0, 360, 20), 6, tone("brass"))


def towel(pen: Pen, look: Look) -> None:
    cloth, motif = look.color(0), look.color(1)
    wood = tone("oak")
    pen.line([(200, 250), (800, 250)], 26, dark(wood, 0.15))
    back = box(318, 240, 700, 690)
    pen.shadow(back, 14, 16, blur=14, share=0.22)
    pen.fill(back, dark(cloth, 0.16))
    front = [*box(290, 228, 672, 790, (20, 20, 6, 6))]
    pen.shadow(front, 6, 8, blur=9, share=0.2)
    pen.body(front, cloth, -16)
    with pen.inside(front) as inner:
        weave(inner, look.pattern, (298, 262, 680, 640), motif, look.option("step", 36))
        for y, h in ((652, 34), (704, 12)):
            inner.fill(box(280, y, 680, y + h), look.color(2))
        inner.glaze(box(280, 226, 680, 262), (255, 255, 255), 0.25)
    for x in (200, 800):
        pen.body(oval(x, 250, 34), wood, -6, -6)


def runner(pen: Pen, look: Look) -> None:
    """A table seen from above with the runner along it."""
    wood, cloth = tone("oak"), look.color(0)
    table = box(130, 200, 870, 800, 44)
    pen.shadow(table, 12, 18, blur=22, share=0.3)
    pen.body(table, wood, 0, -12)
    with pen.inside(table) as inner:
        for y in (300, 402, 598, 700):
            inner.line([(130, y), (870, y)], 3, dark(wood, 0.12))
    band = box(90, 398, 910, 602)
    pen.shadow(band, 4, 8, blur=8, share=0.25)
    for i in range(15):
        row = 404 + i * 13.7
        for x, way in ((92, -1), (908, 1)):
            pen.line([(x, row), (x + way * 34, row + (2 if i % 2 else -2))], 6, light(cloth, 0.3))
    pen.fill(band, cloth)
    with pen.inside(band) as inner:
        weave(inner, look.pattern, (100, 442, 910, 560), look.color(1), 92)
        for y in (410, 584):
            inner.fill(box(80, y, 920, y + 7), look.color(1))
    for x, y, r, color in ((272, 306, 76, tone("cream")), (732, 700, 76, tone("cream")), (700, 300, 44, tone("clay"))):
        pen.shadow(oval(x, y, r), 6, 9, blur=8, share=0.25)
        pen.body(oval(x, y, r), color, -6, -6)
        pen.fill(oval(x, y, r * 0.68), dark(color, 0.1))
    pen.fill(oval(700, 300, 29), tone("tea"))


def rug(pen: Pen, look: Look) -> None:
    ground, motif, border = look.color(0), look.color(1), look.color(2)
    corners: list[Point] = [(268, 330), (732, 330), (868, 770), (132, 770)]
    pen.shadow(corners, 8, 12, blur=14, share=0.3)
    for i in range(34):
        t = i / 33
        for y, x0, x1, drop, spread in ((330, 268, 732, -26, 8), (770, 132, 868, 40, 14)):
            x = x0 + (x1 - x0) * t
            pen.line([(x, y), (x + (t - 0.5) * spread, y + drop)], 6 if drop > 0 else 4, tone("#e7dac0"))
    pen.fill(corners, border)
    pen.fill([(300, 352), (700, 352), (816, 742), (184, 742)], ground)
    rows = 6
    for r in range(rows):
        top, bottom = _rug_row(r, rows), _rug_row(r + 1, rows)
        _rug_band(pen, r, top, bottom, motif if r % 2 else border)
    pen.line([(300, 352), (700, 352), (816, 742), (184, 742)], 7, light(border, 0.6), closed=True)


def _rug_row(row: int, rows: int) -> tuple[float, float, float]:
    """Left end, right end and height of a line across the rug, rows growing towards the viewer."""
    t = (row / rows) ** 1.25
    return 300 - 116 * t, 700 + 116 * t, 352 + 390 * t


def _rug_band(
    pen: Pen, row: int, top: tuple[float, float, float], bottom: tuple[float, float, float], color: Color
) -> None:
    cells = 8
    (tl, tr, ty), (bl, br, by) = top, bottom
    for c in range(cells):
        left, middle, right = (bl + (br - bl) * k / cells for k in (c, c + 0.5, c + 1))
        peak = tl + (tr - tl) * (c + 0.5) / cells
        if row % 3 == 1:
            mid_y = (ty + by) / 2
            pen.fill([(left + 6, mid_y), (peak, ty + 5), (right - 6, mid_y), (middle, by - 5)], color)
        else:
            pen.fill([(left, by), (peak, ty + 6), (right, by)], color)
    pen.line([(bl, by), (br, by)], 5, dark(color, 0.2))
