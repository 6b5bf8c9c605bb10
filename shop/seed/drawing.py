"""Flat vector drawing on a Pillow image.

Outlines are lists of points in a space 1000 units wide. A Pen paints them on an image that is larger than the
final picture; scaling the image down afterwards gives smooth edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFilter

Point = tuple[float, float]
Outline = Sequence[Point]
Color = tuple[int, int, int]
Frame = tuple[int, int, int, int]
Corners = float | tuple[float, float, float, float]

SHADOW_DETAIL = 12

PALETTE: dict[str, str] = {
    "ink": "#1f2a44",
    "madder": "#c8452f",
    "linen": "#f4efe6",
    "sage": "#7d9273",
    "ochre": "#d9a441",
    "indigo": "#34466f",
    "sky": "#93aec2",
    "rose": "#dba596",
    "clay": "#bd7350",
    "moss": "#4c6148",
    "leaf": "#64875b",
    "sand": "#dccbab",
    "stone": "#a8a195",
    "charcoal": "#3a3c43",
    "cream": "#fcf8f0",
    "oak": "#d3a872",
    "beech": "#e2c297",
    "walnut": "#82583c",
    "bamboo": "#cdb06c",
    "steel": "#bcc4ca",
    "brass": "#bb9145",
    "plum": "#74445a",
    "tea": "#b8622c",
}


def tone(name: str) -> Color:
    """A colour of the palette by name, or any colour Pillow can read such as #aabbcc."""
    red, green, blue = ImageColor.getrgb(PALETTE.get(name, name))[:3]
    return red, green, blue


def mix(first: Color, second: Color, share: float) -> Color:
    """The colour lying the given share of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def dark(color: Color, share: float = 0.16) -> Color:
    return mix(color, tone("ink"), share)


def light(color: Color, share: float = 0.2) -> Color:
    return mix(color, (255, 252, 245), share)


def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float, steps: int = 40) -> list[Point]:
    """Points along an ellipse; degrees run clockwise from the right-hand side."""
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


def oval(cx: float, cy: float, rx: float, ry: float | None = None) -> list[Point]:
    return arc(cx, cy, rx, rx if ry is None else ry, 0, 360, 96)[:-1]


def box(x0: float, y0: float, x1: float, y1: float, r: Corners = 0) -> list[Point]:
    """A rectangle with rounded corners, clockwise from the top left."""
    tl, tr, br, bl = r if isinstance(r, tuple) else (r, r, r, r)
    return [
        *_corner(x0 + tl, y0 + tl, tl, 180),
        *_corner(x1 - tr, y0 + tr, tr, 270),
        *_corner(x1 - br, y1 - br, br, 0),
        *_corner(x0 + bl, y1 - bl, bl, 90),
    ]


def _corner(cx: float, cy: float, radius: float, start: float) -> list[Point]:
    return arc(cx, cy, radius, radius, start, start + 90, 14) if radius else [(cx, cy)]


def bend(*points: Point, steps: int = 14) -> list[Point]:
    """A smooth open curve through the points."""
    padded = [points[0], *points, points[-1]]
    curve = [p for i in range(len(points) - 1) for p in _span(padded[i : i + 4], steps)]
    return [*curve, points[-1]]


def loop(*points: Point, steps: int = 14) -> list[Point]:
    """A smooth closed curve through the points."""
    count = len(points)
    spans = ([points[(i + k) % count] for k in (-1, 0, 1, 2)] for i in range(count))
    return [p for span in spans for p in _span(span, steps)]


def _span(four: Sequence[Point], steps: int) -> list[Point]:
    return [(_spline([p[0] for p in four], i / steps), _spline([p[1] for p in four], i / steps)) for i in range(steps)]


def _spline(v: Sequence[float], t: float) -> float:
    a, b, c, d = v
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def mirror(half: Outline, axis: float = 500) -> list[Point]:
    """A symmetrical outline from its left half, listed from top to bottom."""
    return [*half, *((2 * axis - x, y) for x, y in reversed(half))]


def shift(points: Outline, dx: float, dy: float = 0) -> list[Point]:
    return [(x + dx, y + dy) for x, y in points]


def turn(points: Outline, degrees: float, cx: float = 500, cy: float = 500) -> list[Point]:
    """The points turned clockwise about a centre."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [(cx + (x - cx) * c - (y - cy) * s, cy + (x - cx) * s + (y - cy) * c) for x, y in points]


def extent(points: Outline) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Look:
    """How one product differs from others of its kind."""

    kind: str
    colors: tuple[Color, ...]
    pattern: str = "plain"
    backdrop: str = "linen"
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Look:
        named = {"kind", "colors", "pattern", "backdrop"}
        return cls(
            kind=spec["kind"],
            colors=tuple(tone(name) for name in spec["colors"]),
            pattern=spec.get("pattern", "plain"),
            backdrop=spec.get("backdrop", "linen"),
            options={key: value for key, value in spec.items() if key not in named},
        )

    def color(self, index: int) -> Color:
        """The colour at this place; a short list starts again from its beginning."""
        return self.colors[index % len(self.colors)]

    def option(self, name: str, default: Any) -> Any:
        return self.options.get(name, default)


class Pen:
    """Paints outlines on an image; the origin is the pixel where the image starts on the whole canvas."""

    def __init__(self, image: Image.Image, unit: float, origin: tuple[int, int] = (0, 0)) -> None:
        self.image = image
        self.unit = unit
        self.origin = origin
        self._draw = ImageDraw.Draw(image)

    def _pixels(self, points: Outline) -> list[Point]:
        unit, (ox, oy) = self.unit, self.origin
        return [(x * unit - ox, y * unit - oy) for x, y in points]

    def _frame(self, points: Outline, margin: float = 0) -> Frame:
        """The pixels around the points, kept within the image."""
        x0, y0, x1, y1 = extent(self._pixels(points))
        pad, (width, height) = margin * self.unit + 2, self.image.size
        left, top = max(0, int(x0 - pad)), max(0, int(y0 - pad))
        return left, top, max(left + 1, min(width, int(x1 + pad))), max(top + 1, min(height, int(y1 + pad)))

    def fill(self, outline: Outline, color: Color) -> None:
        self._draw.polygon(self._pixels(outline), fill=color)

    def line(self, points: Outline, width: float, color: Color, closed: bool = False) -> None:
        """A stroke with round ends and joints."""
        pixels = self._pixels([*points, points[0], points[1]] if closed else points)
        thick = max(1, round(width * self.unit))
        self._draw.line(pixels, fill=color, width=thick, joint="curve")
        if thick > 3 and not closed:
            for x, y in (pixels[0], pixels[-1]):
                r = thick / 2 - 0.5
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def glaze(self, outline: Outline, color: Color, share: float) -> None:
        """Paint an outline so that what is below shows through."""
        self.glaze_all([outline], color, share)

    def glaze_all(self, outlines: Sequence[Outline], color: Color, share: float) -> None:
        """Glaze several outlines as one sheet: where they overlap the colour is not doubled."""
        frame = self._frame([p for outline in outlines for p in outline])
        self._tint(frame, color, self._mask(outlines, frame, round(255 * share)))

    def _tint(self, frame: Frame, color: Color, mask: Image.Image) -> None:
        # Pillow blends an image through a grey mask three times as fast as a plain colour.
        self.image.paste(Image.new("RGB", mask.size, color), frame, mask)

    def _mask(self, outlines: Sequence[Outline], frame: Frame, value: int = 1) -> Image.Image:
        left, top, right, bottom = frame
        mask = Image.new("1" if value == 1 else "L", (right - left, bottom - top), 0)
        for outline in outlines:
            points = [(x - left, y - top) for x, y in self._pixels(outline)]
            ImageDraw.Draw(mask).polygon(points, fill=value)
        return mask

    @contextmanager
    def inside(self, outline: Outline) -> Iterator[Pen]:
        """A pen whose strokes show only within the outline."""
        frame = self._frame(outline)
        layer = self.image.crop(frame)
        yield Pen(layer, self.unit, (self.origin[0] + frame[0], self.origin[1] + frame[1]))
        self.image.paste(layer, frame, self._mask([outline], frame))

    def body(self, outline: Outline, color: Color, dx: float = -28, dy: float = 0, share: float = 0.14) -> None:
        """Fill an outline and shade the edge that the light, moved by (dx, dy), leaves out."""
        self.fill(outline, dark(color, share))
        with self.inside(outline) as inner:
            inner.fill(shift(outline, dx, dy), color)

    def shadow(self, outline: Outline, dx: float = 0, dy: float = 0, blur: float = 18, share: float = 0.22) -> None:
        self.soft(shift(outline, dx, dy), tone("ink"), blur, share)

    def soft(self, outline: Outline, color: Color, blur: float, share: float) -> None:
        """Glaze with blurred edges, worked out on a coarse grid because there are no edges to keep."""
        left, top, right, bottom = frame = self._frame(outline, blur * 2.5)
        size = max(1, (right - left) // SHADOW_DETAIL), max(1, (bottom - top) // SHADOW_DETAIL)
        across, down = (right - left) / size[0], (bottom - top) / size[1]
        coarse = Image.new("L", size, 0)
        points = [((x - left) / across, (y - top) / down) for x, y in self._pixels(outline)]
        ImageDraw.Draw(coarse).polygon(points, fill=round(255 * share))
        soft = coarse.filter(ImageFilter.GaussianBlur(blur * self.unit / SHADOW_DETAIL))
        mask = soft.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
        self._tint(frame, color, mask)

    def ground(self, cx: float, cy: float, rx: float, ry: float = 22) -> None:
        """The shadow below a thing that stands on the floor."""
        self.shadow(oval(cx + 14, cy, rx, ry), blur=12, share=0.34)
