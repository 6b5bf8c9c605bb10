"""The demo's environment: `.env`, `var/`, and the secrets in `var/secrets`, generated once.

    python -m runtime.environment test|production -- COMMAND ...

runs a command with complete settings for that mode and throw-away secrets: `make test` runs in the one, `make lint`
checks the deployment with the other.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runtime.foreground import run_command
from runtime.processes import StopSignals
from runtime.secretfiles import private_folder, write_new, write_once

ENV_MARKER = "# weft-demo: written by `make demo` at every start. Your own settings: remove this line first."
VAR_MARKER = ".weft-demo"
SIGNING_FILE = "secret_key"
RING_FILE = "key_ring"
TRYTON_FILE = "tryton_admin_password"
MARKET_FILE = "market_key"
GATEWAYS_FOLDER = "gateways"
# What Weft's own commands put into var/. Anything else that stands there before the first start is somebody's own.
OURS = frozenset({"bench.json", "log", "mail", "media", "pg", "replay", "replay-pg", "secrets", "static", "tryton"})
PLAIN = re.compile(r"[\w@%+=:,./?&\[\]-]*")


class ForeignFile(Exception):
    """A file or folder that is not ours stands where we want to write or remove."""


def fernet_key() -> str:
    """One line of a key ring: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode("ascii")


def make_secrets(folder: Path) -> None:
    """Generate what is missing: folder 0700, files 0600, nothing ever overwritten."""
    private_folder(folder)
    write_once(folder / SIGNING_FILE, secrets.token_urlsafe(64) + "\n")
    write_once(folder / RING_FILE, fernet_key() + "\n")
    write_once(folder / TRYTON_FILE, secrets.token_urlsafe(24) + "\n")
    write_once(folder / MARKET_FILE, secrets.token_urlsafe(24) + "\n")


class Ports(NamedTuple):
    """Of what the shop speaks to in the demo."""

    tryton: int
    market: int
    gateways: int


def demo_values(project: Path, shop_url: str, ports: Ports, database_url: str | None) -> dict[str, str]:
    """The demo's variables. Secrets stand in files; here are only their paths."""
    folder = project / "var" / "secrets"
    values = {
        "WEFT_MODE": "demo",
        "SECRET_KEY_FILE": str(folder / SIGNING_FILE),
        "WEFT_KEY_RING_FILE": str(folder / RING_FILE),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "WEFT_SHOP_URL": shop_url,
        "WEFT_PRIVATE_HOSTS": ",".join(f"127.0.0.1:{port}" for port in ports),
        "WEFT_TRYTON_PORT": str(ports.tryton),
        "WEFT_MARKET_PORT": str(ports.market),
        "WEFT_MARKET_KEY_FILE": str(folder / MARKET_FILE),
        "WEFT_GATEWAYS_PORT": str(ports.gateways),
        "WEFT_GATEWAYS_FOLDER": str(folder / GATEWAYS_FOLDER),
    }
    if database_url is not None:
        values["DATABASE_URL"] = database_url
    return values


def is_ours(env_file: Path) -> bool:
    """Whether this `.env` begins with our marker (a symbolic link never counts as ours)."""
    if env_file.is_symlink() or not env_file.is_file():
        return False
    with env_file.open(encoding="utf-8", errors="replace") as stream:
        return stream.readline().rstrip("\n") == ENV_MARKER


def check_env_file(env_file: Path) -> None:
    """Raise ForeignFile when a `.env` that we did not write is in the way."""
    if os.path.lexists(env_file) and not is_ours(env_file):
        raise ForeignFile(
            f"{env_file} was not written by `make demo` and is left as it is. Move it away to run the demo here: "
            f"mv {env_file.name} {env_file.name}.mine"
        )


def quoted(value: str) -> str:
    """A value as `.env` files write it."""
    if "\n" in value or "\r" in value:
        raise ValueError("a value in .env cannot hold a line break")
    if PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write_env(env_file: Path, values: Mapping[str, str]) -> None:
    """Write `.env` (0600) in one move; never over a file without our marker."""
    check_env_file(env_file)
    fresh = env_file.with_name(f"{env_file.name}.new-{os.getpid()}")
    lines = [ENV_MARKER, *(f"{name}={quoted(value)}" for name, value in values.items())]
    fresh.unlink(missing_ok=True)
    write_new(fresh, "\n".join(lines) + "\n")
    fresh.replace(env_file)


def former_value(env_file: Path, name: str) -> str | None:
    """What our last `.env` said; None when there is none of ours."""
    if not is_ours(env_file):
        return None
    for line in env_file.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}="):
            return line.partition("=")[2].strip("'\"")
    return None


def make_var(project: Path) -> Path:
    """The demo's folder, with a marker that says what stood in it before: `demo-reset` leaves that alone."""
    var = project / "var"
    var.mkdir(exist_ok=True)
    before = sorted(path.name for path in var.iterdir() if path.name not in OURS)
    with contextlib.suppress(FileExistsError):
        write_new(var / VAR_MARKER, json.dumps({"what": "made by `make demo`", "keep": before}) + "\n")
    return var


def remove_var(project: Path) -> bool:
    """Remove what the demo put into `var/`, and `.env`; only with our marker. True when something was there."""
    var = project / "var"
    marker = var / VAR_MARKER
    if not var.exists():
        return False
    if not marker.is_file():
        raise ForeignFile(f"{var} has no marker of the demo ({VAR_MARKER}): nothing removed.")
    keep = set(json.loads(marker.read_text(encoding="utf-8")).get("keep", []))
    for path in var.iterdir():
        if path.name in keep or path == marker:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    marker.unlink()  # last: an interrupted reset can be repeated
    if not any(var.iterdir()):
        var.rmdir()
    if is_ours(project / ".env"):
        (project / ".env").unlink()
    return True


def throw_away_values(mode: str, folder: Path) -> dict[str, str]:
    """Complete settings for a mode, around throw-away secrets in `folder`; a given DATABASE_URL is kept."""
    make_secrets(folder)
    host = "127.0.0.1" if mode == "test" else "shop.example.com"
    # Tests hold locks on purpose, and two cores may be busy with other tests.
    patient = {"WEFT_DB_LOCK_SECONDS": "15"} if mode == "test" else {}
    return {
        **patient,
        "WEFT_MODE": mode,
        "SECRET_KEY_FILE": str(folder / SIGNING_FILE),
        "WEFT_KEY_RING_FILE": str(folder / RING_FILE),
        "ALLOWED_HOSTS": host if mode == "production" else f"{host},localhost,testserver",
        "WEFT_SHOP_URL": f"https://{host}",
        "WEFT_PRIVATE_HOSTS": "",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or "postgres://weft@127.0.0.1:5432/weft",
    }


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m runtime.environment", description=__doc__)
    parser.add_argument("mode", choices=["test", "production"])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND ...")
    options = parser.parse_args(argv)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command after --")
    with tempfile.TemporaryDirectory(prefix="weft-settings-") as folder, StopSignals() as signals:
        env = {**os.environ, **throw_away_values(options.mode, Path(folder) / "secrets")}
        return run_command(command, env, signals)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
