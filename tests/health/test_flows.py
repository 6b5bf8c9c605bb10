"""How old each flow is said to be, and what it costs to say so."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.health import flows, objectives, readers
from integrations.hub.health.flows import Flow
from integrations.hub.health.readers import Reader
from integrations.hub.models import Account, AccountState, Cursor, Incoming, Outgoing, Pause
from integrations.hub.sending import parking
from integrations.hub.values import Lane, NotReady
from tests import factories
from tests.health.conftest import wait
from tests.hub.conftest import later, send_due
from tests.hub.probe import Thing
from tests.hub.remote import Remote
from tests.statements import counted, same

pytestmark = pytest.mark.django_db


def wish(*keys: str, topic: str = "test.thing") -> None:
    with outgoing.recording():
        outgoing.ensure(topic, keys)


def of(account: Account, name: str = "test.thing") -> Flow:
    (found,) = [flow for flow in flows.measure() if flow.account.id == account.pk and flow.name == name]
    return found


def test_an_idle_flow_is_there_with_the_objective_its_topic_declares(account: Account) -> None:
    flow = of(account)
    assert (flow.age, flow.waiting, flow.objective, flow.own_objective) == (0, 0, 300, False)


def test_the_oldest_wish_that_was_not_met_counts(account: Account) -> None:
    wish("a")
    wait(100)
    wish("b")
    assert of(account).age == pytest.approx(100, abs=5)
    assert of(account).waiting == 2
    send_due(account)
    assert (of(account).age, of(account).waiting) == (0, 0)


def test_a_new_wish_for_an_old_row_is_as_old_as_the_wish(account: Account) -> None:
    """The row was made, and was due, long ago; the remote has been behind for a moment only."""
    wish("a")
    send_due(account)
    wait(86400)
    wish("a")
    assert of(account).age < 5
    wait(50)
    wish("a")  # wished for once more before it was met: the first of the two is what waits
    assert of(account).age == pytest.approx(50, abs=5)


def test_what_is_wished_again_and_again_and_sent_each_time_is_never_old(account: Account) -> None:
    """Met only in part at each delivery, as one more wish came while it was under way."""
    wish("a")
    for _ in range(3):
        wait(100)
        Outgoing.objects.update(wanted=9, delivered=8, delivered_at=timezone.now())
    assert of(account).age < 5


def test_waiting_on_purpose_is_no_delay(account: Account) -> None:
    Thing.wanted.docs["b"] = NotReady("test.bill", "b")
    wish("b")
    send_due(account)
    wish("later", "parked")
    Outgoing.objects.filter(key="later").update(next_at=timezone.now() + timedelta(hours=1))
    Outgoing.objects.filter(key="parked").update(parked_at=timezone.now())
    wait(1000)
    Outgoing.objects.filter(key="later").update(next_at=timezone.now() + timedelta(hours=1))
    flow = of(account)
    assert (flow.age, flow.waiting, flow.parked) == (0, 2, 1)
    Outgoing.objects.filter(key="later").update(next_at=timezone.now() - timedelta(seconds=7))
    assert of(account).age == pytest.approx(7, abs=5), "once its moment has come, it counts from there"


def test_a_retried_row_counts_from_the_retry(account: Account) -> None:
    wish("a")
    Outgoing.objects.update(parked_at=timezone.now())
    wait(5000)
    parking.retry(Outgoing.objects.all())
    assert of(account).age < 5


@pytest.mark.parametrize("state", [AccountState.PAUSED, AccountState.STARTING])
def test_a_paused_account_is_late(account: Account, state: str) -> None:
    wish("a")
    Account.objects.update(state=state)
    wait(400)
    assert of(account).is_late


def test_a_row_that_fails_is_late_however_long_it_backs_off(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", "503")
    wish("a")
    wait(400)
    send_due(account)
    row = Outgoing.objects.get()
    assert row.failures == 1 and row.next_at > timezone.now()
    flow = of(account)
    assert flow.is_late and flow.failing == 1


def test_an_account_that_refuses_is_late_though_its_rows_are_put_off(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", "502", "502", "502")
    wish("a")
    for _ in range(3):
        wait(200)
        later()
        send_due(account)
    flow = of(account)
    assert flow.is_late and flow.age == pytest.approx(600, abs=10)
    assert flow.rest and flow.rest.reason == "Closed for today."
    Pause.objects.all().delete()


def test_a_little_more_than_the_objective_is_not_late(account: Account) -> None:
    wish("a")
    wait(305)
    assert not of(account).is_late
    wait(40)
    assert of(account).is_late


def test_staff_set_an_objective_for_one_account(account: Account) -> None:
    other = factories.account("probe", "probe")
    objectives.change(account, "test.thing", 30, by="staff:a")
    assert (of(account).objective, of(account).own_objective) == (30, True)
    assert of(other).objective == 300
    objectives.change(account, "test.thing", None, by="staff:a")
    assert (of(account).objective, of(account).own_objective) == (300, False)


def test_what_is_read_is_as_old_as_its_last_reading(account: Account) -> None:
    readers.register(Reader("probe", "news", "news", timedelta(seconds=60)))
    try:
        assert not [flow for flow in flows.measure() if flow.name == "read:news"], "nobody reads it"
        Cursor.objects.create(account=account, name="news", read_at=timezone.now() - timedelta(seconds=90))
        Cursor.objects.create(account=account, name="unknown")
        flow = of(account, "read:news")
        assert flow.is_late and flow.is_read and flow.objective == 60
        assert flow.age == pytest.approx(90, abs=5)
        assert not [flow for flow in flows.measure() if flow.name == "read:unknown"]
        Cursor.objects.filter(name="news").update(read_at=None)
        Account.objects.update(active_since=timezone.now() - timedelta(seconds=500))
        assert of(account, "read:news").age == pytest.approx(500, abs=5), "never read since it works"
    finally:
        readers._readers.pop(("probe", "read:news"))


def test_accounts_that_are_retired_or_only_announced_are_left_out(account: Account) -> None:
    wish("a")
    Account.objects.update(state=AccountState.RETIRED)
    factories.account("probe", "probe", state=AccountState.STARTING, settings={})
    assert flows.measure() == []


@pytest.mark.django_db(transaction=True)
def test_one_statement_however_many_accounts_topics_and_delivered_rows(account: Account) -> None:
    with counted("one account") as few:
        flows.measure()
    for _ in range(20):
        factories.account("probe", "probe")
    wish("a", "b", "c")
    with counted("twenty more") as many:
        assert len(flows.measure()) > 100
    same(few, many)
    assert len(many) == 1


def test_what_was_delivered_is_not_read(account: Account) -> None:
    """The plan names the partial indices and no other way into the table."""
    Outgoing.objects.bulk_create(
        Outgoing(account=account, topic="test.thing", key=f"k{n}", subject="x", lane=Lane.STOCK, wanted=1,
                 delivered=0 if n < 30 else 1, parked_at=timezone.now() if n < 10 else None,
                 waits_topic="t" if 10 <= n < 20 else "", waits_key="k" if 10 <= n < 20 else "",
                 delivered_at=None if n < 30 else timezone.now())
        for n in range(5000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hub_outgoing")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {flows.MEASURE}", [AccountState.RETIRED, AccountState.STARTING])
        (told,) = cursor.fetchone()
    nodes = list(_nodes((json.loads(told) if isinstance(told, str) else told)[0]["Plan"]))
    ways = {node.get("Index Name") for node in nodes if "outgoing" in json.dumps(node.get("Index Name"))}
    assert ways == {"outgoing_due", "outgoing_waiting", "outgoing_parked"}
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "hub_outgoing"]
    read = [node["Actual Rows"] for node in nodes if node.get("Index Name") in ways]
    assert sum(read) <= 500, read  # what earlier tests left behind is counted as well


def test_what_came_in_is_a_flow(account: Account) -> None:
    """From when it was received; what is parked is counted, and what was heeded costs nothing."""
    received = timezone.now() - timedelta(seconds=90)
    for number, fields in enumerate(
        [{}, {"failures": 2}, {"parked_at": timezone.now()}, {"done_at": timezone.now()}, {"next_at": later_than_now()}]
    ):
        Incoming.objects.create(
            account=account, dedupe=str(number), event=str(number), digest="", lane=Lane.MONEY, received_at=received,
            **{"next_at": received, **fields},
        )  # fmt: skip
    flow = of(account, flows.HEARD)
    assert (flow.waiting, flow.failing, flow.parked, flow.objective) == (3, 1, 1, 60)
    assert flow.age == pytest.approx(90, abs=5)
    assert flow.is_late
    assert flow.label
    Incoming.objects.update(done_at=timezone.now(), parked_at=None)
    assert not [flow for flow in flows.measure() if flow.name == flows.HEARD]


def later_than_now() -> datetime:
    return timezone.now() + timedelta(hours=1)


def _nodes(plan: dict) -> object:  # type: ignore[type-arg]
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)
