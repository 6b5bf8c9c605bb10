"""Doing nothing costs next to nothing: one statement asks everything, and only what has work is started."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub import tasks
from integrations.hub.health import alarms
from integrations.hub.health import tasks as health
from integrations.hub.models import Account, AccountState, Outgoing, Pulse
from integrations.hub.workers import beats
from integrations.hub.workers.supervisor import Cluster, Supervisor
from shop.order import lifecycle
from shop.stock.models import Channel
from tests import factories

pytestmark = pytest.mark.django_db

ALWAYS = {"hub.pulse", "hub.pulse.urgent", "hub.health", "hub.purge", "channels.by-date", "channels.demand",
          "shop.tokens"}  # fmt: skip


def ours(found: CaptureQueriesContext) -> list[str]:
    """Not the savepoints of a test: outside one they are a BEGIN and a COMMIT."""
    skipped = ("SAVEPOINT", "RELEASE")
    said = [each["sql"] for each in found.captured_queries]
    return [sql for sql in said if "django_q" not in sql and not sql.startswith(skipped)]


def at_work() -> set[str]:
    with CaptureQueriesContext(connection) as found:
        names = {beat.name for beat in beats.with_work(beats.registered()) if not beat.name.startswith("test.")}
    assert len(found) == 1
    return names - ALWAYS


def test_a_minute_of_nothing_is_ten_statements() -> None:
    """Asked four times, two signs of life, one look at how everything stands: at most 12 a minute are allowed."""
    with CaptureQueriesContext(connection) as found:
        for _ in range(4):
            beats.with_work(beats.registered())
        tasks.pulse("weft")
        tasks.pulse("weft-urgent")
        health.look()
    assert len(ours(found)) <= 10


def test_an_idle_supervisor_asks_once() -> None:
    watch = Supervisor(clusters=[])
    watch._beat()
    assert {one.func() for one in OrmQ.objects.all()} >= {"integrations.hub.tasks.pulse"}
    OrmQ.objects.all().delete()
    watch._next_beat = {name: at for name, at in watch._next_beat.items() if name not in ("hub.sweep", "erp.poll")}
    with CaptureQueriesContext(connection) as found:
        watch._next_ask = 0.0
        watch._ask()
        watch._ask()
    assert len(ours(found)) == 1
    assert not OrmQ.objects.exists()


def test_nothing_has_work_where_there_is_none() -> None:
    assert at_work() == set()


@pytest.mark.parametrize("kind", ["erp", "channel"])
def test_an_account_is_read(kind: str) -> None:
    account = factories.account(kind, "tryton" if kind == "erp" else "market")
    if kind == "channel":
        Channel.objects.get_or_create(account=account)
    expected = {"erp": {"erp.poll", "erp.missing"}, "channel": {"channels.poll", "channels.rebalance"}}[kind]
    assert at_work() >= expected


def test_each_kind_of_work_starts_its_beat() -> None:
    factories.china()
    factories.product()
    factories.stock(SZ=5)
    erp = factories.account("erp", "tryton", name="Tryton")
    idle = at_work()
    order = factories.order()
    assert at_work() == idle
    order.payment_deadline = timezone.now() - timedelta(seconds=1)
    order.save()
    assert at_work() - idle == {"shop.expire"}
    order.payment_deadline = timezone.now() + timedelta(hours=1)
    order.save()
    lifecycle.confirm_payment(order.number, actor="test")
    assert at_work() - idle == {"hub.sweep"}
    Outgoing.objects.update(next_at=timezone.now() + timedelta(hours=1))
    assert at_work() == idle
    Outgoing.objects.update(is_unconfirmed=True, delivered_at=timezone.now())
    assert at_work() - idle == {"hub.confirm"}
    Outgoing.objects.update(is_unconfirmed=False)
    type(order).objects.update(status="cancelling")
    assert at_work() - idle == {"shop.cancel"}
    Account.objects.filter(pk=erp.pk).update(state=AccountState.STARTING, settings={"url": "x"})
    assert "hub.accounts" in at_work()


def test_the_other_cluster_looks_where_the_main_one_is_silent() -> None:
    Pulse.objects.create(cluster="weft", host="a")
    assert at_work() == set()
    Pulse.objects.update(beaten_at=timezone.now() - timedelta(seconds=200))
    assert at_work() == {"hub.health.urgent"}


def test_a_cluster_that_never_gives_a_sign_of_life_is_an_alarm() -> None:
    watch = Supervisor(clusters=[Cluster("weft"), Cluster("weft-urgent")])
    watch._announce()
    tasks.pulse("weft")
    assert list(alarms.silent_clusters()) == []
    Pulse.objects.filter(host="").update(beaten_at=timezone.now() - timedelta(seconds=200))
    watch._announce()
    (silent,) = alarms.silent_clusters()
    assert silent.subject == "weft-urgent"
