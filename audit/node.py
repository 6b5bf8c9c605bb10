"""Node, npm and what runs on them: what is missing is installed where we may, else named with the exact command."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = (18, 16)
PINS = ("package.json", "package-lock.json")


class Missing(Exception):
    """Something has to be installed by hand first."""


def how_to_install() -> str:
    if sys.platform == "darwin":
        return "brew install node"
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y nodejs npm"


def _is_there() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.strip().lstrip("v").split(".")[:2])) >= OLDEST


def ensure() -> None:
    """Node and npm, from Debian where they are missing and we are root; raises Missing."""
    if not _is_there() and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing nodejs and npm (the audit and tests need them)", flush=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "nodejs", "npm"]):
            subprocess.run(["apt-get", *command], env=env, check=False, stdout=subprocess.DEVNULL)
    if not _is_there():
        wanted = ".".join(map(str, OLDEST))
        raise Missing(f"Node {wanted} or newer is needed, with npm. Install it:\n  {how_to_install()}")


def lighthouse(folder: Path) -> Path:
    """Lighthouse's program, as pinned beside this file, installed into `folder` once."""
    return installed(HERE, folder, folder / "node_modules" / "lighthouse" / "cli" / "index.js")


def installed(pins: Path, folder: Path, program: Path) -> Path:
    """What the two files in `pins` name, installed into `folder` once; no script of a package is run for it."""
    if program.exists() and filecmp.cmpfiles(pins, folder, PINS, shallow=False)[0] == list(PINS):
        return program
    folder.mkdir(parents=True, exist_ok=True)
    for name in PINS:
        shutil.copyfile(pins / name, folder / name)
    print(f"installing {folder.name}", flush=True)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    if done.returncode != 0 or not program.exists():
        (folder / PINS[1]).unlink(missing_ok=True)  # the next run tries again
        said = done.stderr.strip()[:1500]
        raise Missing(f"npm did not install {folder.name} (network? registry?). It said:\n{said}")
    return program


def version() -> str:
    """The pinned Lighthouse."""
    return json.loads((HERE / PINS[0]).read_text(encoding="utf-8"))["dependencies"]["lighthouse"]
