"""What is sent to payment providers: refunds. Payments are started while somebody waits, and watched."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy

from integrations.hub.errors import Rejected
from integrations.hub.incoming import addresses
from integrations.hub.models import Account, Outgoing
from integrations.hub.topics import Command
from integrations.hub.values import Done, Lane, Money, Pending, Ref, Repeat
from integrations.payments.base import Payments, RefundSeen, RefundStatus
from integrations.payments.base import Refund as Wanted
from shop.payments import flow, refunds
from shop.payments.models import RefundPart


class RefundTopic(Command):
    """One part of a refund. Its key is the provider's idempotency key; after an unknown outcome it is looked at."""

    name = refunds.TOPIC
    label = gettext_lazy("refund")
    lane = Lane.MONEY
    kind = "payments"
    operation = "refund"
    repeat = Repeat.LOOK
    by_hand = True
    needs = ("amount",)
    outlives_account = True
    expires_after = timedelta(days=365)

    def subject(self, key: str) -> str:
        number = RefundPart.objects.values_list("attempt__order__number", flat=True).get(key=key)
        return f"order:{number}"

    def send(self, remote: Payments, payload: dict[str, Any], key: str) -> Done:
        part = _part(key)
        wanted = replace(asked(part), notify_url=addresses.ours(part.attempt.account))
        try:
            return done(remote.refund(wanted))
        except Rejected as refused:  # final: the money stayed, and a person has to know
            return done(RefundSeen(key, RefundStatus.FAILED, wanted.amount, why=refused.message))

    def look(self, remote: Payments, payload: dict[str, Any], key: str) -> Done | Pending | None:
        seen = remote.look_refund(asked(_part(key)))
        return done(seen) if seen else None

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        part = RefundPart.objects.select_related("attempt").get(pk=payload["part"])
        order, attempt = flow.lock(part.attempt_id)
        part = RefundPart.objects.select_for_update(of=("self",)).get(pk=part.pk)
        seen = _seen(part, done, attempt.currency)
        refunds.settle_part(part, order, attempt, seen, source=f"{account.name}: refund")
        if seen.status is RefundStatus.PENDING:  # accepted; it is watched from now on
            flow.look_soon(attempt)


def _part(key: str) -> RefundPart:
    return RefundPart.objects.select_related("attempt__account", "refund").get(key=key)


def asked(part: RefundPart) -> Wanted:
    """A part as its provider is asked for it."""
    attempt = part.attempt
    return Wanted(
        key=part.key, number=attempt.number, remote=attempt.remote, reason=part.refund.reason,
        amount=Money(part.amount, attempt.currency), total=Money(attempt.total, attempt.currency), notify_url="",
    )  # fmt: skip


def done(seen: RefundSeen) -> Done:
    """A refund as it stands, as the hub keeps it."""
    facts = {
        "status": seen.status.value, "amount": str(seen.amount.amount), "why": seen.why,
        "done_at": seen.done_at.isoformat() if seen.done_at else "",
    }  # fmt: skip
    return Done((Ref(seen.remote),) if seen.remote else (), facts)


def _seen(part: RefundPart, done: Done, currency: str) -> RefundSeen:
    """The other way; what a person did by hand says no status: it is done."""
    facts = done.facts
    at = facts.get("done_at")
    return RefundSeen(
        part.key, RefundStatus(facts.get("status", RefundStatus.DONE)),
        Money(Decimal(facts.get("amount") or part.amount), currency),
        remote=done.refs[0].id if done.refs else "", done_at=datetime.fromisoformat(at) if at else None,
        why=facts.get("why", ""),
    )  # fmt: skip


def is_sent(part: RefundPart) -> bool:
    """Was it carried out by the hub, so that it is the provider's now?"""
    return Outgoing.objects.filter(topic=refunds.TOPIC, key=part.key, delivered__gt=0).exists()
