"""What remotes send: only what is proven is kept, once for each event, and 2xx means that it is on disk."""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub import registry
from integrations.hub.connector import Connector
from integrations.hub.errors import Unsupported
from integrations.hub.incoming import addresses as hook_addresses
from integrations.hub.incoming import envelopes, heeding, hooks, refusals
from integrations.hub.models import Account, AccountState, HookAddress, HookRefusal, Incoming, Outgoing
from integrations.hub.values import Lane
from runtime.logs.lines import formatter
from runtime.logs.masks import masked
from tests import factories
from tests.hub import probe
from tests.hub.conftest import SIGNING, Hooked, hook, news
from tests.hub.probe import Probe
from tests.hub.remote import Remote
from tests.statements import budget
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _strict(remote: Remote, settings: Any) -> None:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False


def effects(key: str) -> int:
    """How often the news about `key` was settled, as committed."""
    return sum(Outgoing.objects.filter(topic="test.thing", key=key).values_list("wanted", flat=True))


def kept() -> Incoming:
    return Incoming.objects.get()


# --- kept ------------------------------------------------------------------------------------------------------------


def test_a_genuine_message_is_kept_and_answered_in_the_remotes_words(hooked: Hooked) -> None:
    answer = hooked.post(news("E1", amount="9.90"))
    assert (answer.status_code, answer.content) == (200, b"success")
    assert not answer.cookies
    row = kept()
    assert (row.event, row.times, row.lane, row.version) == ("evt-1", 1, Lane.MONEY, envelopes.VERSION)
    assert b"E1" not in bytes(row.sealed)
    sent = envelopes.unseal(bytes(row.sealed), row.version)
    assert (sent.body, dict(sent.headers)) == (news("E1", amount="9.90"), {"content-type": "application/json"})


def test_the_whole_request_is_few_statements(hooked: Hooked) -> None:
    hooked.post(news("E0"), "evt-0")
    Incoming.objects.all().delete()
    with budget(5, "a message, kept") as found:
        assert hooked.post(news("E1")).status_code == 200
    assert found.naming("django_q_ormq"), "a worker was woken"
    with budget(5, "the same again") as found:
        assert hooked.post(news("E1")).status_code == 200
    with budget(5, "another body"):
        assert hooked.post(news("E2")).status_code == 200


def test_a_burst_wakes_one_worker(hooked: Hooked) -> None:
    for number in range(10):
        hooked.post(news("E1"), f"evt-{number}")
    assert OrmQ.objects.count() == 1
    OrmQ.objects.all().delete()


def test_ten_at_once_then_ten_more_are_one_effect(hooked: Hooked) -> None:
    """D5."""
    body = news("E1")
    first = at_once(lambda number: hooked.post(body).status_code, 10)
    heeding.hear(Lane.MONEY)
    later = at_once(lambda number: hooked.post(body).status_code, 10)
    heeding.hear(Lane.MONEY)
    assert Counter([*first, *later]) == {200: 20}
    assert (kept().times, kept().done_at is not None, effects("E1")) == (20, True, 1)


def test_the_same_id_with_another_body_is_an_anomaly(hooked: Hooked) -> None:
    answers = [hooked.post(news(key)) for key in ("E1", "E2", "E2")]
    assert [answer.content for answer in answers] == [b"success"] * 3
    heeding.hear(Lane.MONEY)
    first, odd = Incoming.objects.order_by("pk")
    assert (first.event, first.times, first.is_anomaly, first.done_at is not None) == ("evt-1", 1, False, True)
    assert (odd.event, odd.times, odd.is_anomaly, odd.parked_at is not None) == ("evt-1", 2, True, True)
    assert (effects("E1"), effects("E2")) == (1, 0)


def test_anomalies_at_once_are_one_row_for_each_body(hooked: Hooked) -> None:
    answers = at_once(lambda number: hooked.post(news(f"E{number % 3}")).status_code, 9)
    assert answers == [200] * 9
    rows = Incoming.objects.values_list("is_anomaly", "times")
    assert sorted(rows) == [(False, 3), (True, 3), (True, 3)]


def test_without_an_id_the_body_is_what_tells_messages_apart(hooked: Hooked) -> None:
    for key in ("E1", "E1", "E2"):
        assert hooked.post(news(key), "").status_code == 200
    assert sorted(Incoming.objects.values_list("times", flat=True)) == [1, 2]
    assert set(Incoming.objects.values_list("is_anomaly", flat=True)) == {False}


def test_accounts_have_their_own_events(hooked: Hooked) -> None:
    other = hook(factories.account("probe", "probe", settings={"url": "http://x"}), "another")
    assert [one.post(news("E1")).status_code for one in (hooked, other)] == [200, 200]
    assert set(Incoming.objects.values_list("account_id", "times")) == {(hooked.account.pk, 1), (other.account.pk, 1)}


@pytest.mark.parametrize("event", ["x" * 201, "a\u00e9b"])
def test_strange_ids_are_kept(hooked: Hooked, event: str) -> None:
    content = news("E1")
    headers = probe.signed(SIGNING, content, event)
    assert hooked.send(content, headers).status_code == 200
    assert hooked.send(content, headers).status_code == 200
    assert kept().times == 2


def test_a_redelivery_makes_a_parked_message_due_again(hooked: Hooked) -> None:
    hooked.post(news("E1", kind="nobody"))
    heeding.hear(Lane.MONEY)
    assert kept().parked_at
    OrmQ.objects.all().delete()
    hooked.post(news("E1", kind="nobody"))
    row = kept()
    assert (row.parked_at, row.parked_reason, row.times, row.next_at <= timezone.now()) == (None, "", 2, True)
    assert OrmQ.objects.count() == 1
    OrmQ.objects.all().delete()


@pytest.mark.parametrize("state", [AccountState.PAUSED, AccountState.RETIRED, AccountState.STARTING])
def test_every_account_receives(hooked: Hooked, state: str) -> None:
    """Paused ones heed it later; what came for a retired one is heeded still."""
    Account.objects.filter(pk=hooked.account.pk).update(state=state)
    assert hooked.post(news("E1")).status_code == 200
    heeding.hear(Lane.MONEY)
    assert bool(kept().done_at) == (state == AccountState.RETIRED)


# --- forged ----------------------------------------------------------------------------------------------------------

BODY = news("E1", amount="9.90")


def forged(**changes: Any) -> tuple[bytes, dict[str, str]]:
    headers = probe.signed(changes.pop("secret", SIGNING), BODY, at=changes.pop("at", None))
    return changes.pop("body", BODY), {**headers, **changes}


FORGERIES = {
    "no header": lambda: (BODY, {}),
    "no signature": lambda: forged(**{"probe-signature": ""}),
    "wrong key": lambda: forged(secret="wrong"),
    "another account's key": lambda: forged(secret="another"),
    "changed body": lambda: forged(body=BODY.replace(b"9.90", b"0.90")),
    "changed id": lambda: forged(**{"probe-id": "evt-2"}),
    "changed time": lambda: forged(**{"probe-time": (timezone.now() - timedelta(seconds=1)).isoformat()}),
    "no time": lambda: forged(**{"probe-time": "yesterday"}),
    "six minutes old": lambda: forged(at=timezone.now() - timedelta(minutes=6)),
    "six minutes ahead": lambda: forged(at=timezone.now() + timedelta(minutes=6)),
    "encoded anew": lambda: forged(body=json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forgery_is_refused_and_leaves_no_row(hooked: Hooked, how: str) -> None:
    """D7."""
    hook(factories.account("probe", "probe", settings={"url": "http://x"}), "another")
    answer = hooked.send(*FORGERIES[how]())
    assert (answer.status_code, answer.content) == (401, b"fail")
    assert not Incoming.objects.exists()
    assert not OrmQ.objects.exists()
    refusal = HookRefusal.objects.get()
    assert (refusal.account_id, refusal.times) == (hooked.account.pk, 1)


def test_one_of_two_signatures_is_enough(hooked: Hooked) -> None:
    content, headers = forged()
    old = forged(secret="the former one")[1]["probe-signature"]
    assert (
        hooked.send(content, {**headers, "probe-signature": f"{old} {headers['probe-signature']}"}).status_code == 200
    )


def test_a_replay_has_no_effect(hooked: Hooked) -> None:
    """D8: the same again is counted; a new id under the old signature is a forgery."""
    content, headers = forged()
    for _ in range(2):
        assert hooked.send(content, headers).status_code == 200
        heeding.hear(Lane.MONEY)
    assert hooked.send(content, {**headers, "probe-id": "evt-9"}).status_code == 401
    heeding.hear(Lane.MONEY)
    assert (kept().times, effects("E1")) == (2, 1)


def test_a_connector_that_fails_proves_nothing(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "verify", lambda self, inbound: inbound.headers["not-there"])
    assert hooked.post(BODY).status_code == 401
    assert "KeyError" in HookRefusal.objects.get().last_reason


def test_forgeries_are_throttled_and_the_genuine_gets_through(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refusals, "PER_MINUTE", 3)
    with caplog.at_level(logging.WARNING, "weft.hub"):
        statuses = [hooked.send(BODY, {}).status_code for _ in range(6)]
    assert statuses == [401] * 3 + [429] * 3
    assert len([r for r in caplog.records if "refused" in r.getMessage()]) == 3
    with budget(1, "a forgery too many"):
        assert hooked.send(BODY, {})["Retry-After"] == "60"
    assert hooked.post(BODY).status_code == 200
    assert HookRefusal.objects.get().times == 3
    monkeypatch.setattr(refusals, "MINUTE", 0.0)
    assert hooked.send(BODY, {}).status_code == 401
    assert HookRefusal.objects.get().times == 8, "those that were only counted are added up"


# --- addresses -------------------------------------------------------------------------------------------------------


def test_who_is_not_known_is_told_nothing(hooked: Hooked) -> None:
    _, _hooks, kind, provider, token, _ = hooked.path.split("/")
    for path in (
        f"/hooks/{kind}/{provider}/{'x' * 43}/", f"/hooks/channel/{provider}/{token}/",
        f"/hooks/{kind}/other/{token}/", f"/hooks/{kind}/{provider}/{token}", "/hooks/", f"/hooks/{kind}/",
        f"{hooked.path}more/",
    ):  # fmt: skip
        answer = Hooked(hooked.account, path, SIGNING).post(BODY)
        assert (answer.status_code, answer.content) == (404, b""), path
    assert not Incoming.objects.exists()


class Unread:
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize(
    ("path", "length", "status"), [("/hooks/probe/probe/unknown/", 10, 404), ("", hooks.BODY_LIMIT + 1, 413)]
)
def test_the_body_is_not_read_where_it_is_not_wanted(hooked: Hooked, path: str, length: int, status: int) -> None:
    answer = Client().generic("POST", path or hooked.path, b"", CONTENT_LENGTH=str(length), **{"wsgi.input": Unread()})
    assert answer.status_code == status


def test_a_body_of_the_largest_size_is_kept(hooked: Hooked) -> None:
    content = b"[]" + b" " * (hooks.BODY_LIMIT - 2)
    assert hooked.post(content).status_code == 200
    assert hooked.post(content + b" ").status_code == 413


def test_only_what_is_sent_is_taken(hooked: Hooked) -> None:
    for method in ("get", "put", "delete", "head", "options"):
        assert getattr(Client(), method)(hooked.path).status_code == 405
    chunked = Client().generic("POST", hooked.path, b"", CONTENT_LENGTH="", headers={"transfer-encoding": "chunked"})
    assert chunked.status_code == 411


def test_without_the_short_cut_the_same_view_answers(hooked: Hooked, settings: Any) -> None:
    """Also to whom checks forms: what a program sends has no token of a page."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != "shop.shortcut.HooksFirst"]
    headers = probe.signed(SIGNING, BODY)
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(hooked.path, BODY, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.content, kept().times) == (200, b"success", 1)


def test_a_connector_that_hears_nothing_has_no_address(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Connector):
        kind, name, label = "probe", "probe", "Silent"

    monkeypatch.setitem(registry.connectors(), ("probe", "probe"), Silent)
    assert not hook_addresses.hears(hooked.account)
    assert hooked.post(BODY).status_code == 404

    class Coy(Probe):
        name = "probe"

        def verify(self, inbound: Any) -> Any:
            raise Unsupported("Not on this plan.")

    monkeypatch.setitem(registry.connectors(), ("probe", "probe"), Coy)
    assert hooked.post(BODY).status_code == 404


def test_an_account_that_is_not_filled_in_loses_nothing(hooked: Hooked) -> None:
    Account.objects.filter(pk=hooked.account.pk).update(settings={})
    assert hooked.post(BODY).status_code == 503
    Account.objects.filter(pk=hooked.account.pk).update(sealed="gAAAA", settings={"url": "http://x"})
    assert hooked.post(BODY).status_code == 503


def test_two_addresses_are_valid_at_once(hooked: Hooked) -> None:
    account = hooked.account
    newer = hook(account, SIGNING)
    assert newer.path != hooked.path
    assert [one.post(BODY).status_code for one in (hooked, newer)] == [200, 200]
    with pytest.raises(hook_addresses.TooMany):
        hook_addresses.make(account)
    first, second = hook_addresses.valid(account)
    assert (first.ends_at is not None, second.ends_at) == (True, None)
    assert hook_addresses.end(account, first.pk)
    assert not hook_addresses.end(account, first.pk)
    assert [one.post(BODY).status_code for one in (hooked, newer)] == [404, 200]


def test_the_new_one_may_be_ended_and_the_old_one_stays_for_good(hooked: Hooked) -> None:
    newer = hook(hooked.account, SIGNING)
    hook_addresses.end(hooked.account, hook_addresses.valid(hooked.account)[1].pk)
    assert [one.post(BODY).status_code for one in (hooked, newer)] == [200, 404]
    assert hook_addresses.valid(hooked.account).get().ends_at is None


def test_the_former_address_ends_by_itself(hooked: Hooked) -> None:
    hook(hooked.account, SIGNING)
    HookAddress.objects.exclude(ends_at=None).update(ends_at=timezone.now() - timedelta(seconds=1))
    assert hooked.post(BODY).status_code == 404


def test_the_token_is_kept_nowhere(hooked: Hooked, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    token = hooked.path.split("/")[4]
    assert len(token) == 43
    row = HookAddress.objects.get()
    assert token not in f"{row.digest}{row.ends_in}"
    assert token.endswith(row.ends_in)
    caplog.handler.setFormatter(formatter(as_json=False))
    with caplog.at_level(logging.DEBUG):
        hooked.send(BODY, {})
        hooked.post(BODY)
    assert "/hooks/…" in caplog.text
    assert token not in caplog.text
    assert token not in masked(hooked.path), "nor in the web server's log"


# --- the database goes away ------------------------------------------------------------------------------------------

CUT = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON hub_incoming DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION cut();
"""


def test_a_connection_cut_at_commit_is_no_2xx(hooked: Hooked) -> None:
    """D9: the remote sends it again, and there is one effect."""
    with connection.cursor() as cursor:
        cursor.execute(CUT)
    try:
        assert at_once(lambda number: hooked.post(BODY).status_code, 2) == [503, 503]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER cut ON hub_incoming; DROP FUNCTION cut()")
    assert not Incoming.objects.exists()
    assert hooked.post(BODY).status_code == 200
    heeding.hear(Lane.MONEY)
    assert (kept().times, effects("E1")) == (1, 1)


def test_a_database_that_is_away_is_no_2xx(hooked: Hooked, settings: Any) -> None:
    port = connection.settings_dict["PORT"]

    def away(number: int) -> int:
        connection.settings_dict = {**connection.settings_dict, "PORT": "1", "HOST": "127.0.0.1"}
        try:
            return int(hooked.post(BODY).status_code)
        finally:
            connection.settings_dict = {**connection.settings_dict, "PORT": port}

    assert at_once(away, 1) == [503]
    assert hooked.post(BODY).status_code == 200
