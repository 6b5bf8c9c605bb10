"""A small business for the hub to serve: things with a version, built from the database; errands; and news of both.

Its effects and its wishes share one transaction, as everywhere. `fault_news` has no constraint: what is settled twice
stands there twice. Documents that harm whoever builds or sends them have telling names (`HARM`).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from django.db import connection, transaction

from integrations.hub import outgoing, topics
from integrations.hub.models import Account
from integrations.hub.topics import State
from integrations.hub.values import Done, Lane, Repeat
from tests.hub.probe import Errand, Thing, point

TABLES = """
CREATE TABLE IF NOT EXISTS fault_thing (key text PRIMARY KEY COLLATE "C", version int NOT NULL);
CREATE TABLE IF NOT EXISTS fault_news (account_id bigint NOT NULL, topic text NOT NULL, key text NOT NULL);
TRUNCATE fault_thing, fault_news;
"""
CHANGE = """
INSERT INTO fault_thing SELECT k, 1 FROM unnest(%s::text[]) AS w(k) ORDER BY k COLLATE "C"
ON CONFLICT (key) DO UPDATE SET version = fault_thing.version + 1
"""


def found() -> None:
    """Its tables, empty."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)


def change(keys: Collection[str], topic: str = "fault.thing") -> None:
    """One transaction: each of these things is another one now, and whoever shows them is to be told."""
    with outgoing.recording():
        with connection.cursor() as cursor:
            cursor.execute(CHANGE, [sorted(set(keys))])
        outgoing.ensure(topic, keys)


def order(topic: str, account: Account, keys: Iterable[str]) -> None:
    """One transaction: have these done, each once."""
    with outgoing.recording():
        for key in keys:
            outgoing.command(topic, account, {"key": key}, key=key)


def versions() -> dict[str, int]:
    """What each thing is now."""
    return dict(_rows("SELECT key, version FROM fault_thing"))


def news() -> dict[tuple[int, str, str], int]:
    """How often the news of each command was written: (account, topic, key) -> times."""
    rows = _rows("SELECT account_id, topic, key, count(*) FROM fault_news GROUP BY 1, 2, 3")
    return {(account, topic, key): times for account, topic, key, times in rows}


def _rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def _note(account: Account, topic: str, key: str) -> None:
    _rows("INSERT INTO fault_news VALUES (%s, %s, %s) RETURNING 1", account.pk, topic, key)


class Goods(Thing):
    """State: the version that stands in the database when it is built."""

    name = "fault.thing"

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Any]:
        rows = _rows("SELECT key, version FROM fault_thing WHERE key = ANY(%s)", list(keys))
        point("built")
        return {key: {"version": version} for key, version in rows}

    def settle(self, account: Account, key: str, done: Done) -> None:
        transaction.on_commit(lambda: point("settled"))


class _Noted(Errand):
    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        _note(account, self.name, payload["key"])
        transaction.on_commit(lambda: point("settled"))


class Looked(_Noted):
    """Its remote dedupes nothing, and can be asked."""

    name = "fault.look"
    repeat = Repeat.LOOK


class Safe(_Noted):
    """Its remote dedupes our key."""

    name = "fault.safe"
    repeat = Repeat.SAFE


class Blind(_Noted):
    """Its remote dedupes nothing and cannot be asked."""

    name = "fault.never"
    repeat = Repeat.NEVER


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang() -> None:
    while True:
        time.sleep(60)


def _raise() -> None:
    raise ZeroDivisionError("poison")


class Poison(Goods):
    """Built by workers that may die of it. In the test's own process nothing happens but an error."""

    name = "fault.poison"
    HARM: ClassVar[Mapping[str, Any]] = {"kills": _die, "hangs": _hang, "raises": _raise}
    home: ClassVar[int] = os.getpid()

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Any]:
        assert os.getpid() != self.home, "only workers of their own take poison"
        for key in keys:
            if harm := self.HARM.get(key):
                harm()
        return super().build(account, keys)


COMMANDS: tuple[type[_Noted], ...] = (Looked, Safe, Blind)
STATES: tuple[type[State], ...] = (Goods, Poison)


def register() -> None:
    for each in (*STATES, *COMMANDS):
        topics.register(each())


assert Goods.lane is Lane.CATALOGUE and Looked.lane is Lane.MONEY  # what the tests' workers are told to drain
