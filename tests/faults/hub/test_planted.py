"""Each known mistake, put back: a short story in which it does harm, and the check that sees it.

Without the mistake the story ends well. None is caught by luck: the story leads to the harm in every run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import OperationalError, connection, transaction

from integrations.hub import outgoing
from integrations.hub.models import Account, Outgoing
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from integrations.sandbox.market import Site
from shop import invariants
from shop.channels import orders
from shop.order.models import Order
from shop.stock.models import Channel
from tests import factories
from tests.channels.conftest import channel, settle, share, site
from tests.faults.hub import business, planted
from tests.faults.hub.conftest import pass_time
from tests.faults.hub.planted import rewritten
from tests.faults.hub.test_private import Listener, listener, redirected
from tests.hub.conftest import Worker
from tests.hub.remote import Remote
from tests.threads import at_once

__all__ = ["channel", "listener", "site"]
pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("is_planted", [False, True], ids=["right", "planted"])


@pytest.fixture
def hub(account: Account, remote: Remote, settings: Any) -> Account:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    remote.dedupes = False
    business.found()
    business.register()
    return account


@BOTH
def test_a_lost_lease_ignored(hub: Account, remote: Remote, monkeypatch, is_planted: bool) -> None:  # type: ignore[no-untyped-def]
    """A worker stands still after the wire until another has looked and settled; then it goes on."""
    if is_planted:
        planted.lost_lease_ignored(monkeypatch)
    business.order("fault.look", hub, ["refund"])
    worker = Worker(Lane.MONEY, at="after the wire", how="SIGSTOP", lease=90)
    worker.stopped()
    pass_time(3600)
    assert drains.drain(Lane.MONEY) == 1
    worker.go_on()
    assert worker.ended() == 0
    assert remote.errands == {"refund": 1}
    assert (business.news() == {(hub.pk, "fault.look", "refund"): 1}) is not is_planted


@BOTH
def test_a_time_out_swallowed_as_a_failure(hub: Account, remote: Remote, monkeypatch, is_planted: bool) -> None:  # type: ignore[no-untyped-def]
    if is_planted:
        planted.swallowed_timeout(monkeypatch)
    business.order("fault.look", hub, ["refund"])
    remote.misbehave("/errands/refund", "done, then cut")
    for _ in range(3):
        drains.drain(Lane.MONEY)
        pass_time(3600)
    assert remote.errands == {"refund": 2 if is_planted else 1}


@BOTH
def test_redirects_followed(remote: Remote, listener: Listener, monkeypatch, is_planted: bool) -> None:  # type: ignore[no-untyped-def]
    if is_planted:
        planted.followed_redirects(monkeypatch)
    caller = threading.Thread(target=lambda: redirected(remote, listener), daemon=True)
    caller.start()
    caller.join(10)
    assert listener.was_called() is is_planted


@BOTH
def test_money_as_a_float(channel: Channel, site: Site, settings: Any, monkeypatch, is_planted: bool) -> None:  # type: ignore[no-untyped-def]
    if is_planted:
        planted.float_money(monkeypatch)
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True
    factories.china()
    factories.product()
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    site.market.prices["CHAIR-1"] = "19.99"
    site.market.buy("CHAIR-1", 3)
    with suppress(Exception):
        orders.poll(channel)
    money = next(each for each in invariants.registered() if each.id == "I4")
    taken = list(Order.objects.values_list("total_incl_tax", flat=True))
    assert (invariants.broken(money) == [] and taken == [Decimal("59.97")]) is not is_planted, (
        invariants.broken(money),
        taken,
    )


@BOTH
def test_locks_without_an_order(hub: Account, monkeypatch, is_planted: bool) -> None:  # type: ignore[no-untyped-def]
    """Two transactions wish for the same two things, each beginning with another. Between two rows each sleeps long
    enough for the other to have the one it needs: who does not sort meets a deadlock, each time."""
    business.change(["a", "b"])
    if is_planted:
        planted.unsorted_locks(monkeypatch)
    slow = rewritten(outgoing._UPSERT, "SELECT w.account_id,", "SELECT w.account_id + 0 * length(pg_sleep(0.3)::text),")
    monkeypatch.setattr(outgoing, "_UPSERT", slow)
    meet = threading.Barrier(2)

    def wish(number: int) -> None:
        with outgoing.recording():
            for key in ("ab", "ba")[number]:
                outgoing.ensure("fault.thing", [key])
            connection.ensure_connection()
            meet.wait(20)

    errors = [r for r in at_once(wish, 2) if r is not None]
    assert all(isinstance(error, OperationalError) and "deadlock" in str(error) for error in errors)
    assert bool(errors) is is_planted


@BOTH
def test_a_wish_written_outside_the_transaction(hub: Account, monkeypatch, is_planted: bool) -> None:  # type: ignore[no-untyped-def]
    """The process dies as soon as its first transaction is in."""
    if is_planted:
        planted.enqueued_outside(monkeypatch)
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            _change_and_die()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert business.versions() == {"a": 1}, "the effect is in"
    wished = set(Outgoing.objects.values_list("key", flat=True))
    assert (wished == {"a"}) is not is_planted, "each effect has its wish"


def _change_and_die() -> None:
    with outgoing.recording():
        with connection.cursor() as cursor:
            cursor.execute(business.CHANGE, [["a"]])
        outgoing.ensure("fault.thing", ["a"])
        transaction.on_commit(business._die)


CLUSTERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "failures acknowledged": lambda q: q.update(ack_failures=True),
    "failures acknowledged in the urgent one": lambda q: next(iter(q["ALT_CLUSTERS"].values())).update(
        ack_failures=True
    ),
    "attempts counted": lambda q: q.update(max_attempts=3),
    "retried while it runs": lambda q: q.update(retry=60),
    "results kept": lambda q: q.update(save_limit=250),
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_queue_that_forgets(settings: Any, name: str) -> None:
    """django-q2 drops a task that raised, if it is told to: `manage.py check` refuses such settings."""
    assert [m for m in run_checks() if m.id == "weft.E002"] == []
    wrong = deepcopy(settings.Q_CLUSTER)
    CLUSTERS[name](wrong)
    settings.Q_CLUSTER = wrong
    assert [m.id for m in run_checks() if m.id == "weft.E002"] == ["weft.E002"]
