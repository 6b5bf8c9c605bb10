"""Illustrations of the demo company's products, drawn from the specs in catalogue.json."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from shop.seed.drawing import Color, Look, Pen, bend, box, dark, light, mix, oval, tone
from shop.seed.kinds import apparel, furniture, home, kitchen, outdoor, paper, textiles

Drawing = Callable[[Pen, Look], None]

SUPERSAMPLE = 2
QUALITY = 82
SUFFIX = ".webp"

# Things that stand on a floor, things seen from above, and things that hang on a wall.
ROOM: dict[str, Drawing] = {
    "cushion": textiles.cushion,
    "blanket": textiles.blanket,
    "bed": textiles.bed,
    "pillows": textiles.pillows,
    "rug": textiles.rug,
    "tote": apparel.tote,
    "backpack": apparel.backpack,
    "hat": apparel.hat,
    "box": home.storage_box,
    "basket": home.basket,
    "hamper": home.hamper,
    "tray": home.tray,
    "pot": home.pot,
    "vase": home.vase,
    "candle": home.candle,
    "mushroom-lamp": furniture.mushroom_lamp,
    "desk-lamp": furniture.desk_lamp,
    "floor-lamp": furniture.floor_lamp,
    "chair": furniture.chair,
    "armchair": furniture.armchair,
    "stool": furniture.stool,
    "round-table": furniture.round_table,
    "desk": furniture.desk,
    "side-table": furniture.side_table,
    "bench": furniture.bench,
    "mug": kitchen.mug,
    "glasses": kitchen.glasses,
    "teapot": kitchen.teapot,
    "bowls": kitchen.bowls,
    "jars": kitchen.jars,
    "bottle": kitchen.bottle,
    "sack": kitchen.sack,
    "book": paper.book,
    "camp-chair": outdoor.camp_chair,
    "lantern": outdoor.lantern,
    "flask": outdoor.flask,
}
FLAT: dict[str, Drawing] = {
    "runner": textiles.runner,
    "shirt": apparel.shirt,
    "apron": apparel.apron,
    "scarf": apparel.scarf,
    "socks": apparel.socks,
    "plate": kitchen.plate,
    "board": kitchen.board,
    "knife": kitchen.knife,
    "pan": kitchen.pan,
    "notebook": paper.notebook,
    "planner": paper.planner,
    "postcards": paper.postcards,
    "map": paper.folded_map,
    "ticket": paper.ticket,
    "pencils": paper.pencils,
}
WALL: dict[str, Drawing] = {
    "curtain": textiles.curtain,
    "towel": textiles.towel,
    "shelf": home.shelf,
    "pegs": home.pegs,
    "pendant": furniture.pendant,
    "paper-lantern": furniture.paper_lantern,
    "tent": outdoor.tent,
    "picnic-mat": outdoor.picnic_mat,
    "hammock": outdoor.hammock,
    "umbrella": outdoor.umbrella,
}
# Where the floor begins behind things that lie on it.
HORIZONS: dict[str, float] = {"rug": 220, "tray": 440}

KINDS: dict[str, Drawing] = {**ROOM, **FLAT, **WALL}

BACKDROPS: dict[str, Color] = {
    "linen": tone("linen"),
    "sage": tone("#e2e8da"),
    "ochre": tone("#f7e8c9"),
    "indigo": tone("#dee3ec"),
    "madder": tone("#f5dfd6"),
    "sand": tone("#ece1cc"),
}


def draw(spec: Mapping[str, Any], size: int = 1200) -> Image.Image:
    """The square picture that a product's spec describes; the same spec always gives the same picture."""
    look = Look.read(spec)
    pixels = size * SUPERSAMPLE
    pen = Pen(Image.new("RGB", (pixels, pixels), BACKDROPS[look.backdrop]), pixels / 1000)
    _scenery(pen, look)
    KINDS[look.kind](pen, look)
    return pen.image.reduce(SUPERSAMPLE)


def _scenery(pen: Pen, look: Look) -> None:
    tint = BACKDROPS[look.backdrop]
    if look.kind in ROOM:
        pen.fill(oval(500, 470, 390), light(tint, 0.45))
        pen.fill(box(0, HORIZONS.get(look.kind, 770), 1000, 1000), mix(tint, tone("walnut"), 0.14))
    elif look.kind in WALL:
        pen.fill(box(110, 90, 890, 1000, (390, 390, 0, 0)), light(tint, 0.45))
    else:
        pen.fill(oval(860, 120, 520), light(tint, 0.4))


def encode(image: Image.Image) -> bytes:
    """The picture as a WebP file small enough for a shop page."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=2)
    return buffer.getvalue()


def hero(width: int, height: int) -> Image.Image:
    """A loom for the home page: warp threads, a cloth growing from below and the shuttle on its weft thread."""
    pixels = width * SUPERSAMPLE, height * SUPERSAMPLE
    unit = pixels[0] / 1000
    tall = 1000 * height / width
    pen = Pen(Image.new("RGB", pixels, tone("linen")), unit)
    pen.fill(oval(760, tall * 0.36, 300), light(tone("ochre"), 0.62))
    edge = tall * 0.66
    _cloth(pen, edge, tall)
    _warp(pen, edge)
    _beams(pen, tall)
    _shuttle(pen, edge, tall)
    return pen.image.reduce(SUPERSAMPLE)


WARP_STEP = 20
WEFT = ("madder", "linen", "ochre", "sage", "sage", "linen", "madder", "indigo", "indigo", "ochre")


def _warp(pen: Pen, edge: float) -> None:
    for i in range(1000 // WARP_STEP + 1):
        x = i * WARP_STEP + WARP_STEP / 2
        pen.line([(x, 0), (x, edge)], 3.4, tone("indigo") if i % 2 else mix(tone("ink"), tone("linen"), 0.42))


def _cloth(pen: Pen, edge: float, tall: float) -> None:
    """Woven rows: each weft thread passes over every other warp thread."""
    rows = int((tall - edge) / 9) + 1
    for row in range(rows):
        y, color = edge + row * 9, tone(WEFT[(row // 3) % len(WEFT)])
        pen.fill(box(0, y, 1000, y + 9), dark(color, 0.24))
        for i in range(-1, 1000 // WARP_STEP + 1):
            x = i * WARP_STEP + (WARP_STEP / 2 if row % 2 else -WARP_STEP / 2)
            if i % 2:
                pen.fill(box(x + 1, y + 0.8, x + WARP_STEP * 1.5, y + 8, 3.4), color)
            else:
                pen.fill(box(x + 3, y + 0.8, x + WARP_STEP * 1.5 - 3, y + 8, 3.4), dark(color, 0.14))


def _beams(pen: Pen, tall: float) -> None:
    for y, h in ((tall * 0.12, tall * 0.06), (tall * 0.38, tall * 0.045)):
        beam = box(-20, y, 1020, y + h, 8)
        pen.shadow(beam, 0, h * 0.5, blur=8, share=0.25)
        pen.body(beam, tone("oak"), 0, -h * 0.28)


def _shuttle(pen: Pen, edge: float, tall: float) -> None:
    """The weft thread runs from the cloth's edge, over and under the warp, to the shuttle."""
    thread = bend((-10, edge - 6), (180, edge - 8), (380, edge - tall * 0.06), (620, edge - tall * 0.11))
    pen.line(thread, 7, tone("madder"))
    for i in range(0, 31, 2):
        x = i * WARP_STEP + WARP_STEP / 2
        y = min(thread, key=lambda p: abs(p[0] - x))[1]
        pen.line([(x, y - 6), (x, y + 6)], 3.4, mix(tone("ink"), tone("linen"), 0.42))
    cy, h = edge - tall * 0.115, tall * 0.045
    boat = [
        *bend((590, cy), (660, cy - h), (760, cy - h), (830, cy)),
        *bend((830, cy), (760, cy + h), (660, cy + h), (590, cy)),
    ]
    pen.shadow(boat, 4, h * 0.6, blur=7, share=0.35)
    pen.body(boat, tone("walnut"), 0, -h * 0.3)
    pen.fill(box(656, cy - h * 0.5, 766, cy + h * 0.4, h * 0.4), dark(tone("walnut"), 0.45))
    pen.fill(box(668, cy - h * 0.38, 754, cy + h * 0.28, h * 0.3), tone("madder"))
    for x in range(676, 750, 9):
        pen.line([(x, cy - h * 0.36), (x + 5, cy + h * 0.26)], 2, dark(tone("madder"), 0.25))
