"""Incoming messages and the addresses they come to, as staff see them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from integrations.hub import doctor, registry, symptoms
from integrations.hub.incoming import addresses as hook_addresses
from integrations.hub.incoming import refusals
from integrations.hub.incoming.receiving import ANOMALY
from integrations.hub.keeping import purging
from integrations.hub.models import Account, HookAddress, Incoming, IncomingHint, Outgoing
from integrations.hub.values import Lane
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said
from tests.hub.probe import Probe

pytestmark = pytest.mark.django_db
LIST = "admin:hub_incoming_changelist"


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "connectors", lambda: {("probe", "probe"): Probe})
    refusals.forget()


@pytest.fixture
def account() -> Account:
    return factories.account("probe", "probe", name="Probe")


def message(account: Account, event: str, **fields: Any) -> Incoming:
    values = {"digest": "d" * 64, "sealed": b"what was sent", "lane": Lane.MONEY, **fields}
    return Incoming.objects.create(account=account, dedupe=fields.pop("dedupe", event), event=event, **values)


def page(account: Account) -> str:
    return reverse("admin:hub_account_change", args=[account.pk])


def change(row: Incoming) -> str:
    return reverse("admin:hub_incoming_change", args=[row.pk])


def events(client: Client, **asked: str) -> set[str]:
    return {row.event for row in client.get(reverse(LIST), asked).context["cl"].result_list}


def test_the_list_by_state_account_and_anomaly(login: Login, account: Account) -> None:
    now, other = timezone.now(), factories.account(name="Other")
    message(account, "open")
    message(account, "flight", lease_until=now + timezone.timedelta(minutes=1))
    message(account, "parked", parked_at=now)
    message(account, "odd", parked_at=now, is_anomaly=True)
    message(account, "done", done_at=now)
    message(other, "closed", done_at=now, note="a test")
    client = login("integrations")
    assert events(client, state="open") == {"open", "flight"}
    assert events(client, state="flight") == {"flight"}
    assert events(client, state="parked") == {"parked", "odd"}
    assert events(client, state="done") == {"done"}
    assert events(client, state="closed") == {"closed"}
    assert events(client, is_anomaly__exact="1") == {"odd"}
    assert events(client, account__id__exact=str(other.pk)) == {"closed"}


@pytest.mark.parametrize("words", ["evt-7", "evt-", "W2026", "w2026", "order:W2026", "W2027"])
def test_a_message_is_found_by_event_and_by_what_it_is_about(login: Login, account: Account, words: str) -> None:
    row = message(account, "evt-7", subject="order:W2026")
    message(account, "other", subject="order:W1")
    IncomingHint.objects.create(incoming=row, kind="errand", key="E1", subject="order:W2027")
    assert events(login("integrations"), q=words) == {"evt-7"}


def test_its_page_shows_hints_and_failures_and_never_what_was_sent(login: Login, account: Account) -> None:
    tries = [{"at": timezone.now().isoformat(), "outcome": "bug",
              "message": "An error in Weft: KeyError at x.py:3. Its trace is in the log."}]  # fmt: skip
    row = message(account, "evt-7", attempts=tries, parsed_at=timezone.now())
    IncomingHint.objects.create(
        incoming=row, kind="errand", key="E1", subject="order:W1", facts={"amount": "9.90", "note": "<b>"}
    )
    client = login("finance")
    text = client.get(change(row)).content.decode()
    for words in ("E1", "amount: 9.90", "&lt;b&gt;", "/admin/order/order/by-number/W1/", "KeyError at x.py:3",
                  "an error in Weft", "kept, encrypted"):  # fmt: skip
        assert words in text, words
    assert "what was sent</" not in text.replace("What was sent", "")
    chinese = client.get(change(row), headers={"accept-language": "zh-hans"}).content.decode()
    assert "KeyError at x.py:3" in chinese
    assert "Its trace is in the log" not in chinese


def test_a_parked_message_is_tried_again_and_an_anomaly_only_closed(login: Login, account: Account) -> None:
    now = timezone.now()
    parked = message(account, "parked", parked_at=now, parked_reason="x", failures=10, crashes=5)
    odd = message(account, "odd", parked_at=now, parked_reason=ANOMALY, is_anomaly=True)
    gone = message(account, "gone", parked_at=now, sealed=None)
    done = message(account, "done", done_at=now)
    client = login("integrations")
    posted = {"action": "retry_selected", "_selected_action": [row.pk for row in (parked, odd, gone, done)]}
    answer = client.post(reverse(LIST), posted)
    assert "1 row is due again. 3 were left alone" in said(answer)
    parked.refresh_from_db()
    assert (parked.parked_at, parked.failures, parked.crashes) == (None, 0, 0)
    for row in (odd, gone, done):
        assert "present state" in said(client.post(action("hub_incoming", "retry", row.pk)))
    close = action("hub_incoming", "close", odd.pk)
    assert "another body" in client.get(close).content.decode()
    assert client.post(close, {"note": ""}).status_code == 200
    assert client.post(close, {"note": "a test of theirs"}).status_code == 302
    odd.refresh_from_db()
    assert (odd.note, odd.sealed, odd.parked_at) == ("a test of theirs", None, None)
    assert "present state" in said(client.post(close, {"note": "again"}))


def test_a_message_shows_its_trace_which_leads_to_what_it_brought_about(login: Login, account: Account) -> None:
    given = "a-trace-of-a-request"
    row, other = message(account, "evt-1", trace=given), message(account, "evt-2")
    wished = Outgoing.objects.create(account=account, topic="test.thing", key="a", lane=4, trace=given)
    Outgoing.objects.create(account=account, topic="test.thing", key="b", lane=4)
    client = login("integrations")
    link = re.search(rf'<a href="([^"]+)"><code>{given}</code></a>', client.get(change(row)).content.decode())
    assert link is not None
    assert list(client.get(link[1]).context["cl"].result_list) == [wished]
    assert "<code>" not in client.get(change(other)).content.decode()
    assert events(client, q=given) == {"evt-1"}


def test_one_message_is_tried_again(login: Login, account: Account) -> None:
    row = message(account, "parked", parked_at=timezone.now())
    assert "1 row is due again" in said(login("integrations").post(action("hub_incoming", "retry", row.pk)))


def test_an_address_is_shown_once(login: Login, account: Account) -> None:
    client = login("integrations")
    assert "None yet" in client.get(page(account)).content.decode()
    make = action("hub_account", "new_address", account.pk)
    client.get(make)
    assert not HookAddress.objects.exists(), "looking makes none"
    answer = client.post(make)
    made = HookAddress.objects.get()
    text = answer.content.decode()
    start = text.index("/hooks/probe/probe/")
    token = urlsplit(text[start : text.index("<", start)]).path.split("/")[4]
    assert hook_addresses.find("probe", "probe", token) == account
    assert "no-store" in answer["Cache-Control"]
    shown = client.get(page(account)).content.decode()
    assert f"ends in {made.ends_in}" in shown
    assert token not in shown
    assert token not in client.get(reverse("admin:hub_account_history", args=[account.pk])).content.decode()


def test_a_third_address_is_refused_and_one_of_two_is_ended(login: Login, account: Account) -> None:
    client = login("integrations")
    for _ in range(2):
        hook_addresses.make(account)
    assert "Two addresses are valid" in said(client.post(action("hub_account", "new_address", account.pk)))
    first, second = hook_addresses.valid(account)
    text = client.get(page(account)).content.decode()
    assert f"ends in {first.ends_in}" in text and f"ends in {second.ends_in}" in text and "valid until" in text
    end = action("hub_account", "end_address", account.pk)
    assert client.post(end, {"address": "0"}).status_code == 200, "not one of its own"
    assert "Address ended" in said(client.post(end, {"address": first.pk}))
    assert list(hook_addresses.valid(account)) == [second]


def test_who_hears_nothing_has_no_button(login: Login, account: Account) -> None:
    deaf = factories.account("test", "gone")
    for name in ("new_address", "end_address"):
        assert "present state" in said(login("integrations").post(action("hub_account", name, deaf.pk)))
    assert "sends nothing" in login("integrations").get(page(deaf)).content.decode()


def test_refusals_are_told(login: Login, account: Account) -> None:
    refusals.count(account, "The signature does not hold.")
    assert "1, last" in login("integrations").get(page(account)).content.decode()


def test_the_doctor_sees_parked_messages_and_those_nobody_takes(account: Account) -> None:
    with translation.override("en"):
        assert [found.level for found in symptoms.incoming()] == [doctor.Level.OK]
        message(account, "late", next_at=timezone.now() - timezone.timedelta(minutes=6))
        message(account, "odd", parked_at=timezone.now(), is_anomaly=True)
        stalled, parked = symptoms.incoming()
    assert "nobody took any" in stalled.what
    assert parked.what == "1 incoming messages are parked."
    assert purging.purge() == 0
