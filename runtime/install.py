"""Make the virtual environment `.venv` and install the pinned requirements. Run by the system's Python:

    python3 -m runtime.install requirements.txt

It does nothing when a stamp says that exactly these pins are installed. Standard library only, and written so that
an old Python can still read it and say what is missing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)


def how_to_install_python() -> str:
    """The exact command for a Python that is new enough."""
    if sys.platform == "darwin":
        return "brew install python@3.13"
    return f"{as_root()}apt-get update && {as_root()}apt-get install -y python3 python3-venv"


def as_root() -> str:
    """`sudo ` where it is needed."""
    return "" if os.geteuid() == 0 else "sudo "


def complaint() -> str:
    """What is missing in this Python; empty when nothing is."""
    if sys.version_info < OLDEST:
        return (
            f"Weft needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is "
            f"{sys.version_info[0]}.{sys.version_info[1]}.\nInstall one:  {how_to_install_python()}\n"
            "or name one:  make PYTHON=/path/to/python3 ..."
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        command = f"{as_root()}apt-get update && {as_root()}apt-get install -y {package}"
        return f"This Python has no venv module (with ensurepip). Install it:\n  {command}"
    return ""


def stamp(folder: Path, requirements: list[Path]) -> Path:
    """The file that says: exactly these pins are installed, by this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for file in requirements:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return folder / f".stamp-{digest.hexdigest()[:16]}"


def runs(python: Path, module: str) -> bool:
    """Whether the environment's Python starts and has this module (an upgraded system may have broken it)."""
    try:
        return subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_environment(folder: Path) -> Path:
    """The environment's Python; a broken environment is made anew."""
    python = folder / "bin" / "python"
    if not runs(python, "pip"):
        print(f"making the virtual environment {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    return python


def pip_setting(python: Path, name: str) -> str:
    """One of pip's settings; uv has its own and does not read them."""
    done = subprocess.run(
        [str(python), "-m", "pip", "config", "get", f"global.{name}"], capture_output=True, text=True, check=False
    )
    return os.environ.get(f"PIP_{name.upper().replace('-', '_')}") or done.stdout.strip()


def uv_env(python: Path) -> dict[str, str]:
    """The environment for uv, with the indexes and certificates that pip is set up with."""
    env = dict(os.environ)
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    for setting, variable in names.items():
        value = pip_setting(python, setting)
        if value:
            env.setdefault(variable, " ".join(value.split()))
    # With several indexes pip takes the best match of all; so that both installers agree:
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if not os.access(os.path.expanduser("~"), os.W_OK):
        env.setdefault("UV_NO_CACHE", "1")  # no home, no place for its cache
    return env


def install_with_uv(python: Path, arguments: list[str]) -> bool:
    """Install with uv, several times faster than pip; False when it cannot be had or fails."""
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--only-binary", ":all:", "uv"], capture_output=True, check=False).returncode != 0:
        return False
    command = [str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python), *arguments]
    done = subprocess.run(command, env=uv_env(python), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"uv did not succeed, going on with pip. It said:\n{done.stderr.strip()[-600:]}", flush=True)
    return done.returncode == 0


def install(python: Path, requirements: list[Path]) -> None:
    """Install the pins, with uv or else with pip."""
    arguments = [part for file in requirements for part in ("-r", str(file))]
    print("installing " + ", ".join(file.name for file in requirements), flush=True)
    if not install_with_uv(python, arguments):
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], check=True
        )


def main(names: list[str]) -> int:
    """Make sure that `.venv` has these requirements."""
    missing = complaint()
    if missing:
        print(missing, file=sys.stderr)
        return 1
    project = Path(__file__).resolve().parent.parent
    folder = project / ".venv"
    requirements = [project / name for name in names]
    wanted = stamp(folder, requirements)
    # Two makes at once (demo and test) must not install into one environment together.
    lock = os.open(project / "runtime", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if wanted.exists() and runs(folder / "bin" / "python", "sys"):
            return 0
        try:
            python = make_environment(folder)
            install(python, requirements)
        except subprocess.CalledProcessError as error:
            print(
                f"Failed: {' '.join(map(str, error.cmd))}\nMend the cause (network? disk?) and repeat.", file=sys.stderr
            )
            return 1
        wanted.touch()
    finally:
        os.close(lock)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["requirements.txt"]))
