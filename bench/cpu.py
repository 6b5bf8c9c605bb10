"""CPU time of this process and of the database's process that serves it."""

from __future__ import annotations

import time

import psutil
from django.db import connection


class Cpu:
    """`spent()` is in seconds and only ever rises, also where Django renews its connection meanwhile."""

    def __init__(self) -> None:
        self._backends: dict[int, float] = {}
        self.spent()

    def spent(self) -> float:
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        times = psutil.Process(pid).cpu_times()
        self._backends[pid] = times.user + times.system
        return time.process_time() + sum(self._backends.values())
