"""A connector and topics for the tests of the hub: one kind of state, one waiting for it, and commands of each sort.

`point(name)` marks the places where a test has this process killed or stopped: by WEFT_TEST_POINT and
WEFT_TEST_SIGNAL, in a worker of its own only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone

from integrations.hub import hearing, outgoing, topics
from integrations.hub.connector import Connector, Field
from integrations.hub.errors import Conflict, Forged, HubError, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.hearing import Hearing
from integrations.hub.models import Account, AccountState
from integrations.hub.topics import Command, State
from integrations.hub.values import Answer, Budget, Done, Health, Hint, Inbound, Lane, Pending, Ref, Repeat, Verified

POINTS = ("built", "before the wire", "after the wire", "in settle", "settled")
HEARING_POINTS = ("parsing", "before the look", "after the look", "in settle", "settled")
TOLERANCE = timedelta(minutes=5)


def point(name: str) -> None:
    if os.environ.get("WEFT_TEST_POINT") == name:
        del os.environ["WEFT_TEST_POINT"]  # once
        os.kill(os.getpid(), getattr(signal, os.environ["WEFT_TEST_SIGNAL"]))


class Probe(Connector):
    """Speaks with `remote.Remote`, and says what went wrong in the hub's words."""

    kind = "probe"
    name = "probe"
    label = "Probe"
    fields = (
        Field("url", "URL"),
        Field("token", "Token", secret=True, required=False),
        Field("signing", "Signing secret", secret=True, required=False),
    )
    keeps = ("content-type",)

    def health(self) -> Health:
        return Health()

    def budget(self, operation: str) -> Budget | None:
        if "per_second" not in self.settings:
            return None
        return Budget(self.settings["app"], float(self.settings["per_second"]), int(self.settings.get("burst", 1)))

    def put_all(self, docs: Mapping[str, Any]) -> Done:
        return self._done(self.http.request("PUT", f"{self.url}/things/all", operation="put all", json=dict(docs)))

    def put(self, key: str, doc: Any) -> Done:
        return self._done(self.http.request("PUT", f"{self.url}/things/{key}", operation="put thing", json=doc))

    def post(self, key: str, doc: Any) -> Done:
        return self._done(self.http.request("POST", f"{self.url}/errands/{key}", operation="run errand", json=doc))

    def ask(self, key: str) -> bool:
        reply = self.http.request("GET", f"{self.url}/errands/{key}", operation="ask", writes=False)
        return bool(reply.json()["done"])

    def verify(self, inbound: Inbound) -> Verified:
        """One of the signatures is HMAC-SHA256 over id, time and body, with the account's own secret, made lately."""
        event, sent = inbound.headers.get("probe-id", ""), inbound.headers.get("probe-time", "")
        wanted = sign(self.settings.get("signing", ""), event, sent, inbound.body)
        offered = inbound.headers.get("probe-signature", "").split()
        if not any(hmac.compare_digest(one.encode(), wanted.encode()) for one in offered):
            raise Forged("The signature does not hold.")
        if abs(self.now() - datetime.fromisoformat(sent)) > TOLERANCE:
            raise Forged("It is too old, or our clocks differ.")
        return Verified(event)

    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        point("parsing")
        if inbound.headers.get("content-type") != "application/json":
            raise Rejected("It is not JSON.")
        return [Hint(**each) for each in json.loads(inbound.body)]

    def answer(self, accepted: bool) -> Answer:
        return Answer(200, b"success") if accepted else Answer(503, b"fail")

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


def sign(secret: str, event: str, sent: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{event}.{sent}.".encode() + body, hashlib.sha256).hexdigest()


def signed(secret: str, body: bytes, event: str = "evt-1", at: datetime | None = None) -> dict[str, str]:
    """The headers of a genuine message."""
    sent = (at or timezone.now()).isoformat()
    return {"probe-id": event, "probe-time": sent, "probe-signature": sign(secret, event, sent, body)}


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


class Box(Thing):
    """Taken by the remote as a whole, or refused as a whole."""

    name = "test.box"
    batch = 30

    def deliver(self, remote: Probe, docs: Mapping[str, Any]) -> Mapping[str, Done | HubError]:
        done = remote.put_all(docs)
        return {key: done for key in docs}


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


class Errands(Hearing):
    """News of errands. Settling wishes for the thing of the same key: `wanted` counts how often that committed."""

    name = "errand"
    lane = Lane.MONEY
    kind = "probe"
    personal = frozenset({"payer"})

    def subject(self, key: str) -> str:
        return f"errand:{key}"

    def look(self, remote: Probe, hint: Hint) -> bool:
        point("before the look")
        done = remote.ask(hint.key)
        point("after the look")
        return done

    def settle(self, account: Account, hint: Hint, truth: bool) -> None:
        outgoing.ensure("test.thing", [hint.key])
        point("in settle")
        transaction.on_commit(lambda: point("settled"))


TOPICS = (Thing, Bill, Shelf, Box, Errand, SafeErrand, MailErrand, BlindErrand, NewErrand)


def register() -> None:
    for each in TOPICS:
        topics.register(each())
    hearing.register(Errands())
