"""Finding payments and refunds by the numbers people have of them: ours, the provider's, the order's."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import QuerySet

from shop.order import finding
from shop.payments.models import Attempt, Refund, RefundPart

Row = TypeVar("Row", Attempt, Refund, RefundPart)


def attempts(text: str) -> QuerySet[Attempt]:
    """Payments by our number, the provider's, or (the beginning of) their order's."""
    return _either(attempts_numbered(text), Attempt.objects.filter(order__in=finding.numbered(text)))


def attempts_numbered(text: str) -> QuerySet[Attempt]:
    """Payments by our number or the provider's."""
    return _either(Attempt.objects.filter(number=text.upper()), Attempt.objects.exclude(remote="").filter(remote=text))


def parts(text: str) -> QuerySet[RefundPart]:
    """Parts of refunds by their number, the provider's, or those of their payment or order."""
    return _either(parts_numbered(text), RefundPart.objects.filter(attempt__in=attempts(text)))


def parts_numbered(text: str) -> QuerySet[RefundPart]:
    """Parts of refunds by their number or the provider's."""
    ours = RefundPart.objects.filter(key=text.upper())
    return _either(ours, RefundPart.objects.exclude(remote="").filter(remote=text))


def refunds(text: str) -> QuerySet[Refund]:
    """Refunds by the numbers of their parts, or their order's."""
    of_parts = Refund.objects.filter(pk__in=parts_numbered(text).values("refund"))
    return _either(of_parts, Refund.objects.filter(order__in=finding.numbered(text)))


def _either(first: QuerySet[Row], *others: QuerySet[Row]) -> QuerySet[Row]:
    """Rows found either way, each way by its own index."""
    ways = [way.order_by().values("pk") for way in (first, *others)]
    return first.model._default_manager.filter(pk__in=ways[0].union(*ways[1:]))
