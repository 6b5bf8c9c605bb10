from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.connector import Connector, Field
from integrations.hub.errors import Misconfigured
from integrations.hub.models import Account, AccountState, Attempt, Outgoing, Pause
from integrations.hub.values import Health, Lane
from shop.customer.models import User
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said

pytestmark = pytest.mark.django_db
ACCOUNTS, OUTGOING = "admin:hub_account_changelist", "admin:hub_outgoing_changelist"
SECRET = "s3cr3t-value-1234"
PASSWORD = "a-long-enough-pass"


class Loom(Connector):
    kind = "test"
    name = "loom"
    label = "Loom"
    checks = "looks through the loom"
    fields = (
        Field("shop", "Shop id"),
        Field("key", "Key", secret=True),
        Field("note", "Note", required=False),
        Field("their_key", "Their key", required=False, long=True),
    )
    identity = ("shop",)

    def health(self) -> Health:
        if self.settings["key"] != SECRET:
            raise Misconfigured("The key is refused.")
        return Health(version="8.0", notes=("Threads: 12.",))


@pytest.fixture(autouse=True)
def _loom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "connectors", lambda: {("test", "loom"): Loom})


@pytest.fixture
def client(login: Login) -> Client:
    client = login("integrations")
    user = User.objects.get(email="integrations@weft.test")
    user.set_password(PASSWORD)
    user.save()
    client.force_login(user)
    return client


@pytest.fixture
def account() -> Account:
    made = factories.account("test", "loom", name="Loom", settings={"shop": "A1", "note": ""})
    made.credentials = {"key": SECRET}
    made.save()
    return made


def change(account: Account) -> str:
    return reverse("admin:hub_account_change", args=[account.pk])


def form(**values: str) -> dict[str, str]:
    return {"name": "Loom", "setting_shop": "A1", "setting_key": "", "setting_note": "", **values}


def row(account: Account, key: str, **fields: Any) -> Outgoing:
    fields.setdefault("topic", "mail")
    return Outgoing.objects.create(account=account, key=key, subject=f"order:{key}", lane=Lane.ORDERS, **fields)


def test_the_accounts_count_their_work(login: Login, account: Account) -> None:
    for number in range(4):
        row(factories.account("test", "loom"), str(number))
        row(account, str(number), parked_at=timezone.now())
    page = login("integrations").get(reverse(ACCOUNTS)).content.decode()
    assert f'?account__id__exact={account.pk}&amp;state=parked">4</a>' in page


def test_a_new_account_asks_with_whom_then_what_the_connector_needs(client: Client) -> None:
    address = reverse("admin:hub_account_add")
    assert "Loom" in client.get(address).content.decode()
    page = client.get(address, {"connector": "test:loom"}).content.decode()
    assert "Shop id" in page
    filled = form(setting_shop="B2", setting_key=SECRET, own_password=PASSWORD)
    assert client.post(f"{address}?connector=test:loom", filled).status_code == 302
    made = Account.objects.get()
    assert (made.kind, made.provider, made.state) == ("test", "loom", AccountState.STARTING)
    assert made.credentials == {"key": SECRET}
    assert SECRET not in str(made.settings)


def test_secrets_are_never_shown(client: Client, login: Login, account: Account) -> None:
    for who in (client, login("auditor"), login("superuser")):
        page = who.get(change(account)).content.decode()
        assert SECRET not in page
        assert "1234" not in page
        assert "set" in page


def test_a_long_key_is_told_apart_by_its_fingerprint(client: Client, login: Login, account: Account) -> None:
    """Public keys begin and end alike; and nobody reads them."""
    shown = {}
    for middle in ("Tq4S", "8uPz"):
        key = f"-----BEGIN PUBLIC KEY-----\n{middle}AQAB\n-----END PUBLIC KEY-----"
        Account.objects.filter(pk=account.pk).update(settings={"shop": "A1", "note": "", "their_key": key})
        page = login("auditor").get(change(account)).content.decode()
        shown[middle] = re.findall(r"Their key: ([^<]+)<", page)
        asks = client.get(action("hub_account", "test_connection", account.pk)).content.decode()
        assert "AQAB" not in asks and "A1" in asks
    assert re.fullmatch("set, fingerprint [0-9a-f]{8}", shown["Tq4S"][0]) and shown["Tq4S"] != shown["8uPz"]


def test_an_empty_secret_is_kept(client: Client, account: Account) -> None:
    assert client.post(change(account), form(setting_note="new", own_password=PASSWORD)).status_code == 302
    account.refresh_from_db()
    assert (account.credentials, account.settings["note"]) == ({"key": SECRET}, "new")


@pytest.mark.parametrize("field", ["setting_key", "setting_note"])
def test_a_change_needs_the_persons_password(client: Client, account: Account, field: str) -> None:
    assert "This is not your password" in client.post(change(account), form(**{field: "new"})).content.decode()
    account.refresh_from_db()
    assert (account.credentials, account.settings["note"]) == ({"key": SECRET}, "")


def test_a_new_secret_is_checked_before_anything_is_sent(client: Client, account: Account) -> None:
    refused = client.post(change(account), form(setting_key="other", own_password="wrong"))
    assert "This is not your password" in refused.content.decode()
    account.refresh_from_db()
    assert account.credentials == {"key": SECRET}
    assert client.post(change(account), form(setting_key="other", own_password=PASSWORD)).status_code == 302
    account.refresh_from_db()
    assert (account.credentials, account.state) == ({"key": "other"}, AccountState.STARTING)


def test_the_identity_stays_after_first_use(client: Client, account: Account) -> None:
    row(account, "1")
    client.post(change(account), form(setting_shop="OTHER", own_password=PASSWORD))
    account.refresh_from_db()
    assert account.settings["shop"] == "A1"


def test_renaming_keeps_the_account(client: Client, account: Account) -> None:
    assert client.post(change(account), form(name="Loom 2")).status_code == 302
    assert list(Account.objects.values_list("pk", "name")) == [(account.pk, "Loom 2")]


def do(client: Client, name: str, account: Account) -> Any:
    return client.post(action("hub_account", name, account.pk))


def test_testing_the_connection(client: Client, account: Account) -> None:
    """Says what was tried, where, how long it took and what came of it; never a secret."""
    Account.objects.filter(pk=account.pk).update(state=AccountState.STARTING, problem="old")
    asked = client.get(action("hub_account", "test_connection", account.pk)).content.decode()
    assert "Shop id: A1" in asked
    assert "It looks through the loom." in asked
    words = said(do(client, "test_connection", account))
    assert re.search(r"It works\. Loom answered in \d+\.\d\d s", words)
    for part in ("Loom, Shop id: A1", "It looks through the loom.", "Its version: 8.0.", "Threads: 12."):
        assert part in words
    assert SECRET not in words + asked
    account.refresh_from_db()
    assert (account.state, account.problem, account.remote_version) == (AccountState.ACTIVE, "", "8.0")
    account.credentials = {"key": "wrong"}
    account.save()
    words = said(do(client, "test_connection", account))
    assert re.search(r"It does not work\. Loom was asked for \d+\.\d\d s .* It said: The key is refused\.", words)


def test_health_at_a_glance(login: Login, account: Account) -> None:
    """Last success and failure, what waits and how long, what is parked, and that it is left alone for a while."""
    now = timezone.now()
    other = factories.account("test", "loom", name="Other")
    for number, hours in ((1, 5), (2, 3)):
        done = row(account, f"done-{number}", delivered=1, delivered_at=now - timedelta(hours=hours))
        Attempt.objects.create(outgoing=done, lease_token="0" * 32, revision=1, finished_at=now, outcome="done")
    failed = row(account, "failed")
    Outgoing.objects.filter(pk=failed.pk).update(created_at=now - timedelta(hours=7))
    Attempt.objects.create(outgoing=failed, lease_token="0" * 32, revision=1, outcome="TryAgain",
                           finished_at=now - timedelta(hours=2), message="busy")  # fmt: skip
    row(account, "parked", parked_at=now)
    Pause.objects.create(account=account, until=now + timedelta(minutes=3), reason="asked to slow down")
    Pause.objects.create(account=other, until=now - timedelta(minutes=3), reason="long past")
    page = login("integrations").get(reverse(ACCOUNTS))
    shown = {found.name: found for found in page.context["cl"].result_list}
    loom = shown["Loom"]
    assert (loom.waiting, loom.parked) == (1, 1)
    assert loom.last_success == now - timedelta(hours=3)
    assert loom.last_failure == now - timedelta(hours=2)
    assert loom.oldest == now - timedelta(hours=7)
    text = page.content.decode()
    assert "asked to slow down" in text
    assert "7\xa0hours" in text
    assert "long past" not in text
    assert (shown["Other"].last_success, shown["Other"].last_failure, shown["Other"].oldest) == (None, None, None)


def test_pausing_resuming_retiring(client: Client, account: Account) -> None:
    waiting, done = row(account, "1"), row(account, "2", delivered=1)
    for name, state in (("pause", AccountState.PAUSED), ("resume", AccountState.STARTING), ("retire", "retired")):
        assert do(client, name, account).status_code == 302
        account.refresh_from_db()
        assert account.state == state
    waiting.refresh_from_db()
    done.refresh_from_db()
    assert waiting.parked_at
    assert done.parked_at is None
    assert "present state" in said(do(client, "resume", account))
    assert client.post(change(account), form(name="again")).status_code == 403


def test_an_account_is_never_deleted(login: Login, account: Account) -> None:
    address = reverse("admin:hub_account_delete", args=[account.pk])
    assert login("superuser").post(address, {"post": "yes"}).status_code == 403


def test_outgoing_links_to_what_it_is_about(login: Login, account: Account) -> None:
    for number in range(12):
        row(account, str(number))
    page = login("integrations").get(reverse(OUTGOING)).content.decode()
    assert 'href="/admin/order/order/by-number/3/"' in page


@pytest.mark.parametrize("state", ["delivered", "parked", "flight", "waiting", "open"])
def test_outgoing_by_state(login: Login, account: Account, state: str) -> None:
    now = timezone.now()
    row(account, "k-delivered", delivered=1)
    row(account, "k-parked", parked_at=now)
    row(account, "k-flight", lease_until=now + timezone.timedelta(minutes=1))
    row(account, "k-waiting", waits_topic="mail", waits_key="x")
    page = login("integrations").get(reverse(OUTGOING), {"state": state}).content.decode()
    shown = {name for name in ("delivered", "parked", "flight", "waiting") if f"k-{name}" in page}
    assert shown == ({"flight", "waiting"} if state == "open" else {state})


def test_outgoing_shows_its_attempts(login: Login, account: Account) -> None:
    made = row(account, "1", is_unknown=True)
    Attempt.objects.create(outgoing=made, lease_token="0" * 32, revision=1, outcome="Rejected", message="no such SKU")
    Attempt.objects.create(outgoing=made, lease_token="1" * 32, revision=1)
    address = reverse("admin:hub_outgoing_change", args=[made.pk])
    page = login("integrations").get(address).content.decode()
    assert "perhaps sent" in page


def test_bulk_retry_counts_what_it_left_alone(login: Login, account: Account) -> None:
    rows = [
        row(account, "1", parked_at=timezone.now(), parked_reason="x"),
        row(account, "2", parked_at=timezone.now(), is_command=True, is_unknown=True),
        row(account, "3"),
    ]
    posted = {"action": "retry_selected", "_selected_action": [r.pk for r in rows]}
    answer = login("integrations").post(reverse(OUTGOING), posted)
    assert answer.status_code == 302
    assert "1 row is due again. 2 were left alone" in said(answer)
    assert list(Outgoing.objects.filter(parked_at=None).order_by("pk").values_list("key", flat=True)) == ["1", "3"]


def test_one_row_that_cannot_be_retried_says_why(login: Login, account: Account) -> None:
    made = row(account, "1", parked_at=timezone.now(), is_command=True, is_unknown=True)
    answer = login("integrations").post(action("hub_outgoing", "retry", made.pk))
    assert "look at the remote by hand" in said(answer)


def test_a_letter_that_was_perhaps_sent_is_closed_by_hand(login: Login, account: Account) -> None:
    """Nobody can look whether it was, and it may not be sent again: a person has to be able to end it."""
    made = row(account, "W1:placed", parked_at=timezone.now(), is_command=True, is_unknown=True)
    client, address = login("integrations"), action("hub_outgoing", "close", made.pk)
    assert "Close by hand" in client.get(reverse("admin:hub_outgoing_change", args=[made.pk])).content.decode()
    assert client.post(address, {"note": ""}).status_code == 200  # asked again
    assert client.post(address, {"note": "the customer has it"}).status_code == 302
    made.refresh_from_db()
    assert (made.delivered, made.parked_at, made.delivered_at) == (1, None, None)
    assert made.facts["by_hand"] == "the customer has it"
    assert "present state" in said(client.post(address, {"note": "again"}))


@pytest.mark.parametrize(
    "fields", [{"is_command": False, "topic": "erp.order"}, {"parked_at": None}, {"topic": "gone"}]
)
def test_only_what_nothing_here_depends_on_is_closed_by_hand(
    login: Login, account: Account, fields: dict[str, Any]
) -> None:
    made = row(account, "1", **{"parked_at": timezone.now(), "is_command": True, **fields})
    before = Outgoing.objects.filter(pk=made.pk).values().get()
    answer = login("integrations").post(action("hub_outgoing", "close", made.pk), {"note": "x"})
    assert "present state" in said(answer)
    assert Outgoing.objects.filter(pk=made.pk).values().get() == before


@pytest.mark.parametrize("words", ["W2026", "w2026", "SO-7", "so-7", "mail:1"])
def test_outgoing_is_found_by_our_number_and_by_theirs(login: Login, account: Account, words: str) -> None:
    row(account, "W20261122-1", refs=[{"id": "mail:1", "number": "SO-7"}])
    row(account, "W2025")
    shown = login("integrations").get(reverse(OUTGOING), {"q": words}).context["cl"].result_list
    assert [found.key for found in shown] == ["W20261122-1"]
