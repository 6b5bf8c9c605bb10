"""What workers run for the shop. Every task is idempotent and may run twice at once."""

from __future__ import annotations

from shop.order import lifecycle


def expire_overdue() -> int:
    """Expire unpaid orders whose deadline has passed; their goods are free again."""
    return lifecycle.expire_overdue()


def finish_cancellations() -> int:
    """Finish cancellations that a crash left half-way."""
    return lifecycle.finish_cancellations()
