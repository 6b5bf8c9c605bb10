"""A small watchdog around one command: the command ends when the process that started us ends.

Run by its path, with the write end of a pipe held by the starter as our standard input:

    python -I -S runtime/child.py [--stop-signal INT] [--grace 10] ... -- COMMAND ...

The starter closes the pipe to end the command. A starter that dies, kill -9 included, closes it too: the kernel
does that on Linux and on macOS alike. Only the standard library is used, so that the start takes a few milliseconds.

Why not only a parent-death signal: it exists on Linux alone, is bound to the starting thread, and is cleared when
the user changes. It is set here between us and the command, as the second line (should someone kill -9 *us*).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

MARKER = ".weft-data"
PR_SET_PDEATHSIG = 1


def parse(argv: list[str]) -> argparse.Namespace:
    """The options of one watchdog."""
    parser = argparse.ArgumentParser(prog="runtime.child", description=__doc__)
    parser.add_argument("--stop-signal", default="TERM", help="sent to the command first (TERM, INT, ...)")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds before its whole group is killed")
    parser.add_argument("--uid", type=int, help="run the command as this user (root only)")
    parser.add_argument("--gid", type=int, help="and this group")
    parser.add_argument("--nice", type=int, default=0, help="lower its priority by this much")
    parser.add_argument("--cwd", default=None, help="its working folder")
    parser.add_argument("--remove", default=None, help="folder with our marker, removed when the starter ends")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND ...")
    options = parser.parse_args(argv)
    if options.command[:1] == ["--"]:
        options.command = options.command[1:]
    if not options.command:
        parser.error("no command after --")
    return options


class Wake:
    """Turns signals into bytes on a pipe, so that one `select` waits for everything."""

    def __init__(self) -> None:
        self.stop = False
        self.read_end, write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.stop = True

    def drain(self) -> None:
        """Forget the bytes read so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.read_end, 4096)


def before_exec(nice: int) -> Callable[[], None]:
    """What the forked child does before it becomes the command (after the user was changed)."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    watchdog = os.getpid()

    def prepare() -> None:
        if nice:
            os.nice(nice)
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != watchdog:  # it died before the line above
                os._exit(1)

    return prepare


def start(options: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start the command in a session, and so a process group, of its own."""
    return subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        cwd=options.cwd,
        user=options.uid,
        group=options.gid,
        extra_groups=None if options.uid is None else [],
        start_new_session=True,
        preexec_fn=before_exec(options.nice),
    )


def watch(child: subprocess.Popen[bytes], wake: Wake) -> bool:
    """Wait until the command ends (False) or is to be ended (True)."""
    while child.poll() is None:
        if wake.stop:
            return True
        ready, _, _ = select.select([0, wake.read_end], [], [], 30.0)
        if wake.read_end in ready:
            wake.drain()
        if 0 in ready and not os.read(0, 4096):
            return True
    return False


def signal_group(group: int, number: int) -> bool:
    """Signal a whole process group; False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM when only zombies are left
        return False
    return True


def end_group(group: int, grace: float) -> None:
    """End what the command left behind in its group: politely, then for good."""
    deadline = time.monotonic() + grace
    anyone = signal_group(group, signal.SIGTERM)
    while anyone and time.monotonic() < deadline:
        time.sleep(0.02)
        anyone = signal_group(group, 0)  # 0 only asks
    signal_group(group, signal.SIGKILL)


def end(child: subprocess.Popen[bytes], number: signal.Signals, grace: float) -> None:
    """Ask the command to end; its group is killed when the grace is over."""
    # Only the leader is asked: pool masters (gunicorn, clusters) end their workers in the right order themselves.
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, number)
    try:
        child.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        signal_group(child.pid, signal.SIGKILL)
        child.wait()


def remove(folder: str) -> None:
    """Remove a throw-away folder, if it carries our marker."""
    if os.path.isfile(os.path.join(folder, MARKER)):
        shutil.rmtree(folder, ignore_errors=True)


def main(argv: list[str]) -> int:
    """Run the command; its exit code is ours (128 + n when a signal ended it)."""
    options = parse(argv)
    wake = Wake()
    try:
        child = start(options)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"runtime.child: {options.command[0]} could not be started: {error}", file=sys.stderr)
        return 127
    asked = watch(child, wake)
    if asked:
        end(child, signal.Signals[f"SIG{options.stop_signal}"], options.grace)
    end_group(child.pid, min(options.grace, 3.0))
    if asked and options.remove:
        remove(options.remove)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
