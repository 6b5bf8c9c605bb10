"""Connectors broken in every way: the shop starts, the check and the doctor name them, their accounts say it in words,
and the other accounts go on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client

from integrations.hub import accounts, outgoing, registry, topics
from integrations.hub.errors import HubError, Misconfigured
from integrations.hub.models import Account, AccountState, Attempt
from integrations.hub.topics import Command
from integrations.hub.values import Done, Lane
from shop.channels import tasks
from shop.stock.models import Channel
from tests import factories
from tests.hub.conftest import send_due

HEAD = """
from integrations.hub.connector import Connector, Field
from integrations.hub.values import Done, Health

class Base(Connector):
    kind = "odd"
"""
UNLOADABLE = {
    "raises": "raise ValueError('not today')",
    "exits": "import sys\nsys.exit(3)",
    "nameless": "class It(Base):\n    label = 'It'",
    "unlabelled": "class It(Base):\n    name = 'unlabelled'",
    "kindless": "class It(Connector):\n    name, label = 'kindless', 'It'",
    "baseless": "class It:\n    kind, name, label = 'odd', 'baseless', 'It'",
    "formless": "class It(Base):\n    name, label, fields = 'formless', 'It', ['url']",
    "twice": "class It(Base):\n    name, label = 'fine', 'It'",
}
ASKED = {
    "fine": "return Health('1.0')",
    "bare": "raise KeyError('a-secret-of-ours')",
    "leaves": "raise SystemExit(3)",
    "rubbish": "return {'version': 1}",
    "nothing": "pass",
    "endless": "import time\n        time.sleep(30)",
}


def asked(name: str) -> str:
    return (
        f"class It(Base):\n    name, label = {name!r}, 'It'\n\n    def health(self):\n        {ASKED[name]}\n\n"
        "    def run(self, key):\n        return self.health() and Done()\n"
    )


@pytest.fixture(autouse=True)
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """All of them in a package of providers, beside those that are there."""
    package = tmp_path / "odd_providers"
    package.mkdir()
    texts = {"__init__": "", "fine": HEAD + asked("fine"), **{name: HEAD + text for name, text in UNLOADABLE.items()}}
    texts |= {name: HEAD + asked(name) for name in ASKED}
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "broken", {})
    known = dict(registry.connectors())
    settings.WEFT_PROVIDER_PACKAGES = [*settings.WEFT_PROVIDER_PACKAGES, "odd_providers"]
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # the test itself is one
    registry.connectors.cache_clear()
    registry.connectors()
    yield
    registry.connectors.cache_clear()
    settings.WEFT_PROVIDER_PACKAGES = []
    registry.connectors().clear()
    monkeypatch.undo()
    registry.connectors().update(known)
    for name in [name for name in sys.modules if name.startswith("odd_providers")]:
        del sys.modules[name]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "CHECK_SECONDS", 0.2)


def test_what_cannot_be_loaded_is_named_with_its_reason() -> None:
    why = {module.removeprefix("odd_providers."): why for module, why in registry.broken.items()}
    assert why == {
        "raises": "ValueError: not today",
        "exits": "SystemExit: 3",
        "nameless": "no connector class with a name in it",
        "unlabelled": "It has no label",
        "kindless": "It has no kind",
        "baseless": "no connector class with a name in it",
        "formless": "It.fields is not a tuple of Field",
        "twice": "odd 'fine' is taken by odd_providers.fine",
    }
    assert {name for kind, name in registry.connectors() if kind == "odd"} == set(ASKED)
    assert ("erp", "tryton") in registry.connectors()


@pytest.mark.django_db
def test_the_check_the_doctor_and_the_list_name_them_and_the_shop_opens() -> None:
    named = {message.msg for message in run_checks() if message.id == "weft.W001"}
    assert len(named) == len(UNLOADABLE)
    examined, listed = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--only", "checks", "--language", "en", stdout=examined)
    call_command("connector", "list", stdout=listed)
    for name in UNLOADABLE:
        assert f"odd_providers.{name}" in " ".join(examined.getvalue().split())
        assert f"BROKEN odd_providers.{name}: " in listed.getvalue()
    assert Client().get("/", follow=True).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["raises", "exits", "nameless", "formless"])
def test_the_account_of_one_says_why(name: str) -> None:
    account = factories.account("odd", name)
    assert not accounts.check(account)
    account.refresh_from_db()
    assert account.problem.startswith(f"There is no odd connector named '{name}' here. odd_providers.{name} could not")
    assert account.problem.endswith(registry.broken[f"odd_providers.{name}"])


PROBLEMS = {
    "bare": "The connector failed (KeyError): a bug in it. The log says where.",
    "leaves": "The connector failed (SystemExit): a bug in it. The log says where.",
    "rubbish": "The connector failed (its health is of type dict): a bug in it.",
    "nothing": "The connector failed (its health is of type NoneType): a bug in it.",
    "endless": "The connector gave no answer within 0 s.",
}


@pytest.mark.django_db
def test_whatever_a_check_does_its_account_says_it_and_the_others_are_checked(impatient: None) -> None:
    for name in [*PROBLEMS, "raises", "fine"]:
        factories.account("odd", name, name=name, state=AccountState.STARTING, settings={"made": "yes"})
    accounts.check_due()
    assert dict(Account.objects.filter(name__in=PROBLEMS).values_list("name", "problem")) == PROBLEMS
    fine = Account.objects.get(name="fine")
    assert (fine.state, fine.problem, fine.remote_version) == (AccountState.ACTIVE, "", "1.0")


@pytest.mark.django_db
def test_one_that_never_answers_is_not_asked_again_meanwhile(impatient: None) -> None:
    account = factories.account("odd", "endless")
    for _ in range(3):
        assert not accounts.check(account)
    account.refresh_from_db()
    assert account.problem == "The connector still gives no answer to the last check."
    assert [thread.name for thread in threading.enumerate()].count("check") <= 2  # this test's and the one before


class Run(Command):
    name = "test.odd"
    lane = Lane.MONEY
    kind = "odd"

    def subject(self, key: str) -> str:
        return f"odd:{key}"

    def send(self, remote: Any, payload: dict[str, Any], key: str) -> Done:
        done: Done = remote.run(key)
        return done


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "words"), [("bare", "KeyError"), ("leaves", "SystemExit"), ("nothing", "NoneType")])
def test_what_it_breaks_while_sending_is_written_down_and_the_others_get_theirs(name: str, words: str) -> None:
    topics.register(Run())
    broken, fine = factories.account("odd", name), factories.account("odd", "fine")
    with outgoing.recording():
        for account in (broken, fine):
            outgoing.command(Run.name, account, {}, key="1")
    assert send_due(broken) == 0
    assert send_due(fine) == 1
    attempt = Attempt.objects.get(outgoing__account=broken)
    assert attempt.finished_at and attempt.outcome == "bug" and words in attempt.message


@pytest.mark.django_db(transaction=True)  # they are read at once
def test_one_whose_news_are_rubbish_does_not_keep_the_others_from_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    class Rubbish(registry.connectors()["channel", "market"]):  # type: ignore[misc]
        def orders(self, cursor: str, limit: int = 0) -> Any:
            read.append(self.settings["url"])
            return {"orders": None}

    monkeypatch.setitem(registry.connectors(), ("channel", "market"), Rubbish)
    for name in ("one", "two"):
        account = factories.account("channel", "market", name=name, settings={"url": name, "key": "x"})
        Channel.objects.create(account=account)
    tasks.poll()
    assert sorted(read) == ["one", "two"]
    for account in Account.objects.filter(kind="channel"):
        assert account.cursors.get().problem == "It could not be read (AttributeError): a bug. The log says where."


@pytest.mark.django_db
def test_no_secret_of_a_bug_stands_in_the_account(caplog: pytest.LogCaptureFixture) -> None:
    account = factories.account("odd", "bare")
    accounts.check(account)
    account.refresh_from_db()
    assert "a-secret-of-ours" not in account.problem


def test_misconfigured_is_still_what_an_unknown_one_is() -> None:
    with pytest.raises(Misconfigured, match="There is no odd connector named 'unheard' here.$"):
        registry.connect(Account(kind="odd", provider="unheard"))
    assert issubclass(Misconfigured, HubError)
