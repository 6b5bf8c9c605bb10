"""What payment providers tell us: hints at a trade or a refund. The truth is looked up, then settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from integrations.hub.errors import TryAgain
from integrations.hub.hearing import Hearing
from integrations.hub.kit.offers import offered
from integrations.hub.models import Account
from integrations.hub.values import Hint, Lane
from integrations.payments.base import REFUND, TRADE, Observed, Payments, RefundSeen, RefundStatus
from shop.payments import flow, refunds, strays, topics
from shop.payments.models import Attempt, RefundPart

NOT_SHOWN = "The provider told of a refund and does not show it yet."


@dataclass(frozen=True, slots=True)
class Truth:
    """What was seen, and when the request for it began. `made_there`: a refund of that trade that is none of ours."""

    seen: Any
    began: datetime
    made_there: RefundSeen | None = None


class TradeNews(Hearing):
    """Something happened to a trade: it was paid, closed, or money of it was given back."""

    name = TRADE
    label = gettext_lazy("payment")
    lane = Lane.MONEY
    kind = "payments"

    def subject(self, key: str) -> str:
        number = Attempt.objects.filter(number=key).values_list("order__number", flat=True).first()
        return f"order:{number}" if number else ""

    def look(self, remote: Payments, hint: Hint) -> Truth:
        began = flow.moment()
        return Truth(remote.look(hint.key, str(hint.facts.get("remote", ""))), began)

    def lock(self, account: Account, hint: Hint) -> None:
        flow.lock_numbered(account, hint.key)

    def settle(self, account: Account, hint: Hint, truth: Truth) -> None:
        _settle_trade(account, truth)


class RefundNews(Hearing):
    """Something happened to a refund. Of one that was made at the provider itself the trade is looked at, and the
    refund too where the trade does not tell the sum of what was given back."""

    name = REFUND
    label = gettext_lazy("refund")
    lane = Lane.MONEY
    kind = "payments"

    def subject(self, key: str) -> str:
        number = RefundPart.objects.filter(key=key).values_list("attempt__order__number", flat=True).first()
        return f"order:{number}" if number else ""

    def look(self, remote: Payments, hint: Hint) -> Truth:
        began = flow.moment()
        part = RefundPart.objects.select_related("attempt", "refund").filter(key=hint.key).first()
        if part is None:
            return self._made_there(remote, hint, began)
        seen = remote.look_refund(topics.asked(part))
        if seen is None:
            raise TryAgain(NOT_SHOWN)
        return Truth(seen, began)

    def _made_there(self, remote: Payments, hint: Hint, began: datetime) -> Truth:
        trade = remote.look(hint.facts["number"], str(hint.facts.get("remote", "")))
        if trade.refunded is not None or not offered(type(remote))["look_made_there"]:
            return Truth(trade, began)  # its sum says it all
        made = remote.look_made_there(hint.key, trade.number)
        if made is None or made.status is RefundStatus.PENDING:
            raise TryAgain(NOT_SHOWN)
        return Truth(trade, began, made)

    def lock(self, account: Account, hint: Hint) -> None:
        if attempt_id := RefundPart.objects.filter(key=hint.key).values_list("attempt", flat=True).first():
            flow.lock(attempt_id)
        else:
            flow.lock_numbered(account, str(hint.facts["number"]))

    def settle(self, account: Account, hint: Hint, truth: Truth) -> None:
        if isinstance(truth.seen, Observed):
            _settle_trade(account, truth)
            return
        seen: RefundSeen = truth.seen
        part = RefundPart.objects.get(key=hint.key)
        order, attempt = flow.lock(part.attempt_id)
        part = RefundPart.objects.select_for_update(of=("self",)).get(pk=part.pk)
        refunds.settle_part(part, order, attempt, seen, source=f"{account.name}: notice")


def _settle_trade(account: Account, truth: Truth) -> None:
    seen: Observed = truth.seen
    locked = flow.lock_numbered(account, seen.number)
    if locked is None:
        strays.note(account, seen)
        return
    order, attempt = locked
    flow.settle(order, attempt, seen, began=truth.began, source=f"{account.name}: notice")
    if truth.made_there:
        flow.settle_made_there(order, attempt, truth.made_there)
    flow.advance_soon(attempt)
