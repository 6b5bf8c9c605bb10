"""An account's life: one identity, credentials that are checked when they change, and what outlives it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.hub import accounts, outgoing
from integrations.hub.models import Account, AccountState, Outgoing, Pause
from integrations.hub.sending import claims
from integrations.hub.values import Lane
from tests import factories
from tests.hub.conftest import send_due
from tests.hub.probe import Errand, Probe
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db


def connect(remote: Remote, **settings: str) -> Account:
    return accounts.connect("probe", "probe", "one", {"url": remote.url, "shop": "S-1", **settings})


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "identity", ("shop",))


def wish(*keys: str) -> None:
    with outgoing.recording():
        outgoing.ensure("test.thing", keys)


@pytest.mark.usefixtures("known")
def test_another_merchant_is_another_account(remote: Remote) -> None:
    account = connect(remote)
    connect(remote, shop="S-2")  # a slip of the pen: nothing was done with it yet
    accounts.check(account)
    with pytest.raises(accounts.IdentityFixed, match="shop"):
        connect(remote, shop="S-3")
    account.refresh_from_db()
    assert account.settings["shop"] == "S-2"
    connect(remote, shop="S-2", token="new")
    account.refresh_from_db()
    assert account.credentials == {"token": "new"}


def test_a_new_credential_is_checked_and_everything_is_due_then(remote: Remote) -> None:
    account = connect(remote)
    assert accounts.check(account)
    wish("a", "b")
    remote.misbehave("/things/a", "401")
    assert send_due(account) == 0
    Outgoing.objects.update(next_at=timezone.now() + timedelta(hours=1))
    assert Pause.objects.exists()
    connect(remote, token="new")
    account.refresh_from_db()
    assert account.state == AccountState.STARTING
    assert send_due(account) == 0, "not before it was checked"
    assert accounts.check(account)
    assert send_due(account) == 2


def test_retiring_withdraws_what_waits_and_not_what_is_in_flight(remote: Remote) -> None:
    account = connect(remote)
    accounts.check(account)
    wish("a", "b", "c")
    claim = claims.claim(account.pk, list(Lane))
    assert claim is not None
    Outgoing.objects.exclude(key="a").update(lease_token=None, lease_until=None)
    assert accounts.retire(account) == 2
    left = Outgoing.objects.exclude(key="a")
    assert set(left.values_list("parked_reason", flat=True)) == {"Withdrawn: the account was retired."}
    assert Outgoing.objects.get(key="a").parked_at is None
    account.refresh_from_db()
    assert account.retired_at is not None


def test_what_was_paid_with_it_can_still_be_refunded(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Errand, "outlives_account", True)
    account = connect(remote)
    accounts.check(account)
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
        outgoing.command("test.look", account, {}, key="refund-1")
        outgoing.command("test.never", account, {}, key="other")
    monkeypatch.setattr("tests.hub.probe.BlindErrand.outlives_account", False)
    assert accounts.retire(account) == 2
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="refund-2")
        outgoing.command("test.never", account, {}, key="other-2")
    assert claims.accounts_due(list(Lane)) == [account.pk]
    assert send_due(account) == 2
    assert remote.order == ["refund-1", "refund-2"]
    Account.objects.update(retired_at=timezone.now() - timedelta(days=367))
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="refund-3")
    assert claims.accounts_due(list(Lane)) == []
    assert send_due(account) == 0


def test_pausing_stops_what_outlives_as_well(remote: Remote) -> None:
    account = factories.account("probe", "probe", settings={"url": remote.url}, state=AccountState.PAUSED)
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="a")
    assert send_due(account) == 0
