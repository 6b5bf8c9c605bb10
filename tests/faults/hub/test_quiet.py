"""I11: each way in which work can be forgotten is seen, and every reason to wait is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from integrations.hub import clock
from integrations.hub.models import Account, Outgoing, Pause
from integrations.hub.sending import claims
from shop import invariants
from shop.quiet import I11
from tests.faults.hub.conftest import errand, wish

pytestmark = pytest.mark.django_db


def found() -> list[tuple[str, str]]:
    return [(row.subject.split(": ")[1], row.problem) for row in invariants.broken(I11)]


def ago(minutes: float) -> object:
    return clock.now() - timedelta(minutes=minutes)


@pytest.fixture
def forgotten(account: Account) -> Account:
    wish("a")
    Outgoing.objects.update(next_at=ago(16))
    return account


def test_due_for_long_is_seen(forgotten: Account) -> None:
    assert found() == [("test.thing a", "due, and nothing keeps it from being sent")]
    Outgoing.objects.update(next_at=ago(14))
    assert found() == []


REASONS: dict[str, Callable[[Account], object]] = {
    "next try to come": lambda account: Outgoing.objects.update(next_at=ago(-5)),
    "delivered": lambda account: Outgoing.objects.update(delivered=1),
    "parked": lambda account: Outgoing.objects.update(parked_at=ago(16)),
    "operation paused": lambda account: Pause.objects.create(account=account, topic="test.thing", until=ago(-5)),
    "account paused": lambda account: Pause.objects.create(account=account, until=ago(-5)),
    "stopped by staff": lambda account: Account.objects.update(state="paused"),
}


@pytest.mark.parametrize("why", REASONS)
def test_a_reason_is_a_reason(forgotten: Account, why: str) -> None:
    REASONS[why](forgotten)
    assert found() == []


def test_a_pause_that_is_over_is_none(forgotten: Account) -> None:
    Pause.objects.create(account=forgotten, until=ago(1))
    Pause.objects.create(account=forgotten, topic="test.bill", until=ago(-5))
    assert len(found()) == 1


def test_who_stands_behind_another_of_its_serial_has_a_reason(account: Account) -> None:
    errand(account, "first", "second")
    Outgoing.objects.update(serial="refund:1", next_at=ago(16))
    assert [subject for subject, _ in found()] == ["test.look first"]


def test_waiting_for_what_is_done_is_seen(account: Account) -> None:
    wish("a")
    wish("bill", topic="test.bill")
    Outgoing.objects.filter(key="bill").update(waits_topic="test.thing", waits_key="a")
    assert found() == []
    Outgoing.objects.filter(key="a").update(delivered=1)
    assert found() == [("test.bill bill", "waits for what is not under way")]


def test_a_lease_that_nobody_gave_back_is_seen(account: Account) -> None:
    wish("a")
    assert claims.claim(account.pk, [4])
    assert found() == []
    Outgoing.objects.update(lease_until=ago(2))
    assert found() == [("test.thing a", "leased for longer than twice a lease")]


@pytest.mark.django_db(transaction=True)
def test_the_command_asks_for_it_only_when_told_to(forgotten: Account) -> None:
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert "I11" not in out.getvalue()
    with pytest.raises(SystemExit) as end:
        call_command("check_invariants", "--quiet-time", stdout=out)
    assert end.value.code == 1 and "I11  BROKEN" in out.getvalue()
