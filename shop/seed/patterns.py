"""Woven and printed patterns, drawn across a rectangle; clip them with Pen.inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shop.seed.drawing import Color, Pen, Point, arc, bend, box, dark, light, loop, mix, oval, turn

Area = tuple[float, float, float, float]
Painter = Callable[[Pen, Area, Color, float], None]


def weave(pen: Pen, name: str, area: Area, color: Color, step: float = 60) -> None:
    """Cover an area with the named pattern, one repeat every `step` units."""
    PATTERNS[name](pen, area, color, step)


def _steps(start: float, end: float, step: float) -> Iterator[float]:
    for i in range(int((end - start) / step) + 2):
        yield start + i * step


def _cells(area: Area, step: float) -> Iterator[tuple[int, int, float, float]]:
    x0, y0, x1, y1 = area
    for row, y in enumerate(_steps(y0, y1, step)):
        for column, x in enumerate(_steps(x0, x1, step)):
            yield row, column, x, y


def _plain(pen: Pen, area: Area, color: Color, step: float) -> None:
    return


def _stripes(pen: Pen, area: Area, color: Color, step: float) -> None:
    for x in _steps(area[0], area[2], step):
        pen.fill(box(x, area[1], x + step * 0.36, area[3]), color)


def _bands(pen: Pen, area: Area, color: Color, step: float) -> None:
    for y in _steps(area[1], area[3], step):
        pen.fill(box(area[0], y, area[2], y + step * 0.36), color)


def _ticking(pen: Pen, area: Area, color: Color, step: float) -> None:
    """Fine mattress stripes: one broad line between two thin ones."""
    for x in _steps(area[0], area[2], step):
        for offset, width in ((0.3, 0.05), (0.44, 0.14), (0.66, 0.05)):
            pen.fill(box(x + step * offset, area[1], x + step * (offset + width), area[3]), color)


def _check(pen: Pen, area: Area, color: Color, step: float) -> None:
    x0, y0, x1, y1 = area
    pen.glaze_all([box(x, y0, x + step * 0.5, y1) for x in _steps(x0, x1, step)], color, 0.5)
    pen.glaze_all([box(x0, y, x1, y + step * 0.5) for y in _steps(y0, y1, step)], color, 0.5)


def _tartan(pen: Pen, area: Area, color: Color, step: float) -> None:
    _check(pen, area, color, step)
    fine = light(color, 0.75)
    for x in _steps(area[0] + step * 0.75, area[2], step):
        pen.line([(x, area[1]), (x, area[3])], 4, fine)
    for y in _steps(area[1] + step * 0.75, area[3], step):
        pen.line([(area[0], y), (area[2], y)], 4, fine)


def _diamond(pen: Pen, area: Area, color: Color, step: float) -> None:
    """A lattice of tall diamonds, each with a small one in its middle."""
    x0, y0, x1, y1 = area
    slope = 1.9
    reach = (y1 - y0) / slope
    for x in _steps(x0 - reach, x1 + reach, step):
        pen.line([(x, y0), (x + reach, y1)], step * 0.09, color)
        pen.line([(x, y0), (x - reach, y1)], step * 0.09, color)
    for row, y in enumerate(_steps(y0, y1, step * slope / 2)):
        for x in _steps(x0 - reach, x1 + reach, step):
            cx, half = x + (0 if row % 2 else step / 2), step * 0.2
            pen.fill([(cx - half, y), (cx, y - half * slope), (cx + half, y), (cx, y + half * slope)], color)


def _dots(pen: Pen, area: Area, color: Color, step: float) -> None:
    for row, _, x, y in _cells(area, step):
        pen.fill(oval(x + (step / 2 if row % 2 else 0), y, step * 0.16), color)


def _waffle(pen: Pen, area: Area, color: Color, step: float) -> None:
    for _, _, x, y in _cells(area, step):
        pen.fill(box(x, y, x + step * 0.68, y + step * 0.68, step * 0.12), color)


def _herringbone(pen: Pen, area: Area, color: Color, step: float) -> None:
    x0, y0, x1, y1 = area
    for y in _steps(y0 - step, y1, step * 0.5):
        points: list[Point] = [(x, y + (step * 0.5 if i % 2 else 0)) for i, x in enumerate(_steps(x0, x1, step * 0.5))]
        pen.line(points, step * 0.11, color)


def _twill(pen: Pen, area: Area, color: Color, step: float) -> None:
    x0, y0, x1, y1 = area
    height = y1 - y0
    for x in _steps(x0 - height, x1, step * 0.5):
        pen.line([(x, y1), (x + height, y0)], step * 0.09, color)


def _leaf(pen: Pen, area: Area, color: Color, step: float) -> None:
    for row, column, x, y in _cells(area, step):
        cx = x + (step / 2 if row % 2 else 0)
        sprig(pen, (cx, y), step * 0.42, color, 25 if (row + column) % 2 else -25)


def sprig(pen: Pen, centre: Point, size: float, color: Color, degrees: float = 0) -> None:
    """A stem with three pairs of leaves and one at the tip."""
    cx, cy = centre
    stem = [(cx, cy + size), (cx, cy - size)]
    pen.line(turn(stem, degrees, cx, cy), size * 0.09, color)
    for i in range(3):
        y = cy + size * (0.55 - i * 0.5)
        for side in (-1, 1):
            pen.fill(turn(blade((cx, y), size * 0.62, side * 52), degrees, cx, cy), color)
    pen.fill(turn(blade((cx, cy - size * 0.85), size * 0.6, 0), degrees, cx, cy), color)


def blade(root: Point, length: float, degrees: float = 0, width: float = 0.26) -> list[Point]:
    """A pointed leaf that grows upwards from its root, then turned."""
    x, y = root
    side = length * width
    left = bend((x, y), (x - side, y - length * 0.45), (x, y - length))
    right = bend((x, y - length), (x + side, y - length * 0.45), (x, y))
    return turn([*left, *right], degrees, x, y)


def _waves(pen: Pen, area: Area, color: Color, step: float) -> None:
    for row, _, x, y in _cells((area[0] - step, area[1], area[2], area[3] + step), step * 0.5):
        if row % 2:
            continue
        cx = x * 2 - area[0] + step + (step / 2 if row % 4 else 0)
        for share in (0.46, 0.3, 0.14):
            pen.line(arc(cx, y, step * share, step * share, 180, 360, 14), step * 0.06, color)


def _shibori(pen: Pen, area: Area, color: Color, step: float) -> None:
    for row, column, x, y in _cells(area, step):
        cx = x + (step / 2 if row % 2 else 0)
        wobble = [0.4 + 0.05 * ((i * 7 + row * 3 + column * 5) % 3) for i in range(10)]
        ring = [turn([(cx + step * w, y)], i * 36, cx, y)[0] for i, w in enumerate(wobble)]
        pen.line(loop(*ring, steps=6), step * 0.1, color, closed=True)
        pen.fill(oval(cx, y, step * 0.14), color)


def _knit(pen: Pen, area: Area, color: Color, step: float) -> None:
    for _, _, x, y in _cells((area[0], area[1], area[2], area[3]), step * 0.5):
        for side in (-1, 1):
            pen.line([(x, y), (x + side * step * 0.2, y - step * 0.3)], step * 0.12, color)


def _kilim(pen: Pen, area: Area, color: Color, step: float) -> None:
    """Rows of stepped triangles between plain lines, as on flat-woven rugs."""
    x0, y0, x1, y1 = area
    for i, y in enumerate(_steps(y0, y1, step * 1.4)):
        pen.fill(box(x0, y - step * 0.24, x1, y - step * 0.14), dark(color, 0.3))
        for x in _steps(x0 - step, x1, step):
            up, down = (y, y + step) if i % 2 else (y + step, y)
            pen.fill([(x, down), (x + step, down), (x + step / 2, up)], mix(color, (255, 250, 240), 0.25 * (i % 3)))


PATTERNS: dict[str, Painter] = {
    "plain": _plain,
    "stripes": _stripes,
    "bands": _bands,
    "ticking": _ticking,
    "check": _check,
    "tartan": _tartan,
    "diamond": _diamond,
    "dots": _dots,
    "waffle": _waffle,
    "herringbone": _herringbone,
    "twill": _twill,
    "leaf": _leaf,
    "waves": _waves,
    "shibori": _shibori,
    "knit": _knit,
    "kilim": _kilim,
}
