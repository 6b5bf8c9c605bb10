"""The browser of the tests and of the audit: the system's own Chromium. Playwright's is a download of its own.

    python -m runtime.chromium [--needed] [--fonts]

installs Debian's where none is found and that is possible; otherwise it prints the command that would. Without one
the browser's tests are skipped, but not in CI (CI=true), and not with --needed: then it ends with 1. `--fonts`: with
Chinese fonts, for pictures that are looked at.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# A root user has no sandbox to offer, and a container often little shared memory.
FLAGS = ["--disable-gpu", "--disable-dev-shm-usage"] + (["--no-sandbox"] if os.geteuid() == 0 else [])


def find() -> str | None:
    """The browser's path; WEFT_CHROMIUM names another one."""
    named = os.environ.get("WEFT_CHROMIUM")
    if named:
        return shutil.which(named)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(MAC) if MAC.exists() else None)


def how_to_install() -> str:
    """The exact command."""
    if sys.platform == "darwin":
        return "brew install --cask google-chrome"
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y chromium"


def shows_chinese() -> bool:
    """Is there a font for it? (True where one cannot tell.)"""
    if not shutil.which("fc-list"):
        return True
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())


def install(package: str, why: str) -> None:
    """Debian's, where we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"installing {package} ({why})", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *command], env=env, stdout=subprocess.DEVNULL, check=False)


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m runtime.chromium", description="Make sure there is a Chromium.")
    parser.add_argument("--needed", action="store_true", help="end with 1 where there is none")
    parser.add_argument("--fonts", action="store_true", help="and Chinese fonts")
    given = parser.parse_args(argv)
    needed = given.needed or os.environ.get("CI") == "true"
    if not find():
        install("chromium", "the browser's tests and the audit need it")
    if given.fonts and not shows_chinese():
        install("fonts-noto-cjk", "pictures would show boxes for Chinese")
        if not shows_chinese():
            print(
                "No Chinese font is installed; pictures will show boxes. Debian's is fonts-noto-cjk.", file=sys.stderr
            )
    if find():
        return 0
    print(f"No Chromium here. Install one:\n  {how_to_install()}", file=sys.stderr)
    return 1 if needed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
