"""Doing by hand what a remote cannot take just now, and catching up without a double.

A person *takes* rows: they are not sent until they are given back. What was done is *ticked off* with its number at
the remote, up to the revision that was taken: what was wished since is still sent. What was not done is given back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from integrations.hub import registry, said, topics
from integrations.hub.clock import Clock
from integrations.hub.errors import HubError
from integrations.hub.models import Account, AccountState, Attempt, Outgoing, Taken
from integrations.hub.sending import outcomes, parking, plans
from integrations.hub.sending.claims import LEASE_SECONDS, Claim
from integrations.hub.sending.outcomes import Sent
from integrations.hub.topics import Command, State
from integrations.hub.values import Absent, Done, NotReady, Ref, Repeat, Unneeded
from integrations.hub.workers import wakeups

TOGETHER = 100  # rows settled in one transaction
_IDLE = Q(lease_until=None) | Q(lease_until__lt=Clock())
_UNFINISHED = Exists(Attempt.objects.filter(outgoing=OuterRef("pk"), finished_at=None))


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person says of a row they did: its number at the remote, the amount where one is needed, a note."""

    number: str
    amount: str = ""
    note: str = ""


@dataclass(slots=True)
class Result:
    """How many rows were ticked off and given back, and what could not be: row id -> why."""

    ticked: int = 0
    given_back: int = 0
    refused: dict[int, str] = field(default_factory=dict)


# --- taking ----------------------------------------------------------------------------------------------------------


def take(rows: QuerySet[Outgoing], actor: str) -> tuple[list[Taken], dict[int, str]]:
    """Take rows out of the machine's hands: a worksheet for each account, and why others were left (row id -> words).

    In a transaction of its own. Parked rows may be taken; what was perhaps sent may not: it is looked up first.
    """
    sheets: dict[int, Taken] = {}
    with transaction.atomic(durable=True):
        asked = rows.order_by("account_id", "topic", "key")  # the one lock order
        locked = list(asked.select_for_update(of=("self",)).annotate(perhaps=_UNFINISHED, now=Clock()))
        left = {row.pk: words for row in locked if (words := _not_takeable(row))}
        for row in (row for row in locked if row.pk not in left):
            if row.account_id not in sheets:
                sheets[row.account_id] = Taken.objects.create(account_id=row.account_id, actor=actor)
        for account_id, sheet in sheets.items():
            mine = [row.pk for row in locked if row.account_id == account_id and row.pk not in left]
            Outgoing.objects.filter(pk__in=mine).update(
                taken=sheet, taken_revision=F("wanted"), parked_at=None, parked_reason="", lease_token=None,
                lease_until=None, lease_size=0,
            )  # fmt: skip
    return list(sheets.values()), left


def _not_takeable(row: Any) -> str:
    """Why a row may not be taken; empty when it may. `row` is annotated with `perhaps` and `now`."""
    topic = topics.find(row.topic)
    if not row.is_open:
        return _("It is done already.")
    if row.taken_id:
        return _("Somebody has taken it already.")
    if row.lease_until is not None and row.lease_until > row.now:
        return _("It is being sent this moment.")
    if row.is_unknown or row.perhaps:
        return _("Perhaps it was done: let it be looked up first (try again), or look yourself and close it.")
    if row.waits_key:
        return _("It waits for another.")
    if topic is None or not topic.by_hand:
        return _("It cannot be done by hand: other figures depend on how it is sent.")
    if isinstance(topic, Command) and row.version > topic.version:
        return _("A newer Weft wrote it.")
    return ""


def documents(rows: Sequence[Outgoing]) -> dict[int, Any]:
    """Row id -> what is to be done, as it would be sent now: a document, Absent, or why there is nothing to do."""
    docs: dict[int, Any] = {}
    for name in sorted({row.topic for row in rows}):
        mine = [row for row in rows if row.topic == name]
        topic = topics.find(name)
        if isinstance(topic, State):
            built = topic.build(mine[0].account, [row.key for row in mine])
            docs.update({row.pk: built.get(row.key, Absent()) for row in mine})
        elif isinstance(topic, Command):
            docs.update({row.pk: plans.current(topic, row) for row in mine})
    return docs


def open_rows(sheet: Taken) -> QuerySet[Outgoing]:
    """What is still on a worksheet."""
    return sheet.rows.select_related("account").order_by("topic", "key")


# --- ticking off and giving back -------------------------------------------------------------------------------------


def missing(row: Outgoing, entered: Entered) -> str:
    """What a person has to enter yet before this row can be ticked off; empty when nothing is missing."""
    topic = topics.find(row.topic)
    if not entered.number.strip():
        return _("Its number at the remote is missing.")
    if topic is not None and "amount" in topic.needs and not entered.amount.strip():
        return _("The amount is missing.")
    return ""


def finish(sheet: Taken, done: Mapping[int, Entered], not_done: Collection[int], actor: str) -> Result:
    """Tick rows off (id -> what was entered) and give others back. Rows that left the worksheet meanwhile are said."""
    result = Result()
    wanted = {**dict.fromkeys(not_done, ""), **dict.fromkeys(done, "")}
    rows = {row.pk: row for row in open_rows(sheet).filter(pk__in=wanted)}
    result.refused = {pk: _("It is not on this worksheet any more.") for pk in wanted if pk not in rows}
    for pk, row in rows.items():
        if pk in done and (words := missing(row, done[pk])):
            result.refused[pk] = words
    ticked = [row for pk, row in rows.items() if pk in done and pk not in result.refused]
    result.given_back = give_back(sheet.rows.filter(pk__in=[pk for pk in rows if pk not in done]))
    for _topic, mine in _by_topic(ticked):
        for at in range(0, len(mine), TOGETHER):
            _tick(sheet, mine[at : at + TOGETHER], done, actor, result)
    return result


def _by_topic(rows: Iterable[Outgoing]) -> list[tuple[str, list[Outgoing]]]:
    found: dict[str, list[Outgoing]] = {}
    for row in rows:
        found.setdefault(row.topic, []).append(row)
    return list(found.items())


_HOLD = """
UPDATE hub_outgoing SET lease_token = %s, lease_size = 0, lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE id IN (
    SELECT id FROM hub_outgoing WHERE id = ANY(%s) AND taken_id = %s
    AND (lease_token IS NULL OR lease_until < clock_timestamp())
    ORDER BY topic COLLATE "C", key COLLATE "C" FOR UPDATE)
RETURNING id, wanted
"""


def _tick(sheet: Taken, rows: Sequence[Outgoing], done: Mapping[int, Entered], actor: str, result: Result) -> None:
    """Settle rows as a worker would that had sent them: held by a lease, domain rows first."""
    topic = topics.find(rows[0].topic)
    if topic is None:
        result.refused.update({row.pk: _("No part of Weft knows this topic any more.") for row in rows})
        return
    docs = documents(rows)
    claim = Claim(sheet.account, uuid.uuid4(), tuple(rows))
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [claim.token, LEASE_SECONDS, [row.pk for row in rows], sheet.pk])
        held = dict(cursor.fetchall())
    sent = []
    for row in rows:
        if row.pk in held:
            # Of what was wished anew since, nobody knows what the person did: only the number is kept.
            doc = docs.get(row.pk) if held[row.pk] == row.taken_revision else None
            sent.append(_sent(topic, row, doc, done[row.pk], actor))
    outcomes.settle(claim, sorted(sent, key=lambda one: one.row.key), _news(topic, sheet.account, docs))
    left = dict(sheet.rows.filter(pk__in=[row.pk for row in rows]).values_list("pk", "last_error"))
    result.ticked += len(rows) - len(left)
    for pk, why in left.items():
        result.refused[pk] = _("It could not be settled: %(why)s") % {"why": said.in_words(why) or "–"}


def _sent(topic: topics.Topic, row: Outgoing, doc: Any, entered: Entered, actor: str) -> Sent:
    number = entered.number.strip()
    entry = {"actor": actor, "number": number, "amount": entered.amount.strip(), "note": entered.note.strip()}
    done = Done(refs=(Ref(id="", number=number),), facts={**row.facts, "by_hand": entry})
    row.wanted = row.taken_revision or row.wanted  # what was wished since is still to be sent
    can_ask = isinstance(topic, Command) and topic.repeat is Repeat.LOOK
    return Sent(row, None, topic.worked(doc, done), unconfirmed=can_ask)


def _news(topic: topics.Topic, account: Account, docs: Mapping[int, Any]) -> Callable[[Sent], None]:
    def settle(sent: Sent) -> None:
        if isinstance(topic, State):
            topic.settle(account, sent.row.key, sent.done)
        elif isinstance(topic, Command):
            topic.settle(account, docs[sent.row.pk], sent.done)

    return settle


def give_back(rows: QuerySet[Outgoing]) -> int:
    """Not done: the machine has them again, at once. In a transaction of its own; returns how many."""
    with transaction.atomic(durable=True):
        taken = parking.in_order(rows.filter(_IDLE, taken__isnull=False))
        lanes = set(taken.values_list("lane", flat=True))
        count = taken.update(taken=None, taken_revision=None, next_at=Clock(), failures=0, failing_since=None)
        if lanes:
            wakeups.on_commit(lanes)
    return count


# --- what a person said, asked of the remote -------------------------------------------------------------------------


def unconfirmed() -> QuerySet[Outgoing]:
    """Commands that people ticked off lately and the remote has not confirmed, if it can be asked."""
    reachable = Q(account__state=AccountState.ACTIVE) | Q(account__state=AccountState.RETIRED)
    return Outgoing.objects.filter(reachable, is_unconfirmed=True, delivered_at__gt=Clock() - timedelta(days=30))


def confirm(limit: int = 100) -> int:
    """Ask remotes about commands that people ticked off; returns how many were confirmed. What is not there stays
    unconfirmed, and is shown to staff."""
    confirmed = 0
    for row in unconfirmed().select_related("account").order_by("pk")[:limit]:
        topic = topics.find(row.topic)
        payload = plans.current(topic, row) if isinstance(topic, Command) else None
        if not isinstance(topic, Command) or payload is None:
            continue
        try:
            seen = topic.look(registry.connect(row.account, budget=20), payload, row.key)
        except HubError as error:
            Outgoing.objects.filter(pk=row.pk).update(last_error=error.message)
            continue
        if isinstance(seen, Done):
            confirmed += Outgoing.objects.filter(pk=row.pk, is_unconfirmed=True).update(
                is_unconfirmed=False, last_error=""
            )
    return confirmed


def is_work(doc: Any) -> bool:
    """Is there anything to be done for this document?"""
    return not isinstance(doc, NotReady | Unneeded)
