from __future__ import annotations

import io

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image, UnidentifiedImageError

from shop.catalogue import pictures
from tests import factories


def photo(size: tuple[int, int], **save) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, "#336699").save(file, "JPEG", **save)
    file.seek(0)
    return file


def test_uploads_are_made_anew_in_the_sizes_pages_show(db: None) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6  # lies on its side
    image = pictures.add(factories.product(), photo((3000, 1000), exif=exif))
    with default_storage.open(image.original.name) as file:
        original = Image.open(file)
        assert original.format == "WEBP" and max(original.size) == 1600
        assert original.height > original.width, "turned upright"
        assert not original.getexif()
    for size in pictures.SIZES:
        with default_storage.open(pictures.sized(image.original.name, size)) as file:
            assert Image.open(file).size == (size, size)


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"", b"%PDF-1.4"])
def test_what_is_no_picture_is_refused(db: None, content: bytes) -> None:
    with pytest.raises(UnidentifiedImageError):
        pictures.add(factories.product(), io.BytesIO(content))


def test_the_demo_serves_them_and_nothing_else(db: None, en: Client) -> None:
    image = pictures.add(factories.product(), photo((50, 50)))
    answer = en.get(pictures.address(image.original.name, 400))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert "sandbox" in answer["Content-Security-Policy"]
    for path in ("/media/../shop/settings.py", "/media/%2e%2e/manage.py", "/media/nothing.webp", "/media/"):
        assert en.get(path).status_code in (400, 404)
