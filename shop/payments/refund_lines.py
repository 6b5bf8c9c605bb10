"""What of an order a refund is for: units of its lines, its shipping. What came back goes into stock with it.

The amount of a line is what was paid for it after its discounts, as computed when the order was placed. Units are
proposed at their share; the last units take what rounding left over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils import timezone

from shop.order.models import Line, LineKind, Order
from shop.payments.models import PartStatus, Refund, RefundLine, RefundPart
from shop.pricing.money import ZERO, exact, quantise
from shop.returns.models import Return, ReturnLine
from shop.stock import movements
from shop.stock.models import Reason
from shop.stock.movements import Move, NotOurs


class CannotRefund(Exception):
    """It cannot be given back as asked; the message says why. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Give back `amount` for `quantity` units of a line (0: money only). `restock`: the id of the warehouse they are
    back in; None where they are not (yet)."""

    line_id: int
    quantity: int
    amount: Decimal
    restock: int | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is left of a line: units and money not refunded yet, and units that left and are not back."""

    line: Line
    quantity: int
    amount: Decimal
    returnable: int
    currency: str

    def amount_of(self, quantity: int) -> Decimal:
        """What to propose for so many units."""
        if quantity >= self.quantity:
            return self.amount
        return min(quantise(self.amount * quantity / self.quantity, self.currency), self.amount)


def proposal(order: Order) -> list[Proposed]:
    """Every line of an order, with what is left of it. Four queries, however many lines."""
    refunded = _refunded(order)
    left = _sums(order, "parcel_lines__quantity")
    back = _sums(order, "return_lines__quantity")
    found = []
    for line in order.lines.order_by("pk"):
        units, money = refunded[line.pk]
        away = left[line.pk] - back[line.pk] if line.kind == LineKind.GOODS else 0
        rest = max(line.quantity - units, 0), max(line.line_price_incl_tax - money, ZERO)
        found.append(Proposed(line, *rest, max(away, 0), order.currency))
    return found


def shipping_left(order: Order) -> Decimal:
    """What was paid for shipping and is not refunded yet."""
    given = Refund.objects.filter(_standing(), order=order).aggregate(sum=Sum("shipping"))["sum"]
    return max(order.shipping_incl_tax - (given or ZERO), ZERO)


def _standing(prefix: str = "") -> Q:
    """Refunds that count: those of which every part failed for good gave nothing back."""
    alive = RefundPart.objects.exclude(status=PartStatus.FAILED, closed_at__isnull=False).values("refund")
    return Q(**{f"{prefix}pk__in": alive})


def _refunded(order: Order) -> defaultdict[int, tuple[int, Decimal]]:
    lines = RefundLine.objects.filter(_standing("refund__"), refund__order=order).values_list("line").order_by("line")
    sums = lines.annotate(units=Sum("quantity"), money=Sum("amount"))
    return defaultdict(lambda: (0, ZERO), {line: (units, money) for line, units, money in sums})


def _sums(order: Order, what: str) -> defaultdict[int, int]:
    return defaultdict(int, order.lines.values_list("pk").annotate(n=Sum(what)).filter(n__isnull=False))


def check(order: Order, amount: Decimal, shipping: Decimal, wanted: Sequence[Wanted]) -> None:
    """Raises CannotRefund or TooFine unless a locked order allows exactly this."""
    left = {proposed.line.pk: proposed for proposed in proposal(order)}
    for one in wanted:
        _check_line(left.get(one.line_id), one)
    if len({one.line_id for one in wanted}) < len(wanted):
        raise CannotRefund("A line stands in it twice.")
    if not ZERO <= exact(shipping, order.currency) <= (most := shipping_left(order)):
        raise CannotRefund(f"Of shipping at most {exact(most, order.currency)} is left to give back.")
    lines = exact(sum((one.amount for one in wanted), shipping), order.currency)
    if lines > amount:
        raise CannotRefund(f"The lines and shipping come to {lines}, which is more than {amount}.")


def _check_line(left: Proposed | None, one: Wanted) -> None:
    if left is None:
        raise CannotRefund("A line belongs to another order.")
    sku = left.line.sku
    if not 0 <= one.quantity <= left.quantity:
        raise CannotRefund(f"{sku}: at most {left.quantity} are left to refund.")
    if not ZERO <= exact(one.amount, left.currency) <= left.amount:
        raise CannotRefund(f"{sku}: at most {exact(left.amount, left.currency)} is left to give back.")
    if one.restock is not None and one.quantity > left.returnable:
        raise CannotRefund(f"{sku}: only {left.returnable} have left and can be back.")


def write(refund: Refund, wanted: Sequence[Wanted]) -> None:
    """Write the checked lines of a refund, and take into stock what is back. Raises CannotRefund."""
    RefundLine.objects.bulk_create(
        RefundLine(refund=refund, line_id=one.line_id, quantity=one.quantity, amount=one.amount, restock_id=one.restock)
        for one in wanted
        if one.quantity or one.amount
    )
    if back := [one for one in wanted if one.restock is not None and one.quantity]:
        _take_back(refund, back)


def _take_back(refund: Refund, back: Sequence[Wanted]) -> None:
    order = refund.order
    returned = Return.objects.create(
        number=f"{order.number}-{refund.pk}", source_account=order.source_account, received_at=timezone.now(),
        buyer_reference=order.buyer_reference, actor=refund.actor,
    )  # fmt: skip
    ReturnLine.objects.bulk_create(
        ReturnLine(returned=returned, line_id=one.line_id, quantity=one.quantity, warehouse_id=one.restock)
        for one in back
    )
    skus = dict(order.lines.filter(pk__in=[one.line_id for one in back]).values_list("pk", "partner_sku"))
    moves = [
        Move(skus[one.line_id], one.restock or 0, one.quantity, Reason.RETURNED, f"return:{returned.pk}", refund.actor)
        for one in back
    ]
    try:
        movements.by_staff(moves)
    except NotOurs as error:
        raise CannotRefund(str(error)) from error
