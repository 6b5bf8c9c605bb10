"""Known mistakes, put back on purpose. What does not catch them is no proof. Of each: what rule forbids it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from integrations.channels.providers import market
from integrations.hub import http, outgoing
from integrations.hub.errors import TryAgain
from integrations.hub.http import Reply
from integrations.hub.sending import outcomes

Patch = pytest.MonkeyPatch


def rewritten(sql: str, old: str, new: str) -> str:
    assert old in sql, old  # else the mistake is not there, and nothing is proven
    return sql.replace(old, new)


def lost_lease_ignored(patch: Patch) -> None:
    """Settled without asking whose lease it is: what another worker settled already is settled again."""
    patch.setattr(
        outcomes, "_SETTLE", rewritten(outcomes._SETTLE, "o.lease_token = %s", "(o.lease_token = %s OR true)")
    )


def swallowed_timeout(patch: Patch) -> None:
    """No answer is taken for a failure: it is sent again without a look."""

    def failed(message: str, writes: bool) -> Reply:
        raise TryAgain(message) from None

    patch.setattr(http, "_perhaps_sent", failed)


def followed_redirects(patch: Patch) -> None:
    """A remote that may be called says where to go on, and we do."""
    make = http.Manager.get_session

    def session(self: Any) -> Any:
        made = make(self)
        made._config = http.Config(
            default_timeout=(10, 30), never_redirect=False, ip_filter_enable=False, ip_filter_allow_loopback_ips=False
        )
        request = made.request
        made.request = lambda *args, **more: request(*args, **{**more, "allow_redirects": True})
        return made

    patch.setattr(http.Manager, "get_session", session)


def float_money(patch: Patch) -> None:
    """An amount passes through a float on its way in."""
    right = market._order

    def floated(told: Any) -> Any:
        for line in told["lines"]:
            line["price"] = repr(float(line["price"]) * 1.1 / 1.1 + 1e-10)
        return right(told)

    patch.setattr(market, "_order", floated)
    patch.setattr("shop.channels.sales.quantise", lambda amount, currency: Decimal(amount))


def unsorted_locks(patch: Patch) -> None:
    """Rows are locked in the order of the wishes."""
    sort = 'ORDER BY w.account_id, w.topic COLLATE "C", w.key COLLATE "C"'
    patch.setattr(outgoing, "_UPSERT", rewritten(outgoing._UPSERT, sort, ""))


def enqueued_outside(patch: Patch) -> None:
    """The wish is written after the effect was committed."""

    @contextlib.contextmanager
    def recording() -> Iterator[None]:
        wishes: dict[Any, Any] = {}
        token = outgoing._wishes.set(wishes)
        try:
            with transaction.atomic(durable=True):
                yield
            with transaction.atomic(durable=True):
                outgoing._write(wishes)
        finally:
            outgoing._wishes.reset(token)

    patch.setattr(outgoing, "recording", recording)
