"""The browser that takes the pictures: the system's own Chromium, installed where we may, else asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")


def executable() -> str:
    """Its path. Ends the program with the command to type when there is none and we may not install it."""
    found = _found()
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {' '.join(PACKAGES)} (apt-get)", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", *PACKAGES], check=False)
        found = _found()
    if not found:
        sys.exit(
            "\nNO SCREENSHOTS: there is no Chromium here. Install it, then run `make screenshots` again:\n"
            f"  sudo apt-get update && sudo apt-get install -y {' '.join(PACKAGES)}\n"
        )
    if not _has_chinese_font():
        print("\nWARNING: no Chinese font is installed; the pictures will show boxes. Install fonts-noto-cjk.\n")
    return found


def _found() -> str:
    return next((path for name in NAMES if (path := shutil.which(name))), "")


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return True  # cannot tell
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())
