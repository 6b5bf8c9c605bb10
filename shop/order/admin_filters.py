"""Filters of the order list that Django has no word for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shop.days import working_day_ago
from shop.order.models import OPEN_RETURN, SAID_TO_BE_PAID, Status

AGES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "72h": timedelta(hours=72), "7d": timedelta(days=7)}


class AgeFilter(admin.SimpleListFilter):
    """Relative, so that a list that was saved means the same tomorrow. `prefix` leads from the row to its order."""

    title = gettext_lazy("age")
    parameter_name = "older"
    prefix = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1h", _("older than an hour")),
            ("24h", _("older than 24 hours")),
            ("72h", _("older than 72 hours")),
            ("7d", _("older than a week")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        age = AGES.get(self.value() or "")
        return queryset.filter(**{f"{self.prefix}date_placed__lt": timezone.now() - age}) if age else queryset


class PlacedFilter(admin.DateFieldListFilter):
    """Oscar gave its column no name that could be translated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("placed at")


class LineAgeFilter(AgeFilter):
    prefix = "order__"


class ReturnFilter(admin.SimpleListFilter):
    title = gettext_lazy("needs a return")
    parameter_name = "return"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("not back yet")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.filter(OPEN_RETURN)
            case "closed":
                return queryset.filter(return_closed_at__isnull=False)
        return queryset


class SaidFilter(admin.SimpleListFilter):
    title = gettext_lazy("said to be paid")
    parameter_name = "said"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("not confirmed yet")),
            ("overdue", _("not confirmed after a working day")),
            ("expired", _("payment time over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.filter(SAID_TO_BE_PAID)
            case "overdue":
                return queryset.filter(SAID_TO_BE_PAID, payment_said_at__lt=working_day_ago())
            case "expired":
                return queryset.filter(status=Status.EXPIRED, payment_said_at__isnull=False, paid_at=None)
        return queryset


class OriginFilter(admin.SimpleListFilter):
    """Two kinds are enough: to list every source ever seen would read every order."""

    title = gettext_lazy("source")
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("web", _("own shop")), ("outside", _("from outside"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "web":
                return queryset.filter(source_account="web")
            case "outside":
                return queryset.exclude(source_account="web")
        return queryset
