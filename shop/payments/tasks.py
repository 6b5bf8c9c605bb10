"""What workers run for payments. Every task is idempotent and may run twice at once."""

from __future__ import annotations

from shop.payments import flow, strays, watching


def look() -> int:
    """Ask providers about payments that are not finished."""
    return watching.look_due()


def close_overdue() -> int:
    """Have payments closed of orders whose time to pay is over."""
    return watching.close_overdue()


def advance() -> int:
    """Tell orders of the money that is here."""
    return flow.advance_due()


def recheck() -> int:
    """Look again at money without an order."""
    return strays.recheck()
