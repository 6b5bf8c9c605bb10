"""As much of `systemctl` as docs/operations.md uses: starts, stops and restarts what unit files say, by process id.

    python systemctl.py FOLDER start|stop|restart NAME ...

FOLDER holds the units, and gets `NAME.pid` and `NAME.log`.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def start(folder: Path, name: str) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(folder / f"{name}.service")
    service = unit["Service"]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            service["ExecStart"].split(), cwd=service["WorkingDirectory"], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    (folder / f"{name}.pid").write_text(str(process.pid))


def stop(folder: Path, name: str) -> None:
    """As KillMode=mixed: SIGTERM to the main process; when it has ended, or not in time, the rest of its group."""
    file = folder / f"{name}.pid"
    if not file.exists():
        return
    pid = int(file.read_text())
    deadline = time.monotonic() + 40
    os.kill(pid, signal.SIGTERM)
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):  # nothing of it was left
        os.killpg(pid, signal.SIGKILL)
    file.unlink()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def main(folder: Path, verb: str, names: list[str]) -> None:
    for name in names:
        if verb in ("stop", "restart"):
            stop(folder, name)
        if verb in ("start", "restart"):
            start(folder, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
