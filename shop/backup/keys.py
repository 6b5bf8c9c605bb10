"""The keys, in a file of their own: whoever has an archive and the keys can read every credential."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from runtime.environment import quoted
from runtime.secretfiles import write_new


def write(file: Path) -> None:
    """SECRET_KEY and WEFT_KEY_RING as a `.env` file says them, 0600. Raises FileExistsError: no key is overwritten."""
    ring = " ".join(settings.WEFT_KEY_RING)
    write_new(file, f"SECRET_KEY={quoted(settings.SECRET_KEY)}\nWEFT_KEY_RING={quoted(ring)}\n")
