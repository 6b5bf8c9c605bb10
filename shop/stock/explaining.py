"""Which movement, which hold: what may have made a balance differ from the sum of its facts.

A balance and its facts are written by one statement, so a difference came from outside: somebody wrote to the database
by hand, or a part of it was restored. What it was can be guessed well: the single row that accounts for all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

SHOWN = 3  # candidates of each kind, newest first


@dataclass(frozen=True, slots=True)
class _Look:
    """A query for rows that account for `by` units of a SKU, and how to say one."""

    sql: str
    words: str


_UNRESERVED = _Look(
    """SELECT h.id, h.open, o.number, h.created_at FROM stock_hold h JOIN order_line l ON l.id = h.line_id
       JOIN order_order o ON o.id = l.order_id
       WHERE h.sku = %(sku)s AND h.open = %(by)s ORDER BY h.id DESC""",
    "hold {0} ({1} open, order {2}, {3:%Y-%m-%d %H:%M}) alone accounts for it: it is held and was not reserved, or it "
    "was closed in the pool only",
)
_UNRELEASED = _Look(
    """SELECT h.id, greatest(h.consumed, h.released), o.number, h.created_at FROM stock_hold h
       JOIN order_line l ON l.id = h.line_id JOIN order_order o ON o.id = l.order_id
       WHERE h.sku = %(sku)s AND %(by)s IN (h.consumed, h.released, h.consumed + h.released) ORDER BY h.id DESC""",
    "hold {0} ({1} shipped or released, order {2}, {3:%Y-%m-%d %H:%M}) alone accounts for it: it was closed and is "
    "still reserved",
)
_MOVED = """SELECT m.id, m.quantity, m.reason, m.document, m.actor, m.at FROM stock_movement m
    JOIN stock_warehouse w ON w.id = m.warehouse_id
    WHERE m.sku = %(sku)s AND w.code = %(place)s AND m.quantity = {} ORDER BY m.id DESC"""
_WORDS_MOVED = "movement {0} ({1:+d}, {2}, {3!r}, by {4!r}, {5:%Y-%m-%d %H:%M}) alone accounts for it: "
_UNAPPLIED = _Look(_MOVED.format("-(%(by)s)"), _WORDS_MOVED + "it is written and the level did not move")
_TWICE = _Look(_MOVED.format("%(by)s"), _WORDS_MOVED + "the level moved twice, or once and it was written by hand")
_LEVEL = _Look(
    """SELECT w.code, l.on_hand FROM stock_level l JOIN stock_warehouse w ON w.id = l.warehouse_id
       WHERE l.sku = %(sku)s AND abs(l.on_hand) = abs(%(by)s) ORDER BY w.code""",
    "the {1} units in {0} alone account for it: they count in one place and not in the other",
)
_SHARE = _Look(
    """SELECT a.name, s.escrow, s.shown, s.shown_at FROM stock_share s JOIN hub_account a ON a.id = s.channel_id
       WHERE s.sku = %(sku)s AND s.escrow > 0 ORDER BY a.name""",
    "{0} has {1} set aside (it was sent {2} last, at {3})",
)
_PUSH = _Look(
    """SELECT u.id, u.figure, a.name, u.started_at FROM stock_push u JOIN stock_share s ON s.id = u.share_id
       JOIN hub_account a ON a.id = s.channel_id
       WHERE s.sku = %(sku)s AND u.charged = abs(%(by)s) AND u.charged > 0 ORDER BY u.id DESC""",
    "push {0} (figure {1} to {2}, {3:%Y-%m-%d %H:%M}) alone accounts for it",
)
_PROMISES = _Look(
    """SELECT o.number, sum(h.open), max(h.created_at) FROM stock_hold h JOIN order_line l ON l.id = h.line_id
       JOIN order_order o ON o.id = l.order_id WHERE h.sku = %(sku)s AND h.open > 0
       GROUP BY o.number ORDER BY max(h.id) DESC""",
    "order {0} holds {1} (since {2:%Y-%m-%d %H:%M})",
)
_FELL = _Look(
    """SELECT m.id, m.quantity, m.reason, w.code, m.document, m.at FROM stock_movement m
       JOIN stock_warehouse w ON w.id = m.warehouse_id
       WHERE m.sku = %(sku)s AND m.quantity < 0 AND m.reason <> 'shipped' ORDER BY m.id DESC""",
    "movement {0} took {1} ({2}, {3}, {4!r}, {5:%Y-%m-%d %H:%M})",
)

# What each problem of I1 and I2 is looked up by.
LOOKS: dict[str, Callable[[int], tuple[_Look, ...]]] = {
    "reserved is not the sum of open holds": lambda by: (_UNRELEASED,) if by > 0 else (_UNRESERVED,),
    "on hand is not the sum of sellable shelves": lambda by: (_LEVEL,),
    "level is not the sum of its movements": lambda by: (_UNAPPLIED, _TWICE),
    "escrow is not the sum of the channels' shares": lambda by: (_SHARE, _PUSH),
    "more is promised than is there and known to be short": lambda by: (_FELL, _PROMISES),
    "shortage is not what is missing": lambda by: (_FELL, _PROMISES),
    "open shortage rows say something else": lambda by: (_FELL, _PROMISES),
    "held for an order that is over": lambda by: (_PROMISES,),
}


def explain(subject: str, problem: str, expected: str, found: str) -> list[str]:
    """What may have made this row of I1 or I2 wrong, newest first; empty where nothing of it is known."""
    of_level = problem.startswith("level ")
    sku, _, place = subject.rpartition(" @ ") if of_level else (subject, "", "")
    by = int(found) - int(expected) if _is_number(found) and _is_number(expected) else 0
    values = {"sku": sku, "place": place, "by": by if of_level else abs(by)}
    return [line for look in LOOKS.get(problem, _nothing)(by) for line in _said(look, values)]


def _nothing(by: int) -> tuple[_Look, ...]:
    return ()


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _said(look: _Look, values: dict[str, Any]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"{look.sql} LIMIT {SHOWN}", values)
        return [look.words.format(*map(_local, row)) for row in cursor.fetchall()]


def _local(value: Any) -> Any:
    return timezone.localtime(value) if isinstance(value, datetime) else value
