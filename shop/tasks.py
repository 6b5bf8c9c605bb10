"""What workers run for the shop. Every task is idempotent and may run twice at once."""

from __future__ import annotations

from shop.api.models import AccessToken
from shop.fulfilment import filling
from shop.order import lifecycle


def expire_overdue() -> int:
    """Expire unpaid orders whose deadline has passed; their goods are free again."""
    return lifecycle.expire_overdue()


def finish_cancellations() -> int:
    """Finish cancellations that a crash left half-way."""
    return lifecycle.finish_cancellations()


def fill_waiting() -> int:
    """Give goods that have arrived to the orders that wait for them."""
    return filling.fill_waiting()


def prune_tokens() -> int:
    """Remove access tokens that have expired."""
    return AccessToken.prune()
