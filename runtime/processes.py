"""Supervised children: each under its own watchdog (`runtime/child.py`), with a log, restarts and an ordered stop.

    with StopSignals() as signals, Processes() as processes:
        web = processes.start(Command(name="web", argv=[...], log=Path("var/log/web.log")))
        while not signals.asked:
            processes.tend()
            time.sleep(0.2)

Leaving the block ends all children. So does a kill -9 of this process: every watchdog then ends its command.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

WATCHDOG = Path(__file__).with_name("child.py")
LOG_LIMIT = 5 * 1024 * 1024
LOGS_KEPT = 3
MARGIN = 5.0  # what a watchdog may take on top of its command's grace
LONGEST_PAUSE = 60.0
STEADY = 60.0  # a child that ran this long starts its back-off anew


class ProcessFailed(Exception):
    """A child could not be started, or ended when it should not have."""


class Stopped(Exception):
    """Somebody asked this process to end."""


@dataclass(frozen=True)
class Owner:
    """The user a command runs as, when that is not ourselves."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """One command to run under a watchdog."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None  # None: ours
    cwd: Path | None = None
    stop_signal: str = "TERM"
    grace: float = 10.0
    restart: bool = False
    foundation: bool = False  # others stand on it (a database): ended after them
    owner: Owner | None = None
    nice: int = 0
    remove: Path | None = None  # throw-away folder that goes with it
    hold: tuple[int, ...] = ()  # file descriptors (locks) its watchdog keeps open


def rotate(log: Path) -> None:
    """Move a log that grew too big aside; the last few are kept."""
    if not log.exists() or log.stat().st_size < LOG_LIMIT:
        return
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    log.replace(log.with_name(f"{log.name}.1"))


def open_log(log: Path) -> int:
    """Open a log for appending, for our eyes only (it may name customers)."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rotate(log)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def tail(log: Path, lines: int = 20, since: int = 0) -> str:
    """The last lines of a log, of what was written after byte `since`."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(since, size - 65536))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class Child:
    """A running command and its watchdog."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.started = time.monotonic()
        self._watchdog = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = self.command
        log = open_log(command.log)
        self.log_start = os.fstat(log).st_size
        try:
            return subprocess.Popen(
                [*self._watchdog_argv(), "--", *command.argv],
                stdin=subprocess.PIPE,  # its other end is what ties the command's life to ours
                stdout=log,
                stderr=log,
                env=None if command.env is None else dict(command.env),
                pass_fds=command.hold,
                start_new_session=True,  # a Ctrl-C in the terminal is for us: we end children in order
            )
        except OSError as error:
            raise ProcessFailed(f"{command.name} could not be started: {error}") from error
        finally:
            os.close(log)

    def _watchdog_argv(self) -> list[str]:
        command = self.command
        argv = [sys.executable, "-I", "-S", str(WATCHDOG)]
        argv += ["--stop-signal", command.stop_signal, "--grace", str(command.grace), "--nice", str(command.nice)]
        if command.owner is not None:
            argv += ["--uid", str(command.owner.uid), "--gid", str(command.owner.gid)]
        if command.cwd is not None:
            argv += ["--cwd", str(command.cwd)]
        if command.remove is not None:
            argv += ["--remove", str(command.remove)]
        return argv

    @property
    def pid(self) -> int:
        """The watchdog's process id."""
        return self._watchdog.pid

    def ended(self) -> int | None:
        """The command's exit code, None while it runs."""
        return self._watchdog.poll()

    def runtime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def log_tail(self, lines: int = 20) -> str:
        """The last lines this run wrote."""
        return tail(self.command.log, lines, self.log_start)

    def ask_to_end(self) -> None:
        """Let go of the pipe: the watchdog begins to end the command."""
        if self._watchdog.stdin is not None:
            with contextlib.suppress(OSError):
                self._watchdog.stdin.close()

    def wait_for_end(self) -> int:
        """Wait for the end that was asked for; never longer than the grace and a margin."""
        try:
            return self._watchdog.wait(timeout=self.command.grace + MARGIN)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()  # the command has the watchdog's death as its death signal
            return self._watchdog.wait()

    def stop(self) -> int:
        """End the command and wait until it is gone."""
        self.ask_to_end()
        return self.wait_for_end()


@dataclass
class _Tended:
    """A child together with its restart state."""

    command: Command
    child: Child
    pause: float = 1.0
    restart_at: float | None = None


@dataclass
class Processes:
    """The children of one program, ended in order: first those that stand on others, then their foundation."""

    say: Callable[[str], None] = field(default=print)
    _tended: list[_Tended] = field(default_factory=list)

    def start(self, command: Command) -> Child:
        """Start one child."""
        child = Child(command)
        self._tended.append(_Tended(command, child))
        return child

    def tend(self) -> None:
        """Restart what ended and wants a restart; raise when anything else that should run has ended."""
        for tended in self._tended:
            code = tended.child.ended()
            if code is None:
                continue
            if not tended.command.restart:
                log = tended.command.log
                raise ProcessFailed(f"{tended.command.name} ended (exit code {code}).\n{tail(log)}\nLog: {log}")
            self._restart(tended, code)

    def _restart(self, tended: _Tended, code: int) -> None:
        now = time.monotonic()
        if tended.restart_at is None:
            if tended.child.runtime() > STEADY:
                tended.pause = 1.0
            tended.restart_at = now + tended.pause
            name, log = tended.command.name, tended.command.log
            self.say(f"{name} ended (exit code {code}); started again in {tended.pause:.0f} s. Log: {log}")
            tended.pause = min(tended.pause * 2, LONGEST_PAUSE)
        elif now >= tended.restart_at:
            tended.restart_at = None
            tended.child = Child(tended.command)

    def forget(self, child: Child) -> None:
        """Tend and end this child no longer: it has done its work."""
        self._tended = [tended for tended in self._tended if tended.child is not child]

    def stop(self) -> None:
        """End all children and wait until they are gone."""
        upper = [tended.child for tended in self._tended if not tended.command.foundation]
        lower = [tended.child for tended in self._tended if tended.command.foundation]
        for floor in (upper, lower):
            for child in reversed(floor):
                child.ask_to_end()
            for child in reversed(floor):
                child.wait_for_end()
        self._tended.clear()

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class StopSignals:
    """Notes SIGINT, SIGTERM and SIGHUP instead of dying, so that children are ended in order."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.asked: int | None = None
        self._before: dict[int, object] = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = number

    def check(self) -> None:
        """Raise Stopped when somebody asked us to end."""
        if self.asked is not None:
            raise Stopped(signal.Signals(self.asked).name)

    def __enter__(self) -> StopSignals:
        for number in self.NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:  # nohup stays nohup
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


def run_to_end(command: Command, check: Callable[[], None] = lambda: None, timeout: float = 1800.0) -> Child:
    """Run a command until it ends by itself; `check` may raise to end it early.

    Raises ProcessFailed with the log's last lines when it fails or takes too long.
    """
    child = Child(command)
    try:
        while child.ended() is None:
            check()
            if child.runtime() > timeout:
                raise ProcessFailed(f"{command.name} took longer than {timeout:.0f} s. Log: {command.log}")
            time.sleep(0.02)
    finally:
        child.stop()
    if child.ended() != 0:
        last = child.log_tail()
        raise ProcessFailed(f"{command.name} failed (exit code {child.ended()}).\n{last}\nLog: {command.log}")
    return child
