"""No process outlives the one that started it; children restart, keep their logs and end in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from runtime.processes import LOG_LIMIT, Command, Processes, ProcessFailed, run_to_end
from tests.runtime.conftest import PROJECT

# A parent as the demo is: a database, a pool with workers, a child that will not listen, one that starts another.
PARENT = """
import sys, time
from pathlib import Path
from runtime.cluster import ephemeral_places
from runtime.postgres import Server
from runtime.processes import Command, Processes
folder = Path(sys.argv[1])
server = Server(ephemeral_places(folder))
server.start()
processes = Processes()
def add(name, *argv):
    processes.start(Command(name, argv, folder / f"{name}.log", grace=1.0))
add("plain", "sleep", "300")
add("deaf", "sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done")
add("pool", "sh", "-c", "sleep 300 & sleep 300 & wait")
add("nested", sys.executable, "-c", '''
import subprocess, time
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 300"])
time.sleep(300)
''')
time.sleep(0.5)
print(server.places.area, flush=True)
time.sleep(300)
"""


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return what()


def alive(processes: list[psutil.Process]) -> list[str]:
    """Those that still run; psutil knows a process by its start, so a used-again id does not count."""
    left = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.NoSuchProcess:
            continue
    return left


def marked(marker: str) -> list[int]:
    """All processes with this marker in their environment, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WEFT_TEST_MARKER") == marker and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def start_parent(folder: Path, marker: str) -> tuple[subprocess.Popen[str], list[psutil.Process], Path]:
    env = {**os.environ, "WEFT_TEST_MARKER": marker, "PYTHONPATH": str(PROJECT)}
    argv = [sys.executable, "-c", PARENT, str(folder)]
    parent = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    area = Path(parent.stdout.readline().strip())
    family = psutil.Process(parent.pid).children(recursive=True)
    names = " ".join(" ".join(process.cmdline()) for process in family)
    assert len(family) > 12 and "bin/postgres" in names and "checkpointer" in names
    return parent, family, area


def test_kill_9_of_the_parent_leaves_no_process(tmp_path: Path) -> None:
    marker = f"kill-{os.getpid()}-{time.time_ns()}"
    parent, family, area = start_parent(tmp_path, marker)
    assert len(marked(marker)) >= 9
    parent.kill()
    parent.wait()
    assert eventually(lambda: not alive(family)), alive(family)
    assert eventually(lambda: not marked(marker)), marked(marker)
    assert eventually(lambda: not area.exists()), "the throw-away data is still there"


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's own")
def test_kill_9_of_a_watchdog_ends_its_command(tmp_path: Path) -> None:
    with Processes(say=lambda text: None) as processes:
        child = processes.start(Command("plain", ["sleep", "300"], tmp_path / "plain.log"))
        family: list[psutil.Process] = []
        assert eventually(lambda: bool(family.extend(psutil.Process(child.pid).children()) or family))
        os.kill(child.pid, signal.SIGKILL)
        assert eventually(lambda: not alive(family))


def test_leaving_the_block_ends_everything_and_the_foundation_last(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    script = f'trap \'echo "$0" >> "{ended}"; exit 0\' TERM; echo up; while :; do sleep 0.05; done'
    with Processes() as processes:
        for name, foundation in (("database", True), ("web", False)):
            processes.start(Command(name, ["sh", "-c", script, name], tmp_path / f"{name}.log", foundation=foundation))
        logs = [tmp_path / "database.log", tmp_path / "web.log"]
        assert eventually(lambda: all("up" in log.read_text() for log in logs))
    assert ended.read_text().split() == ["web", "database"]


def test_a_child_that_ended_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    with Processes(say=said.append) as processes:
        log = tmp_path / "short.log"
        processes.start(Command("short", ["sh", "-c", "echo once; exit 3"], log, restart=True))

        def twice() -> bool:
            processes.tend()
            return log.read_text().count("once") >= 2

        assert eventually(twice)
    assert "short ended (exit code 3); started again in 1 s" in said[0]


def test_the_end_of_a_child_that_should_stay_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with Processes() as processes:
        child = processes.start(Command("web", ["sh", "-c", "echo no such port; exit 4"], tmp_path / "web.log"))
        assert eventually(lambda: child.ended() is not None)
        with pytest.raises(ProcessFailed, match=r"web ended \(exit code 4\)(.|\n)*no such port"):
            processes.tend()


def test_a_step_that_fails_tells_its_last_lines(tmp_path: Path) -> None:
    command = Command("step", ["sh", "-c", "seq 1 100; exit 2"], tmp_path / "log" / "step.log")
    with pytest.raises(ProcessFailed) as caught:
        run_to_end(command)
    text = str(caught.value)
    assert "exit code 2" in text and "\n100\n" in text and "\n81\n" in text and "\n80\n" not in text


def test_a_command_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match="could not be started"):
        run_to_end(Command("step", ["/nonexistent/command"], tmp_path / "step.log"))


def test_logs_are_private_and_rotated_at_the_start(tmp_path: Path) -> None:
    log = tmp_path / "log" / "web.log"
    run_to_end(Command("web", ["echo", "first"], log))
    assert log.stat().st_mode & 0o777 == 0o600
    with log.open("ab") as stream:
        stream.truncate(LOG_LIMIT + 1)
    run_to_end(Command("web", ["echo", "second"], log))
    assert log.read_text() == "second\n"
    assert log.with_name("web.log.1").stat().st_size == LOG_LIMIT + 1
