"""Messages that nothing proves to be the remote's own: counted for each account, and kept from costing much.

Whoever knows an address can send to it. Each message is verified, so a genuine one always gets through; what is
throttled is what a refused one costs besides: after `PER_MINUTE` of an account in a minute this process neither logs
nor writes any more, and adds those up when the next one is written.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from django.db import connection

from integrations.hub.models import Account

log = logging.getLogger("weft.hub")

PER_MINUTE = 30
MINUTE = 60.0

_COUNT = """
INSERT INTO hub_hookrefusal AS r (account_id, times, last_reason) VALUES (%s, %s, %s)
ON CONFLICT (account_id) DO UPDATE
SET times = r.times + excluded.times, last_at = clock_timestamp(), last_reason = excluded.last_reason
"""


@dataclass
class _Window:
    """An account's refusals in this process: since when, how many, and how many of them are not written yet."""

    began: float
    times: int = 0
    unwritten: int = 0


_windows: dict[int, _Window] = {}
_lock = threading.Lock()


def count(account: Account, reason: str) -> bool:
    """Note one; True when there were too many in this minute, and it was only counted."""
    unwritten = _note(account.pk)
    if not unwritten:
        return True
    log.warning("refused %s message(s) to %s: %s", unwritten, account, reason)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [account.pk, unwritten, reason])
    return False


def _note(account_id: int) -> int:
    """How many are to be written now, this one included; 0: none now."""
    now = time.monotonic()
    with _lock:
        window = _windows.get(account_id)
        if window is None or now - window.began >= MINUTE:
            window = _windows[account_id] = _Window(now, unwritten=window.unwritten if window else 0)
        window.times += 1
        window.unwritten += 1
        if window.times > PER_MINUTE:
            return 0
        written, window.unwritten = window.unwritten, 0
        return written


def forget() -> None:
    """As after a restart."""
    with _lock:
        _windows.clear()
