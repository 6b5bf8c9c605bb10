"""Finding a free TCP port on the loopback address."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Collection

LOOPBACK = "127.0.0.1"
TRIES = 100


class NoFreePort(Exception):
    """No free port in the range that was tried."""


def is_taken(port: int, host: str = LOOPBACK) -> bool:
    """Whether something listens on the port, or we may not bind it."""
    # Connecting first: on macOS a bind to 127.0.0.1 succeeds beside a listener on 0.0.0.0.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((host, port)) == 0:
            return True
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections still in TIME_WAIT do not make the port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def any_free_port(host: str = LOOPBACK) -> int:
    """A port the system says is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def next_free(
    preferred: int,
    what: str,
    say: Callable[[str], None],
    host: str = LOOPBACK,
    avoid: Collection[int] = (),
) -> int:
    """The preferred port, or the next free one above it; a taken one is said."""
    for port in range(preferred, min(preferred + TRIES, 65536)):
        if port in avoid or is_taken(port, host):
            continue
        if port != preferred:
            say(f"port {preferred} is taken; {what} uses {port}")
        return port
    raise NoFreePort(f"No free port for {what} between {preferred} and {preferred + TRIES - 1} on {host}.")
