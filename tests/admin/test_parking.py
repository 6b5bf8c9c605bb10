from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub.models import Account, AccountState, Attempt, Outgoing
from integrations.hub.sending import parking
from integrations.hub.values import Lane
from tests import factories


def row(account: Account, key: str, **fields: Any) -> Outgoing:
    values = {"parked_at": timezone.now(), "parked_reason": "why", "failures": 10, "crashes": 5, **fields}
    return Outgoing.objects.create(
        account=account, topic="t", key=key, subject="", lane=values.pop("lane", Lane.ORDERS), **values
    )


def retry() -> tuple[int, int]:
    result = parking.retry(Outgoing.objects.all())
    return result.retried, result.skipped


@pytest.mark.django_db
def test_a_parked_row_is_due_at_once_with_a_clean_slate() -> None:
    made = row(factories.account(), "1", next_at=timezone.now() + timedelta(hours=1))
    assert retry() == (1, 0)
    made.refresh_from_db()
    assert (made.parked_at, made.parked_reason, made.failures, made.crashes) == (None, "", 0, 0)
    assert made.next_at <= timezone.now()
    assert retry() == (0, 1)  # a second time there is nothing to do


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "retried"),
    [
        ({}, 1),
        ({"is_unknown": True}, 1),  # state is looked at before it is sent
        ({"is_command": True}, 1),
        ({"is_command": True, "is_unknown": True}, 0),
        ({"is_command": True, "expires_at": timezone.now() - timedelta(seconds=1)}, 0),
        ({"is_command": True, "expires_at": timezone.now() + timedelta(days=1)}, 1),
        ({"parked_at": None}, 0),
        ({"delivered": 1}, 0),
    ],
)
def test_what_is_retried(fields: dict[str, Any], retried: int) -> None:
    row(factories.account(), "1", **fields)
    assert retry() == (retried, 1 - retried)


@pytest.mark.django_db
@pytest.mark.parametrize(("is_command", "retried"), [(True, 0), (False, 1)])
def test_an_attempt_that_never_ended_is_an_unknown_outcome(is_command: bool, retried: int) -> None:
    made = row(factories.account(), "1", is_command=is_command)
    Attempt.objects.create(outgoing=made, lease_token="0" * 32, revision=1)
    assert retry() == (retried, 1 - retried)


@pytest.mark.django_db
def test_a_retired_account_is_left_alone() -> None:
    row(factories.account(state=AccountState.RETIRED), "1")
    assert retry() == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_for_each_lane() -> None:
    account = factories.account()
    row(account, "1")
    row(account, "2")
    row(account, "3", lane=Lane.MONEY)
    OrmQ.objects.all().delete()
    assert retry() == (3, 0)
    assert OrmQ.objects.count() == 2


@pytest.mark.django_db
def test_withdrawing_sets_aside_what_is_not_in_flight() -> None:
    account = factories.account()
    row(account, "waits", parked_at=None)
    row(account, "flies", parked_at=None, lease_until=timezone.now() + timedelta(minutes=1))
    row(account, "done", parked_at=None, delivered=1)
    assert parking.withdraw(account, "gone") == 1
    assert Outgoing.objects.get(parked_at__isnull=False).key == "waits"
