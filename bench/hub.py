"""What it costs to take a message: CPU of the whole request, beside a bare view that inserts one row."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from bench.bare_hub.providers import bank
from bench.client import Failed
from bench.rows import Row, judged
from bench.web import Spent, Web
from integrations.hub.incoming import addresses as hook_addresses
from integrations.hub.models import Account, AccountState, Cursor, Incoming

Say = Callable[[str], None]
SENDERS = 4
ROUNDS = 7
MESSAGES = 600  # of one round
MOST = 3
SIGNING = "of-the-account"
BODY = json.dumps({"id": "P-20261122-7Q2M9K", "status": "succeeded", "amount": "412.00", "pad": "x" * 600}).encode()


class Remote:
    """Sends messages: to accounts' addresses in turn, signed, or to the bare view. Each on a connection of its own."""

    def __init__(self, web: Web, accounts: Sequence[Account], paths: Sequence[str]) -> None:
        self.web = web
        self._numbers: Iterator[int] = itertools.count(1)
        self._turns = itertools.cycle(zip(accounts, paths, strict=True))

    def message(self, event: str) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the message with this id."""
        sent = timezone.now().isoformat()
        signature = bank.signature(SIGNING, event, sent, BODY)
        return BODY, {"Content-Type": "application/json", "Bench-Time": sent, "Bench-Signature": signature}

    def send(self) -> None:
        account, path = next(self._turns)
        event = f"{account.pk}-{next(self._numbers):09}"
        body, headers = self.message(event)
        link = HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        try:
            link.request("POST", path, body, {**headers, "Connection": "close", "Bench-Id": event})
            answer = link.getresponse()
            text = answer.read()
        finally:
            link.close()
        if (answer.status, text) != (200, b"success"):
            raise Failed(answer.status, "/hooks/", text.decode()[:500])

    def play(self) -> Spent:
        """A round of messages, by several senders at once; the CPU time of each in milliseconds."""
        before = self.web.spent()
        with ThreadPoolExecutor(SENDERS) as pool:
            for sent in [pool.submit(self.send) for _ in range(MESSAGES)]:
                sent.result()
        return (self.web.spent() - before).each(MESSAGES)


def measure(say: Say) -> list[Row]:
    accounts = [_account(number) for number in range(MESSAGES)]
    paths = [urlsplit(hook_addresses.make(account)).path for account in accounts]
    with (
        tempfile.TemporaryDirectory(prefix="weft-bench-") as folder,
        Web("hub", "bench.bare_hub.wsgi", dict(os.environ), Path(folder)) as web,
    ):
        web.wait("/robots.txt")
        bare = Remote(web, accounts, ["/hooks/bare/"] * MESSAGES)
        return [compared("hub.ack", Remote(web, accounts, paths), bare, say)]


def _account(number: int) -> Account:
    account = Account(kind=bank.Bank.kind, provider=bank.Bank.name, name=f"bench {number}", state=AccountState.ACTIVE)
    account.credentials = {"signing": SIGNING}
    account.save()
    return account


def compared(id: str, ours: Remote, bare: Remote, say: Say) -> Row:
    """CPU of a message to the real door and to the bare view, in turns."""
    taken, plain = [], []
    for turn in range(1 + ROUNDS):  # the first one warms
        _heeded()
        taken.append(ours.play())
        _look(turn)
        plain.append(bare.play())
        if turn:
            say(f"{taken[-1].both:.2f} ms CPU a message, bare {plain[-1].both:.2f}")
    if Cursor.objects.count() != Incoming.objects.count():
        raise RuntimeError(f"{Cursor.objects.count()} rows of the bare view")
    first, other = (Spent.median(found[1:]) for found in (taken, plain))
    note = (
        f"each wakes a worker; {first.web:.2f} web + {first.database:.2f} database, bare {other.web:.2f} + "
        f"{other.database:.2f}"
    )
    return judged(id, "ms CPU", first.both, other.both, on="ratio", most=MOST, note=note)


def _heeded() -> None:
    """As if workers had been there: nothing waits, so that every message wakes one."""
    now = timezone.now()
    Incoming.objects.filter(done_at=None).update(parsed_at=now, done_at=now)
    OrmQ.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE hub_incoming, hub_cursor, hub_hookaddress, django_q_ormq")


def _look(turn: int) -> None:
    """Each message is there once, and woke a worker."""
    if (Incoming.objects.count(), OrmQ.objects.count()) != (MESSAGES * (1 + turn), MESSAGES):
        raise RuntimeError(f"{Incoming.objects.count()} messages in round {turn}, {OrmQ.objects.count()} wake-ups")
