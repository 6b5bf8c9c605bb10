"""A connector and topics for the tests of the hub: one kind of state, one waiting for it, and commands of each sort.

`point(name)` marks the places where a test has this process killed or stopped: by WEFT_TEST_POINT and
WEFT_TEST_SIGNAL, in a worker of its own only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.db import transaction

from integrations.hub import topics
from integrations.hub.connector import Connector, Field
from integrations.hub.errors import Conflict, HubError, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.models import Account, AccountState
from integrations.hub.topics import Command, State
from integrations.hub.values import Done, Health, Lane, Pending, Ref, Repeat

POINTS = ("built", "before the wire", "after the wire", "in settle", "settled")


def point(name: str) -> None:
    if os.environ.get("WEFT_TEST_POINT") == name:
        del os.environ["WEFT_TEST_POINT"]  # once
        os.kill(os.getpid(), getattr(signal, os.environ["WEFT_TEST_SIGNAL"]))


class Probe(Connector):
    """Speaks with `remote.Remote`, and says what went wrong in the hub's words."""

    kind = "probe"
    name = "probe"
    label = "Probe"
    fields = (Field("url", "URL"), Field("token", "Token", secret=True, required=False))

    def health(self) -> Health:
        return Health()

    def put(self, key: str, doc: Any) -> Done:
        return self._done(self.http.request("PUT", f"{self.url}/things/{key}", operation="put thing", json=doc))

    def post(self, key: str, doc: Any) -> Done:
        return self._done(self.http.request("POST", f"{self.url}/errands/{key}", operation="run errand", json=doc))

    def ask(self, key: str) -> bool:
        reply = self.http.request("GET", f"{self.url}/errands/{key}", operation="ask", writes=False)
        return bool(reply.json()["done"])

    @property
    def url(self) -> str:
        return self.settings["url"]

    def _done(self, reply: Any) -> Done:
        match reply.status:
            case 200:
                return Done(refs=(Ref(reply.json()["number"]),))
            case 401:
                raise Misconfigured("The token is wrong.")
            case 409:
                raise Conflict("There is another one.", existing={"number": "R-0"})
            case 422:
                raise Rejected("It is too long.", fields={"name": "too long"})
            case 500:
                raise OutcomeUnknown("It failed.")
            case 502:
                raise TryAgain("Closed for today.", after=timedelta(hours=2), scope=Scope.ACCOUNT)
            case 503:
                raise TryAgain("Busy.")
        raise ValueError(f"what is {reply.status}?")


@dataclass
class Wanted:
    """What the builders say: key -> document, NotReady, Unneeded, or an exception to raise."""

    docs: dict[str, Any] = field(default_factory=dict)
    settled: list[tuple[str, str]] = field(default_factory=list)

    def of(self, key: str) -> Any:
        doc = self.docs.get(key, {"value": 1})
        if isinstance(doc, Exception):
            raise doc
        return doc


class Thing(State):
    name = "test.thing"
    lane = Lane.CATALOGUE
    kind = "probe"
    wanted: ClassVar[Wanted] = Wanted()

    def subject(self, key: str) -> str:
        return f"thing:{key}"

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        found = list(Account.objects.filter(kind=self.kind).exclude(state=AccountState.RETIRED))
        return {key: found for key in keys}

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Any]:
        docs = {key: self.wanted.of(key) for key in keys}
        point("built")
        return docs

    def deliver(self, remote: Probe, docs: Mapping[str, Any]) -> Mapping[str, Done | HubError]:
        answers: dict[str, Done | HubError] = {}
        for key, doc in docs.items():
            point("before the wire")
            try:
                answers[key] = remote.put(key, doc)
            except HubError as error:
                answers[key] = error
            point("after the wire")
        return answers

    def settle(self, account: Account, key: str, done: Done) -> None:
        self.wanted.settled.append((self.name, key))
        point("in settle")
        transaction.on_commit(lambda: point("settled"))


class Bill(Thing):
    """Waits for the thing of its own key."""

    name = "test.bill"


class Shelf(Thing):
    """Taken by the remote thirty at a time."""

    name = "test.shelf"
    batch = 30


class Errand(Command):
    """Done once; the remote can be asked."""

    name = "test.look"
    lane = Lane.MONEY
    kind = "probe"
    repeat = Repeat.LOOK
    settled: ClassVar[list[str]] = []

    def subject(self, key: str) -> str:
        return f"errand:{key}"

    def send(self, remote: Probe, payload: dict[str, Any], key: str) -> Done:
        point("before the wire")
        done = remote.post(key, payload)
        point("after the wire")
        return done

    def look(self, remote: Probe, payload: dict[str, Any], key: str) -> Done | Pending | None:
        if payload.get("pending"):
            return Pending()
        return Done() if remote.ask(key) else None

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        self.settled.append(payload.get("name", ""))
        point("in settle")
        transaction.on_commit(lambda: point("settled"))


class SafeErrand(Errand):
    name = "test.safe"
    repeat = Repeat.SAFE


class MailErrand(Errand):
    """Sent once more, at most, after an unknown outcome."""

    name = "test.mail"
    repeat = Repeat.SAFE
    resends = 1


class BlindErrand(Errand):
    name = "test.never"
    repeat = Repeat.NEVER


class NewErrand(Errand):
    """Version 3 reads what 1 and 2 wrote."""

    name = "test.new"
    version = 3

    def upgrade(self, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "name": payload.get("name", "") + f" from {version}"}


TOPICS = (Thing, Bill, Shelf, Errand, SafeErrand, MailErrand, BlindErrand, NewErrand)


def register() -> None:
    for each in TOPICS:
        topics.register(each())
