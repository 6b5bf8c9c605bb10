"""What the pages of payments have in common.

Nothing is edited: rows are written by the flow, and by the actions of these pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub import said
from integrations.hub.desk.admin_pages import Refused, ViewOnlyAdmin, act, too_late
from shop.payments.aftercare import Settled
from shop.payments.disputes import CannotDispute, Closed
from shop.payments.refunds import CannotRefund
from shop.pricing.money import TooFine

REFUND, APPROVE, SETTLE = "payments.refund_payment", "payments.approve_refund", "payments.settle_payment"


def order_link(order_id: int, number: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:order_order_change", args=[order_id]), number)


def refusing(do: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """What the services refuse, as words for the person who asked."""

    def done(data: dict[str, Any]) -> str:
        try:
            return do(data)
        except (Settled, Closed):
            raise Refused(_("Somebody did something about it meanwhile. Nothing was changed."), final=True) from None
        except (CannotRefund, CannotDispute, TooFine) as refusal:
            raise Refused(said.in_words(str(refusal))) from None

    return done


class PaymentsAdmin(ViewOnlyAdmin):
    """The pages of one thing are drawn by their template, from what `shown` returns."""

    draws_itself = True

    def shown(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        shown = self.shown(request, obj) if obj else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})

    def page(
        self, request: HttpRequest, name: str, obj: Any, do: Callable[[dict[str, Any]], str], **page: Any
    ) -> HttpResponse:
        """The page of the action `name`."""
        if not self.offers(name, obj):
            return too_late(self, request, obj)
        return act(self, request, obj, refusing(do), **page)


class StateFilter(admin.SimpleListFilter):
    """The states of a worklist; `states` are (value, words, rows)."""

    title = gettext_lazy("state")
    parameter_name = "state"
    states: tuple[tuple[str, Any, Callable[[], Q]], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, words) for value, words, _rows in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = {value: rows for value, _words, rows in self.states}.get(self.value() or "")
        return queryset.filter(rows()) if rows else queryset
