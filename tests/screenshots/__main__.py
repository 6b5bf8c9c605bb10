"""python -m tests.screenshots [--only TEXT,TEXT] [--postcards]

Pictures into var/screenshots, of a company in a throw-away database.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import django


def main() -> int:
    """0 when every page answered; else 1, with what went wrong."""
    options = _options()
    began = time.monotonic()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    django.setup()
    # Django's parts are there only from here on.
    from django.conf import settings

    from tests.screenshots import camera, company, places, postcards, site

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", flush=True)

    folder = settings.BASE_DIR / "var" / "screenshots"
    with tempfile.TemporaryDirectory(prefix="weft-screenshots-") as scratch:
        settings.MEDIA_ROOT, settings.WEFT_MAIL_FOLDER = Path(scratch) / "media", Path(scratch) / "mail"
        site.migrate()
        say("database migrated")
        made = company.make(say)
        company.have_it_hear()
        only = options.only.split(",")
        chosen = [
            place for place in [*places.staff(made), *places.shop(made)] if any(text in place.name for text in only)
        ]
        cookies = site.cookies(made)
        if not options.only:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
            "1"  # the browser's own loop runs in this thread; the server has others
        )
        with site.served() as address:
            troubles = camera.photograph(chosen, address, cookies, folder, say)
    say(f"{len(chosen)} pages: {camera.sheet(folder, chosen)}")
    if options.postcards:
        for card in postcards.make(folder, settings.BASE_DIR / "docs" / "pictures"):
            say(f"{card.relative_to(settings.BASE_DIR)}: {card.stat().st_size // 1024} kB")
    for trouble in troubles:
        print(f"  {trouble}")
    return 1 if troubles else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--only", default="", help="pages with this in their name, or one of these, TEXT,TEXT")
    parser.add_argument("--postcards", action="store_true", help="and the pictures of the README, into docs/pictures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
