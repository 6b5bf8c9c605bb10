"""Writing outgoing work: inside the business transaction, as its last statement, sorted.

with outgoing.recording():          # one durable transaction
    ...                             # effects; wiring calls ensure() and command() on the way
                                    # on leaving: one sorted upsert, commit, wake-ups
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from psycopg.types.json import Jsonb

from integrations.hub import topics
from integrations.hub.keeping.retention import KEPT
from integrations.hub.models import Account, AccountState, Attempt, Outgoing
from integrations.hub.topics import Command, State
from integrations.hub.workers import wakeups
from runtime.logs import trace


@dataclass
class _Wish:
    subject: str
    lane: int
    is_command: bool = False
    serial: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    expires_at: datetime | None = None


_Key = tuple[int, str, str]
_accounts: ContextVar[list[Account] | None] = ContextVar("accounts", default=None)
_wishes: ContextVar[dict[_Key, _Wish] | None] = ContextVar("outgoing", default=None)


@contextmanager
def recording() -> Iterator[None]:
    """One business transaction whose effects and outgoing rows commit together. Not nested: effects have one owner."""
    if _wishes.get() is not None:
        raise RuntimeError("A business transaction was opened inside another one.")
    wishes: dict[_Key, _Wish] = {}
    with transaction.atomic(durable=True):
        token, known = _wishes.set(wishes), _accounts.set(None)
        try:
            yield
            _write(wishes)
        finally:
            _accounts.reset(known)
            _wishes.reset(token)  # before the commit: what runs on it may be a business transaction of its own


def accounts(kind: str) -> list[Account]:
    """All accounts of a kind that are not retired, by name: those that work may be written for. Looked up once in a
    business transaction; only inside `recording()`."""
    _open()
    known = _accounts.get()
    if known is None:
        known = list(Account.objects.exclude(state=AccountState.RETIRED).order_by("name"))
        _accounts.set(known)
    return [account for account in known if account.kind == kind]


def ensure(topic: str, keys: Collection[str]) -> None:
    """Wish that the remotes who care look as our rows say about these keys. Only inside `recording()`."""
    state, wishes = _state(topic), _open()
    for key, accounts in state.accounts(keys).items():
        for account in accounts:
            wishes[account.pk, topic, key] = _Wish(state.subject(key), int(state.lane))


def ensure_for(topic: str, account_id: int, keys: Collection[str]) -> None:
    """The same, of one account only, whoever else would care."""
    state, wishes = _state(topic), _open()
    for key in keys:
        wishes[account_id, topic, key] = _Wish(state.subject(key), int(state.lane))


def _state(topic: str) -> State:
    state = topics.find(topic)
    if not isinstance(state, State):
        raise LookupError(f"{topic!r} is not a registered state topic")
    return state


def command(
    topic: str,
    account: Account,
    payload: dict[str, Any],
    *,
    key: str,
    serial: str = "",
    expires_at: datetime | None = None,
) -> None:
    """Have this done once. A second command with the same (account, topic, key) is the same command."""
    order = topics.find(topic)
    if not isinstance(order, Command):
        raise LookupError(f"{topic!r} is not a registered command topic")
    _open().setdefault(
        (account.pk, topic, key),
        _Wish(
            subject=order.subject(key),
            lane=int(order.lane),
            is_command=True,
            serial=serial,
            payload=payload,
            version=order.version,
            expires_at=expires_at or timezone.now() + order.expires_after,
        ),
    )


# The remote perhaps has it. Attempts of what was delivered are kept for a month (`retention`); what a person took they
# may be entering this moment, and what they ticked off is there without any attempt of ours.
ATTEMPTED = (
    Exists(Attempt.objects.filter(outgoing=OuterRef("pk")))
    | Q(delivered_at__lt=Now() - KEPT)
    | Q(taken__isnull=False)
    | Q(facts__has_key="by_hand")
)


def attempted(subject: str, names: Collection[str]) -> bool:
    """May any account have it? (A committed attempt, or a person who does it by hand: perhaps it arrived.)"""
    return Outgoing.objects.filter(ATTEMPTED, subject=subject, topic__in=names).exists()


def attempted_keys(topic: str, account: Account, keys: Collection[str]) -> set[str]:
    """Those of `keys` that this account may have."""
    rows = Outgoing.objects.filter(ATTEMPTED, account=account, topic=topic, key__in=list(keys))
    return set(rows.values_list("key", flat=True))


def _open() -> dict[_Key, _Wish]:
    wishes = _wishes.get()
    if wishes is None:
        raise RuntimeError("Outgoing work is written inside outgoing.recording() only.")
    return wishes


_UPSERT = """
INSERT INTO hub_outgoing AS o (account_id, topic, key, subject, lane, is_command, serial, payload, version,
    expires_at, wanted, delivered, waits_topic, waits_key, lease_size, failures, crashes, is_unknown, last_error,
    parked_reason, refs, facts, warnings, trace)
SELECT w.account_id, w.topic, w.key, w.subject, w.lane, w.is_command, w.serial, w.payload, w.version,
    w.expires_at, 1, 0, '', '', 0, 0, 0, false, '', '', '[]', '{}', '[]', %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::bool[], %s::text[], %s::jsonb[],
    %s::smallint[], %s::timestamptz[])
    AS w(account_id, topic, key, subject, lane, is_command, serial, payload, version, expires_at)
ORDER BY w.account_id, w.topic COLLATE "C", w.key COLLATE "C"
ON CONFLICT (account_id, topic, key) DO UPDATE
SET wanted = o.wanted + 1, wished_at = CASE WHEN o.delivered < o.wanted THEN o.wished_at ELSE clock_timestamp() END,
    parked_at = NULL, parked_reason = '', failures = 0, failing_since = NULL,
    next_at = least(o.next_at, clock_timestamp()), waits_topic = '', waits_key = '',
    trace = coalesce(nullif(excluded.trace, ''), o.trace)
WHERE NOT o.is_command
"""


def _write(wishes: dict[_Key, _Wish]) -> None:
    """The one sorted upsert. A new wish for a parked state row gives it another chance."""
    if not wishes:
        return
    rows = [(*key, w) for key, w in wishes.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            [
                trace.current(),
                [r[0] for r in rows],
                [r[1] for r in rows],
                [r[2] for r in rows],
                [r[3].subject for r in rows],
                [r[3].lane for r in rows],
                [r[3].is_command for r in rows],
                [r[3].serial for r in rows],
                [Jsonb(r[3].payload) for r in rows],
                [r[3].version for r in rows],
                [r[3].expires_at for r in rows],
            ],
        )
    wakeups.on_commit({w.lane for w in wishes.values()})
