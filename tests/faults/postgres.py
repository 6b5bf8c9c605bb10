"""The bad line between Weft and PostgreSQL: the same handle, and what only a database can suffer.

Connections are carried message by message, so that a COMMIT is known when it passes. `Does.DELAY` holds back every
message of the client, `Does.DROP` closes a connection before it begins, `Does.HOLE` carries nothing of it.
"""

from __future__ import annotations

import asyncio
import struct

from tests.faults.proxy import Does, Fault, Proxy, reset

# FATAL 53300, as a server says it that has as many connections as it takes.
FULL = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"
COMMIT = b"COMMIT\0"
FINISHED = b"Z"  # ReadyForQuery


class PostgresProxy(Proxy):
    """`lose_commits(n)`: the next n COMMITs are carried out, and their answers lost."""

    def __init__(self, target: int, seed: int = 0) -> None:
        super().__init__(target, seed)
        self._lose = 0
        self._pass = 0
        self.lost = 0
        self.late = 0.0
        self.jitter = 0.0
        self.full = False

    def lose_commits(self, count: int, *, passing: int = 0) -> None:
        """Of the COMMITs that come now let `passing` go by, then lose the answers of so many."""
        with self.plan.lock:
            self._lose, self._pass = count, passing

    def slow_down(self, seconds: float, jitter: float = 0.0) -> None:
        """Every message of every client comes this much later."""
        self.late, self.jitter = seconds, jitter

    def refuse(self, full: bool = True) -> None:
        """New connections are told that there are too many."""
        self.full = full

    def heal(self) -> None:
        super().heal()
        with self.plan.lock:
            self._lose = 0
        self.late, self.jitter, self.full = 0.0, 0.0, False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.plan.draw()
        if fault is not None:
            self.hit.append(("connection", fault))
        if fault is not None and fault.does is Does.DROP:
            reset(writer)
            return
        if fault is not None and fault.does is Does.HOLE:
            await asyncio.sleep(fault.seconds or 3600)
            reset(writer)
            return
        source, sink = await self._upstream()
        try:
            await _Line(self, fault, reader, writer, source, sink).carry()
        finally:
            reset(sink)

    def takes_commit(self) -> bool:
        """Is this COMMIT one whose answer is lost?"""
        with self.plan.lock:
            if self._lose and self._pass:
                self._pass -= 1
                return False
            lost = self._lose > 0
            self._lose -= lost
            return lost


class _Line:
    """One connection of a client."""

    def __init__(
        self,
        proxy: PostgresProxy,
        fault: Fault | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
    ) -> None:
        self.proxy, self.fault = proxy, fault
        self.reader, self.writer, self.source, self.sink = reader, writer, source, sink
        self.losing = False

    async def carry(self) -> None:
        if not await self._begin():
            return
        ways = [asyncio.ensure_future(self._there()), asyncio.ensure_future(self._back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _begin(self) -> bool:
        """Startup messages have no type; a request for TLS or GSS is answered by one letter: not here."""
        while True:
            (size,) = struct.unpack("!i", await self.reader.readexactly(4))
            body = await self.reader.readexactly(size - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code in (80877103, 80877104):
                self.writer.write(b"N")
                await self.writer.drain()
                continue
            if self.proxy.full and code != 80877102:  # requests to cancel pass
                self.writer.write(b"E" + struct.pack("!i", len(FULL) + 4) + FULL)
                await self.writer.drain()
                return False
            self.sink.write(struct.pack("!i", size) + body)
            await self.sink.drain()
            return True

    async def _there(self) -> None:
        while True:
            kind, body = await _message(self.reader)
            if wait := self._late():
                await asyncio.sleep(wait)
            if COMMIT in body and kind in b"QP" and self.proxy.takes_commit():
                self.losing = True
            self.sink.write(kind + struct.pack("!i", len(body) + 4) + body)
            await self.sink.drain()

    def _late(self) -> float:
        own = self.fault.seconds if self.fault is not None and self.fault.does is Does.DELAY else 0.0
        return max(own, self.proxy.late) + self.proxy.plan.random.uniform(0, self.proxy.jitter)

    async def _back(self) -> None:
        while True:
            kind, body = await _message(self.source)
            if self.losing:
                if kind == FINISHED:  # it is in, and nobody will hear of it
                    self.proxy.lost += 1
                    reset(self.writer)
                    return
                continue
            self.writer.write(kind + struct.pack("!i", len(body) + 4) + body)
            await self.writer.drain()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
