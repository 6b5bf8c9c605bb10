"""Work for measuring: things of a catalogue and errands about money, taken by a remote that needs a moment, or that
never answers. No wire: what is measured is the hub's own doing."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bench.bare_hub.providers.shelf import Shelf
from integrations.hub import outgoing, topics
from integrations.hub.errors import HubError
from integrations.hub.models import Account, AccountState
from integrations.hub.topics import Command, State
from integrations.hub.values import Done, Lane, Repeat


class Thing(State):
    name = "bench.thing"
    lane = Lane.CATALOGUE
    kind = Shelf.kind

    def subject(self, key: str) -> str:
        return f"thing:{key}"

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        found = list(Account.objects.filter(kind=self.kind, provider=Shelf.name, state=AccountState.ACTIVE))
        return {key: found for key in keys}

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Any]:
        return {key: key for key in keys}

    def deliver(self, remote: Shelf, docs: Mapping[str, Any]) -> Mapping[str, Done | HubError]:
        return {key: remote.take(key) for key in docs}


class Errand(Command):
    name = "bench.errand"
    lane = Lane.MONEY
    kind = Shelf.kind
    repeat = Repeat.SAFE

    def subject(self, key: str) -> str:
        return f"errand:{key}"

    def send(self, remote: Shelf, payload: dict[str, Any], key: str) -> Done:
        return remote.take(key)

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        """Nothing depends on it."""


def register() -> None:
    topics.register(Thing())
    topics.register(Errand())


def wish(keys: Sequence[str], at_once: int = 1000) -> None:
    """Things, in business transactions of so many."""
    for at in range(0, len(keys), at_once):
        with outgoing.recording():
            outgoing.ensure(Thing.name, keys[at : at + at_once])


def errand(account: Account, key: str) -> None:
    with outgoing.recording():
        outgoing.command(Errand.name, account, {"at": time.time()}, key=key)
