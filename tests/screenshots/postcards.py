"""The README's pictures: a page on a desktop with one on a phone before it, small enough for a repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw

from tests.screenshots.camera import LANGUAGES

# name -> (page on a desktop, page on a phone)
CARDS = {
    "shop": ("shop-category", "shop-product"),
    "desk": ("order-order-page", "home"),
}
SIZE = (1600, 900)
DESKTOP = (1216, 800)  # of a picture 1280 wide
PHONE = (312, 675)
GROUND, EDGE = "#e4ddd0", "#bdb5a6"


def make(pictures: Path, into: Path) -> Iterator[Path]:
    """Each card in each language, of pictures that were taken."""
    into.mkdir(parents=True, exist_ok=True)
    for name, (desktop, phone) in CARDS.items():
        for language in LANGUAGES:
            card = Image.new("RGB", SIZE, GROUND)
            _lay(card, pictures / f"{desktop}--{language}-1280.png", DESKTOP, (60, 50), radius=14)
            _lay(card, pictures / f"{phone}--{language}-390.png", PHONE, (SIZE[0] - PHONE[0] - 50, 185), radius=32)
            file = into / f"{name}.{language}.webp"
            card.save(file, "WEBP", quality=82, method=6)
            yield file


def _lay(card: Image.Image, file: Path, size: tuple[int, int], at: tuple[int, int], *, radius: int) -> None:
    """The upper part of a picture, with round corners and an edge."""
    with Image.open(file) as picture:
        width, height = size
        scaled = picture.convert("RGB").resize((width, round(picture.height * width / picture.width)), Image.LANCZOS)
    shown = Image.new("RGB", size, "white")
    shown.paste(scaled.crop((0, 0, width, min(height, scaled.height))))
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), radius, fill=255)
    card.paste(shown, at, mask)
    box = (at[0], at[1], at[0] + width - 1, at[1] + height - 1)
    ImageDraw.Draw(card).rounded_rectangle(box, radius, outline=EDGE, width=2)
