"""A bad line: a proxy on loopback, in a thread of its own, that does to what passes what networks do.

    with HttpProxy(remote.port, seed=7) as line:
        line.next(Fault(Does.LOSE))              # the next request is done, its answer lost
        line.sometimes(0.3, ANSWERS_500, BUSY)   # and of all others 3 in 10, which of them by the seed
        line.heal()                              # from now on nothing
        line.hit                                 # what was done to which request

Nothing is known here of what is carried; `postgres.py` is the same for the language of PostgreSQL. What is drawn comes
from the seed; how threads and processes interleave does not.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

LOOPBACK = "127.0.0.1"
GONE = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)


class Does(StrEnum):
    """What is done to one request (or, where PostgreSQL is spoken, to one connection)."""

    DELAY = "carried late"
    DROP = "the connection is closed before anything is carried"
    RESET = "the connection is reset in the middle of the answer"
    HALF_CLOSE = "the answer ends in the middle, as if that were all"
    SLOW = "the answer comes drop by drop"
    HOLE = "nothing is carried, nothing is answered"
    CORRUPT = "a byte of the answer is another one"
    TWICE = "the request is carried twice"
    ANSWER = "the proxy answers by itself"
    LOSE = "carried and done; the answer is dropped and the connection reset"


@dataclass(frozen=True, slots=True)
class Fault:
    """`seconds`: of a delay (up to `jitter` more) or of a hole. `rate`: bytes a second. `status` and `headers`: of an
    answer of the proxy's own."""

    does: Does
    seconds: float = 0.0
    jitter: float = 0.0
    rate: int = 100
    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        more = f" {self.status}" if self.does is Does.ANSWER else f" by {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.does}{more}"


def answers(status: int, **headers: str) -> Fault:
    """The proxy answers with this status; `retry_after="7"` is the header Retry-After."""
    named = tuple((name.replace("_", "-").title(), value) for name, value in headers.items())
    return Fault(Does.ANSWER, status=status, headers=named)


@dataclass
class Plan:
    """What happens to the next ones, one after another; then to all; else to some, by the seed. Thread-safe."""

    seed: int
    waiting: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    rate: float = 0.0
    some: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.lock = threading.Lock()

    def draw(self) -> Fault | None:
        with self.lock:
            if self.waiting:
                return self.waiting.popleft()
            if self.always:
                return self.always
            return self.random.choice(self.some) if self.some and self.random.random() < self.rate else None


class Proxy:
    """Listens on `port`, in front of `target` on this machine. A context manager; `close` ends all that it carries."""

    def __init__(self, target: int, seed: int = 0) -> None:
        self.target, self.plan = target, Plan(seed)
        self.hit: list[tuple[str, Fault]] = []
        self.carried = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()
        self.port = 0

    # --- control -----------------------------------------------------------------------------------------------------

    def next(self, *faults: Fault) -> None:
        """What happens to the next ones, in this order."""
        with self.plan.lock:
            self.plan.waiting.extend(faults)

    def always(self, fault: Fault) -> None:
        """What happens to every one, until `heal`."""
        with self.plan.lock:
            self.plan.always = fault

    def sometimes(self, rate: float, *faults: Fault) -> None:
        """What happens to this share of all, until `heal`; which of them by the seed."""
        with self.plan.lock:
            self.plan.rate, self.plan.some = rate, faults

    def heal(self) -> None:
        """From now on everything is carried as it is."""
        with self.plan.lock:
            self.plan.waiting.clear()
            self.plan.always, self.plan.some = None, ()

    def cut_all(self) -> int:
        """Reset every connection that is open now; returns how many."""
        open_now = len(self._tasks)
        self._loop.call_soon_threadsafe(self._cancel)
        return open_now

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(10), "the proxy did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # --- its own thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, LOOPBACK, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = list(self._tasks)
        self._cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except GONE:
            reset(writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    async def _upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.carried += 1
        return await asyncio.open_connection(LOOPBACK, self.target)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST: what was not read yet is gone."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class HttpProxy(Proxy):
    """One request on each connection: it is read whole, carried, and its answer given back."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _request(reader)
        fault = self.plan.draw()
        if fault is None:
            await self._carry(request, writer)
            return
        self.hit.append((request.split(b" HTTP", 1)[0].decode("latin-1"), fault))
        await self._spoil(fault, request, reader, writer)

    async def _spoil(
        self, fault: Fault, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match fault.does:
            case Does.DELAY:
                await asyncio.sleep(fault.seconds + self.plan.random.uniform(0, fault.jitter))
                await self._carry(request, writer)
            case Does.DROP:
                reset(writer)
            case Does.HOLE:
                await _or_gone(asyncio.sleep(fault.seconds or 3600), reader)
                reset(writer)
            case Does.ANSWER:
                writer.write(_own_answer(fault))
                await writer.drain()
            case Does.TWICE:
                await self._answer_of(request)
                await self._carry(request, writer)
            case Does.LOSE:
                await self._answer_of(request)
                reset(writer)
            case _:
                await self._spoil_answer(fault, await self._answer_of(request), reader, writer)

    async def _spoil_answer(
        self, fault: Fault, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        half = head + b"\r\n\r\n" + body[: len(body) // 2]
        if fault.does is Does.CORRUPT and body:
            place = self.plan.random.randrange(len(body))
            answer = head + b"\r\n\r\n" + body[:place] + bytes([body[place] ^ 0x55]) + body[place + 1 :]
        if fault.does in (Does.RESET, Does.HALF_CLOSE):
            writer.write(half)
            await writer.drain()
            if fault.does is Does.RESET:
                await asyncio.sleep(0.05)  # else the half that was sent is lost with the rest
                reset(writer)
        elif fault.does is Does.SLOW:
            await _or_gone(_drip(answer, fault.rate, writer), reader)
        else:
            writer.write(answer)
            await writer.drain()

    async def _carry(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        source, sink = await self._upstream()
        try:
            sink.write(request)
            await sink.drain()
            while chunk := await source.read(65536):
                writer.write(chunk)
                await writer.drain()
        finally:
            sink.close()

    async def _answer_of(self, request: bytes) -> bytes:
        source, sink = await self._upstream()
        try:
            sink.write(request)
            await sink.drain()
            return await source.read(-1)
        finally:
            sink.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """A whole request; the remote is told that the connection ends with it."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    size = next((int(v) for k, _, v in (x.partition(b":") for x in lines[1:]) if k.lower() == b"content-length"), 0)
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]) + await reader.readexactly(size)


def _own_answer(fault: Fault) -> bytes:
    named = "".join(f"{name}: {value}\r\n" for name, value in fault.headers)
    body = f"the proxy says {fault.status}"
    head = f"HTTP/1.1 {fault.status} Fault\r\n{named}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


async def _drip(answer: bytes, rate: int, writer: asyncio.StreamWriter) -> None:
    piece = max(1, rate // 10)
    for at in range(0, len(answer), piece):
        writer.write(answer[at : at + piece])
        await writer.drain()
        await asyncio.sleep(piece / rate)


async def _or_gone(work: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Do it until it is done or the client has gone."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(reader.read(1))]
    _, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
