"""Alarms begin once, are told once, and end: by mail and webhook, however often and by however many one looks."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation
from standardwebhooks import Webhook

from integrations.hub import accounts, outgoing
from integrations.hub.health import alarms, hooks, tasks
from integrations.hub.health.models import Alarm, AlarmKind
from integrations.hub.models import Account, AccountState, Outgoing, Pulse
from tests import factories
from tests.health.conftest import calm, wait
from tests.hub.conftest import send_due
from tests.hub.remote import Remote
from tests.statements import counted, same

pytestmark = pytest.mark.django_db
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def mail(settings: Any, tmp_path: Path) -> Account:
    settings.WEFT_ALARM_MAIL = ["ops@weft.test", "boss@weft.test"]
    return factories.account("messages", "file", name="mail", settings={"folder": str(tmp_path / "letters")})


@pytest.fixture
def hook(settings: Any, remote: Remote) -> Iterator[list[tuple[dict[str, str], bytes]]]:
    """Every message that a program got, as it came: headers and body."""
    got: list[tuple[dict[str, str], bytes]] = []

    def take(request: BaseHTTPRequestHandler) -> None:
        got.append((dict(request.headers), request.raw))  # type: ignore[attr-defined]
        request.send_response(204)
        request.end_headers()

    remote.answers["/alarms"] = take
    settings.WEFT_ALARM_WEBHOOK, settings.WEFT_ALARM_WEBHOOK_SECRET = f"{remote.url}/alarms", SECRET
    hooks.keep()
    account = Account.objects.get(name=hooks.NAME)
    assert accounts.check(account)
    yield got


def late(account: Account) -> None:
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
    wait(400)


def turn(mail: Account) -> None:
    """What the beats do: look, and send what is to be told."""
    alarms.look()
    send_due(mail)


def letters(tmp_path: Path) -> list[Any]:
    files = sorted((tmp_path / "letters").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def events() -> list[str]:
    return [row.payload["event"] for row in Outgoing.objects.filter(topic="alarm.mail").order_by("pk")]


def test_a_late_flow_is_told_once_and_its_end_with_how_long_it_lasted(
    account: Account, mail: Account, tmp_path: Path
) -> None:
    late(account)
    for _ in range(5):
        tasks.look()
    send_due(mail)
    (letter,) = letters(tmp_path)
    assert letter["To"] == "ops@weft.test, boss@weft.test"
    assert account.name in letter["Subject"] and "test.thing" in letter["Subject"]
    assert "/admin/hub/account/flows/" in letter.get_content()
    wait(3600)
    send_due(account)
    calm()
    send_due(mail)
    assert events() == ["opened", "ended"]
    assert Alarm.objects.get().ended_at is not None
    assert "1 小时" in letters(tmp_path)[1].get_content()


def test_two_looks_at_once_make_one_alarm_and_one_mail(account: Account, mail: Account) -> None:
    """The second one comes while the first has written everything and committed nothing."""
    late(account)
    tasks.look()
    tasks.look()
    assert Alarm.objects.count() == 1
    assert events() == ["opened"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Alarm.objects.create(kind=AlarmKind.LATE, subject=Alarm.objects.get().subject)


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_once(account: Account, mail: Account) -> None:
    """Four processes, each of which looks ten times."""
    late(account)
    looked = [_fork() for _ in range(4)]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in looked] == [0] * 4
    assert Alarm.objects.count() == 1
    assert events() == ["opened"]


def _fork() -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(60)
        connection.connection = None  # the parent's socket
        for _ in range(10):
            tasks.look()
        status = 0
    finally:
        os._exit(status)


def test_a_flow_that_goes_to_and_fro_is_one_alarm(account: Account, mail: Account) -> None:
    late(account)
    turn(mail)
    for _ in range(4):
        Outgoing.objects.filter(topic="test.thing").update(delivered=1)
        turn(mail)
        wait(60)
        Outgoing.objects.filter(topic="test.thing").update(delivered=0)
        turn(mail)
    assert events() == ["opened"]
    assert Alarm.objects.get().well_since is None


def test_a_reminder_once_a_day_and_none_once_somebody_looks_after_it(account: Account, mail: Account) -> None:
    late(account)
    turn(mail)
    for _ in range(25):
        wait(3600)
        turn(mail)
    assert events() == ["opened", "reminder"]
    Alarm.objects.update(acknowledged_at=timezone.now(), acknowledged_by="staff:li")
    for _ in range(3):
        wait(86400)
        turn(mail)
    assert events() == ["opened", "reminder"]
    Outgoing.objects.filter(topic="test.thing").update(delivered=1)
    turn(mail)
    wait(121)
    turn(mail)
    assert events() == ["opened", "reminder", "ended"]


def test_what_is_silenced_says_nothing_and_speaks_when_its_time_is_over(account: Account, mail: Account) -> None:
    late(account)
    turn(mail)
    Alarm.objects.update(silent_until=timezone.now() + timedelta(hours=4), silenced_by="staff:li",
                         silent_reason="they mend it")  # fmt: skip
    Outgoing.objects.filter(topic="test.thing").update(delivered=1)
    turn(mail)
    wait(121)
    turn(mail)
    Outgoing.objects.filter(topic="test.thing").update(delivered=0)
    turn(mail)
    again = Alarm.objects.get(ended_at=None)
    assert again.silent_reason == "they mend it", "what began anew is silent as well"
    assert events() == ["opened"]
    assert alarms.unseen().count() == 0 and alarms.opened().count() == 1
    wait(5 * 3600)
    turn(mail)
    assert events() == ["opened", "opened"]


def test_what_else_is_an_alarm(account: Account, mail: Account) -> None:
    Account.objects.filter(pk=account.pk).update(problem="The token is wrong.")
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a", "b"])
    Outgoing.objects.update(parked_at=timezone.now(), parked_reason="x")
    Pulse.objects.create(cluster="weft")
    Pulse.objects.create(cluster="weft-urgent")
    wait(200)
    Pulse.objects.filter(cluster="weft").update(beaten_at=timezone.now())
    alarms.look()
    found = {(one.kind, one.subject) for one in Alarm.objects.all()}
    assert found == {("problem", str(account.pk)), ("parked", str(account.pk)), ("silent", "weft-urgent")}
    with translation.override("en"):
        said = sorted(map(str, Alarm.objects.all()))
    assert said[0].startswith("2 pieces of work for")
    assert said[1].startswith("The workers of weft-urgent gave no sign of life for")
    assert said[2].endswith("has a problem: The token is wrong.")


def test_the_webhook_is_signed_and_a_message_sent_again_has_the_same_id(
    account: Account, remote: Remote, hook: list[tuple[dict[str, str], bytes]]
) -> None:
    late(account)
    tasks.look()
    way = Account.objects.get(name=hooks.NAME)
    assert send_due(way) == 1
    (first,) = hook
    told = Webhook(SECRET).verify(first[1], first[0])
    assert told["type"] == "alarm.opened" and told["data"]["kind"] == "late"
    assert set(told["data"]["words"]) == {"zh-hans", "en"}
    Outgoing.objects.filter(topic="alarm.webhook").update(delivered=0)
    send_due(way)
    assert hook[1][0]["webhook-id"] == first[0]["webhook-id"]
    row = Outgoing.objects.get(topic="alarm.webhook")
    assert row.key.startswith(f"{Alarm.objects.get().pk}:")
    assert SECRET not in json.dumps(row.payload)
    assert SECRET not in Account.objects.get(pk=way.pk).sealed


def test_broken_mail_is_told_by_the_webhook(
    mail: Account, remote: Remote, hook: list[tuple[dict[str, str], bytes]]
) -> None:
    Account.objects.filter(pk=mail.pk).update(problem="The mail server refuses this user and password.",
                                              state=AccountState.STARTING)  # fmt: skip
    tasks.look()
    send_due(Account.objects.get(name=hooks.NAME))
    ((headers, body),) = hook
    told = Webhook(SECRET).verify(body, headers)
    assert told["data"]["facts"]["account"] == "mail"
    assert alarms.unseen().count() == 1, "and it stands on the board"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("500", "TryAgain"), ("400", "Rejected"), ("401", "Misconfigured"), ("429", "TryAgain")],
)
def test_a_receiver_that_does_not_take_it(
    account: Account, remote: Remote, hook: list[Any], status: str, outcome: str
) -> None:
    del remote.answers["/alarms"]
    remote.misbehave("/alarms", status)
    late(account)
    tasks.look()
    way = Account.objects.get(name=hooks.NAME)
    send_due(way)
    row = Outgoing.objects.get(topic="alarm.webhook")
    assert row.is_open and row.attempts.latest("pk").outcome == outcome


def test_a_webhook_that_the_environment_no_longer_names_is_not_told(
    account: Account, hook: list[Any], settings: Any
) -> None:
    settings.WEFT_ALARM_WEBHOOK = ""
    late(account)
    tasks.look()
    assert not Outgoing.objects.filter(topic="alarm.webhook").exists()


@pytest.mark.parametrize(("secret", "well"), [(SECRET, True), ("whsec_c2hvcnQ=", False), ("whsec_ä", False)])
def test_a_secret_that_signs_nothing_is_a_problem_of_the_account(
    settings: Any, hook: list[Any], secret: str, well: bool
) -> None:
    settings.WEFT_ALARM_WEBHOOK_SECRET = secret
    hooks.keep()
    way = Account.objects.get(name=hooks.NAME)
    assert accounts.check(way) == well
    way.refresh_from_db()
    assert bool(way.problem) != well


@pytest.mark.django_db(transaction=True)
def test_looking_costs_the_same_with_many_accounts(account: Account) -> None:
    tasks.look()
    with counted("one account") as few:
        tasks.look()
    for _ in range(20):
        factories.account("probe", "probe")
    with counted("twenty more") as many:
        tasks.look()
    same(few, many)
