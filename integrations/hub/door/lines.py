"""The connections of one call, so that whoever waits for it can end it.

A remote that sends a byte now and then outlasts every time-out of a read, in the answer's headers as well as in its
body. When the time is over the line is cut from outside, and the thread that reads from it is free again.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Lines:
    """`watch` a session, `cut` what it has open, `close` the handles on it."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []
        self._is_cut = False
        self._lock = threading.Lock()

    def watch(self, session: requests.Session) -> None:
        """Hold every connection that this session opens from now on, in this thread."""
        _this_thread.lines = self
        for adapter in session.adapters.values():
            adapter.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}  # type: ignore[attr-defined]

    def hold(self, line: socket.socket) -> None:
        """A second handle on it, which TLS does not take away."""
        with self._lock:
            self._held.append(line.dup())
            is_cut = self._is_cut
        if is_cut:
            self.cut()

    def cut(self) -> None:
        """Whoever reads from them is told that they ended."""
        with self._lock:
            self._is_cut = True
            for line in self._held:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            for line in self._held:
                line.close()
            self._held.clear()


_this_thread = threading.local()


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        line = super()._new_conn()
        _this_thread.lines.hold(line)
        return line


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        line = super()._new_conn()
        _this_thread.lines.hold(line)
        return line


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure
