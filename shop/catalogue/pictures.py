"""Product pictures. What comes in is re-encoded by Pillow, and the sizes pages show are made then and there; their
addresses follow from the original's name, so that a page asks neither the database nor the disk for them.

Knows no model: processes that only draw use it too.
"""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

SIZES = (400, 800)
LARGEST = 1600
GROUND = "#f4efe6"  # linen, behind pictures that are not square
QUALITY = 82


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as files: the re-encoded original and its square sizes."""

    original: bytes
    sizes: dict[int, bytes]


def add(product: Any, content: IO[bytes] | Image.Image, *, caption: str = "", order: int = 0) -> Any:
    """Keep a picture of `product`, with its sizes. Raises what Pillow raises when it is not a picture."""
    return keep(product, prepare(content), caption=caption, order=order)


def keep(product: Any, picture: Prepared, *, caption: str = "", order: int = 0) -> Any:
    """Store the files and the row that names them."""
    stem = f"{product.slug or product.pk}-{secrets.token_hex(4)}"
    image = product.images.model(product=product, caption=caption, display_order=order)
    image.original.save(f"{stem}.webp", ContentFile(picture.original), save=False)
    for size, data in picture.sizes.items():
        default_storage.save(sized(image.original.name, size), ContentFile(data))
    image.save()
    return image


def prepare(content: IO[bytes] | Image.Image) -> Prepared:
    """Without the camera's metadata; the original no larger than 1600 pixels."""
    source = content if isinstance(content, Image.Image) else Image.open(content)
    source = ImageOps.exif_transpose(source).convert("RGB")
    original = ImageOps.contain(source, (LARGEST, LARGEST)) if max(source.size) > LARGEST else source
    return Prepared(
        _encode(original), {size: _encode(ImageOps.pad(source, (size, size), color=GROUND)) for size in SIZES}
    )


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=2)
    return buffer.getvalue()


def sized(name: str, size: int) -> str:
    """The name of an original's copy of `size` pixels."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{size}.webp"))


def address(name: str, size: int) -> str:
    """Where browsers get it."""
    return default_storage.url(sized(name, size))


def renumber(product: Any) -> None:
    """Give a product's pictures the numbers 0, 1, 2 ... in their order: two of the same number would come by chance."""
    for number, image in enumerate(product.images.order_by("display_order", "pk")):
        if image.display_order != number:
            product.images.filter(pk=image.pk).update(display_order=number)


def discard(name: str) -> None:
    """Remove the files of a picture: the original of that name, and its sizes."""
    for file in (name, *(sized(name, size) for size in SIZES)):
        default_storage.delete(file)
