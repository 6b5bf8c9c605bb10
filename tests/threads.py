"""Several things at once, each on a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection


def at_once(call: Callable[[int], object], threads: int) -> list[object]:
    """Run `call(0)` to `call(threads - 1)` at once; returns each one's result or exception."""

    def run(number: int) -> object:
        try:
            return call(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
