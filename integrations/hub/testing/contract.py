"""The contract tests. A connector's test module says how it is called; its folder holds the fixtures.

    class TestAcme(HttpContract):
        connector = Acme
        settings = {"url": "https://acme.example", "key": "a-key-for-tests-only"}
        calls = {"health": lambda acme: acme.health(), "orders": lambda acme: acme.orders("")}

`calls[name]` talks as `name.json` beside the module says. A connector that speaks something else than HTTP inherits
`Contract` and says what in `transport`; one that is sent something inherits `HearingContract` (`hearing.py`) as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from integrations.hub import registry
from integrations.hub.connector import Connector
from integrations.hub.errors import HubError, Misconfigured, Unsupported
from integrations.hub.kit.offers import offered
from integrations.hub.testing import failures, fixtures, watching
from integrations.hub.testing.failures import allowed, failure, spoilt, unfit
from integrations.hub.testing.fixtures import Conversation, plain
from integrations.hub.testing.imports import wrong_imports
from integrations.hub.testing.remote import Failure, conversing
from integrations.hub.testing.typed import ill_typed
from integrations.hub.values import Inbound

SHORTEST_SECRET = 12  # characters of a secret in tests, so that it is found nowhere by accident
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

Call = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call came to. `left` is every log line meanwhile, and all that its error shows."""

    value: Any
    error: BaseException | None
    asked: list[dict[str, Any]]
    left: str


class Contract:
    """What holds for every connector, whatever it speaks."""

    connector: ClassVar[type[Connector]]
    settings: ClassVar[Mapping[str, str]]
    transport: ClassVar[str] = "HTTP"
    hears: ClassVar[bool] = False
    now: ClassVar[datetime] = NOON

    @classmethod
    def folder(cls) -> Path:
        """Where the fixtures lie: beside the test module."""
        return Path(inspect.getfile(cls)).parent

    @classmethod
    def made(cls, door: Any = None, **settings: str) -> Any:
        """The connector with the test's settings, and these."""
        return cls.connector({**cls.settings, **settings}, door, lambda: cls.now)

    @classmethod
    def secrets(cls) -> list[str]:
        return [cls.settings[f.name] for f in cls.connector.fields if f.secret and cls.settings.get(f.name)]

    # --- tests ---

    def test_what_it_speaks_is_said(self) -> None:
        speaks_http = isinstance(self, HttpContract)
        assert speaks_http == (self.transport == "HTTP"), "inherit HttpContract, or say in `transport` what it speaks"

    def test_it_says_what_a_form_and_a_list_need(self) -> None:
        assert self.connector.label and self.connector.checks, "`label`, and in `checks` what `health` tries"
        assert len({field.name for field in self.connector.fields}) == len(self.connector.fields)
        assert set(self.connector.identity) <= {field.name for field in self.connector.fields}
        assert set(self.settings) <= {field.name for field in self.connector.fields}, "a setting without a field"

    def test_secrets_of_the_test_can_be_told_from_other_words(self) -> None:
        assert all(len(secret) >= SHORTEST_SECRET for secret in self.secrets())
        assert len(set(self.secrets())) == len(self.secrets())

    def test_health_is_offered(self) -> None:
        assert offered(self.connector)["health"], "without it the account could never be checked"

    def test_each_required_field_that_is_missing_is_named(self) -> None:
        for field in (field for field in self.connector.fields if field.required):
            for missing in (
                {k: v for k, v in self.settings.items() if k != field.name},
                {**self.settings, field.name: ""},
            ):
                with pytest.raises(Misconfigured, match="Not filled in") as refused:
                    registry.require(self.connector, missing)
                assert field.label in refused.value.message

    def test_no_secret_shows_when_it_is_printed(self) -> None:
        made = self.made()
        assert watching.leaked(self.secrets(), repr(made), str(made)) == []

    def test_it_imports_what_a_connector_may(self) -> None:
        assert wrong_imports(self.connector.__module__) == []

    def test_what_it_hears_is_tested(self) -> None:
        if not offered(self.connector)["verify"]:
            with pytest.raises(Unsupported):
                self.made().verify(Inbound({}, b""))
        else:
            assert self.hears, "it overrides `verify`: inherit HearingContract as well"


class HttpContract(Contract):
    """For connectors that speak HTTP through the door.

    `calls`: at least one of each operation that is offered; further ones under names such as `offer-many`.
    `strictly` narrows or widens what a failure may become: {("offer", "404"): (Rejected,)}.
    `tolerated`: (call, number of the exchange) whose failure changes nothing, because it only tidies up.
    """

    calls: ClassVar[Mapping[str, Call]]
    strictly: ClassVar[Mapping[tuple[str, str], tuple[type[HubError], ...]]] = {}
    tolerated: ClassVar[frozenset[tuple[str, int]]] = frozenset()

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Each call; and each exchange of each call, which may fail in each way."""
        if "exchange" in metafunc.fixturenames:
            numbers = [(call, at) for call in self.calls for at in range(len(self.conversation(call).exchanges))]
            metafunc.parametrize(("call", "exchange"), numbers, ids=[f"{call}-{at}" for call, at in numbers])
        elif "call" in metafunc.fixturenames:
            metafunc.parametrize("call", list(self.calls))
        if "failing" in metafunc.fixturenames:
            metafunc.parametrize("failing", failures.NAMES)

    @classmethod
    def conversation(cls, call: str) -> Conversation:
        return fixtures.load(cls.folder() / f"{call}.json")

    @classmethod
    def outcome(cls, call: str, conversation: Conversation, failing: Failure | None = None) -> Outcome:
        """Make the call against a remote that says what the conversation says, or fails."""
        value, error = None, None
        with conversing(conversation.exchanges, failing) as (remote, door), watching.logs() as watcher:
            made = cls.made(door)
            try:
                value = _whole(cls.calls[call](made))
            except BaseException as raised:
                if isinstance(raised, KeyboardInterrupt):
                    raise
                error = raised
            left = "\n".join([*watcher.lines, repr(made), repr(value), watching.shown(error) if error else ""])
        return Outcome(value, error, remote.asked, left)

    # --- tests ---

    def test_every_operation_that_is_offered_is_called(self) -> None:
        called = {call.partition("-")[0] for call in self.calls}
        assert {name for name, is_offered in offered(self.connector).items() if is_offered} - {"verify"} <= called

    def test_the_remote_is_asked_exactly_this(self, call: str) -> None:
        conversation = self.conversation(call)
        outcome = self.outcome(call, conversation)
        assert outcome.error is None, outcome.left
        for asked, exchange in zip(outcome.asked, conversation.exchanges, strict=False):
            assert asked == exchange.request
        assert len(outcome.asked) == len(conversation.exchanges)

    def test_its_reply_becomes_this(self, call: str) -> None:
        conversation = self.conversation(call)
        outcome = self.outcome(call, conversation)
        assert plain(outcome.value) == conversation.returns
        assert ill_typed(outcome.value) == []

    def test_no_secret_is_left_behind(self, call: str) -> None:
        assert watching.leaked(self.secrets(), self.outcome(call, self.conversation(call)).left) == []

    def test_a_failure_says_what_to_do_next(self, call: str, exchange: int, failing: str) -> None:
        conversation = self.conversation(call)
        outcome = self.outcome(call, conversation, failure(failing, exchange))
        assert watching.leaked(self.secrets(), outcome.left) == []
        if outcome.error is None:
            assert (call, exchange) in self.tolerated, f"{failing} was taken for an answer: {outcome.value!r}"
            return
        wanted = self.strictly.get((call, failing)) or allowed(failing, conversation.exchanges[exchange].writes)
        if (call, exchange) in self.tolerated:  # then what comes after it fails
            wanted += allowed(failing, False) + allowed(failing, True)
        assert isinstance(outcome.error, HubError), f"not one of the hub's errors:\n{outcome.left}"
        assert isinstance(outcome.error, wanted), f"{outcome.error!r} instead of {[kind.__name__ for kind in wanted]}"
        assert unfit(outcome.error, failing) == ""
        assert outcome.error.message.strip()

    def test_an_answer_of_wrong_types_is_no_answer(self, call: str, exchange: int) -> None:
        """What is raised is one of the hub's errors, and what is not raised is of the right types all the same."""
        conversation = self.conversation(call)
        wrong = []
        for where, reply in spoilt(conversation.exchanges[exchange]):
            changed = [*conversation.exchanges]
            changed[exchange] = fixtures.Exchange(changed[exchange].request, reply)
            outcome = self.outcome(call, Conversation(tuple(changed), None))
            if outcome.error is not None and not isinstance(outcome.error, HubError):
                wrong.append(f"{where}: {outcome.error!r}")
            elif outcome.error is None and (found := ill_typed(outcome.value)):
                wrong.append(f"{where}: {', '.join(found)}")
            elif leaked := watching.leaked(self.secrets(), outcome.left):
                wrong.append(f"{where}: leaks {leaked}")
        assert wrong == []


def _whole(value: Any) -> Any:
    """What is read page by page is read to its end."""
    return list(value) if isinstance(value, Iterator) else value
