"""Run one command in the foreground, with what it needs around it ended afterwards in any case."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from runtime.child import PR_SET_PDEATHSIG
from runtime.processes import StopSignals


def _die_with(starter: int) -> Callable[[], None] | None:
    """Linux: let the command end when we are killed. Elsewhere it ends by losing its database."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != starter:
            os._exit(1)

    return prepare


def run_command(argv: list[str], env: Mapping[str, str], signals: StopSignals) -> int:
    """Run a command in the foreground (it keeps the terminal); stop signals are passed on."""
    try:
        process = subprocess.Popen(argv, env=dict(env), preexec_fn=_die_with(os.getpid()))
    except OSError as error:
        print(f"{argv[0]} could not be started: {error}", file=sys.stderr)
        return 127
    passed = False
    while process.poll() is None:
        if signals.asked is not None and not passed:
            passed = True
            if signals.asked != signal.SIGINT:  # the terminal sent a Ctrl-C to the command as well
                process.send_signal(signals.asked)
        time.sleep(0.05)
    code = process.returncode
    return code if code >= 0 else 128 - code
