"""Shortages: what was promised and is not there, whose promises that breaks, and how each ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin, badge
from integrations.hub.files import exports
from shop.stock.admin_ledgers import SkuFilter
from shop.stock.admin_links import order_link, pool_link, rows_link
from shop.stock.admin_promises import panel
from shop.stock.models import Shortage


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shortage]) -> QuerySet[Shortage]:
        match self.value():
            case "open":
                return queryset.filter(closed_at=None)
            case "closed":
                return queryset.exclude(closed_at=None)
        return queryset


@admin.register(Shortage)
class ShortageAdmin(ViewOnlyAdmin):
    list_display = (
        "sku", "quantity", "cause", "shown_state", "affected", "cancelled", "opened_at", "closed_at",
    )  # fmt: skip
    list_filter = (SkuFilter, OpenFilter, "cause", "provisional")
    list_before_template = "admin/stock/promises.html"
    search_fields = ("=pool__sku",)
    search_help_text = gettext_lazy("SKU")
    fields = (
        "sku", "quantity", "cause", "shown_state", "all_affected", "story", "opened_at", "confirmed_at", "closed_at",
    )  # fmt: skip
    readonly_fields = ("sku", "shown_state", "all_affected", "story")
    exported = (
        exports.text(gettext_lazy("SKU"), lambda row: row.pool_id),
        exports.text(gettext_lazy("units short"), lambda row: row.quantity),
        exports.text(gettext_lazy("cause"), lambda row: row.get_cause_display()),
        exports.text(gettext_lazy("state"), lambda row: _state(row)[0]),
        exports.text(gettext_lazy("orders that cannot be kept"), lambda row: ", ".join(row.orders)),
        exports.time(gettext_lazy("opened at"), lambda row: row.opened_at),
        exports.time(gettext_lazy("confirmed at"), lambda row: row.confirmed_at),
        exports.time(gettext_lazy("closed at"), lambda row: row.closed_at),
        exports.text(gettext_lazy("units short in all"), lambda row: row.in_all),
        exports.text(gettext_lazy("covered by goods"), lambda row: row.covered),
        exports.text(gettext_lazy("cancelled for want of goods"), lambda row: row.not_kept),
        exports.text(gettext_lazy("promises that ended otherwise"), lambda row: _otherwise(row)),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shortage]:
        return super().get_queryset(request).annotate(not_kept=Sum("broken_promises__units", default=0))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {**panel(), "brief": True} if request.user.has_perm("stock.view_brokenpromise") else None
        return super().changelist_view(request, {**(extra_context or {}), "promises": shown})

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, shortage: Shortage) -> str:
        return pool_link(shortage.pool_id)

    @display(description=gettext_lazy("state"))
    def shown_state(self, shortage: Shortage) -> str:
        return badge(*_state(shortage))

    @display(description=gettext_lazy("orders that cannot be kept"))
    def affected(self, shortage: Shortage) -> str:
        return format_html_join(", ", "{}", ((order_link(number),) for number in shortage.orders[:10]))

    @display(description=gettext_lazy("orders that cannot be kept"))
    def all_affected(self, shortage: Shortage) -> str:
        return format_html_join(", ", "{}", ((order_link(number),) for number in shortage.orders)) or "–"

    @display(description=gettext_lazy("promises not kept"), ordering="not_kept")
    def cancelled(self, shortage: Any) -> str:
        return _cancelled(shortage) if shortage.not_kept else ""

    @display(description=gettext_lazy("how it ended"))
    def story(self, shortage: Any) -> str:
        """What became of every unit that was missing."""
        parts = [(_("units short in all"), shortage.in_all), (_("cancelled for want of goods"), _cancelled(shortage))]
        if shortage.given_back is not None:
            parts[1:1] = [(_("covered by goods"), shortage.covered)]
            parts += [(_("promises that ended otherwise"), _otherwise(shortage))]
        parts += [(_("still short"), shortage.still_short)]
        return format_html_join("", "<div>{}: <strong>{}</strong></div>", parts)


def _state(shortage: Shortage) -> tuple[str, str]:
    """In words, and the colour of its badge."""
    if shortage.closed_at:
        return _("closed"), "success"
    return (_("to be confirmed"), "warning") if shortage.provisional else (_("open"), "danger")


def _cancelled(shortage: Any) -> Any:
    return rows_link("brokenpromise", shortage.not_kept, shortage__id__exact=shortage.pk) if shortage.not_kept else 0


def _otherwise(shortage: Any) -> int | None:
    """Units of orders that were not paid in time or not named, and what channels' shares gave back."""
    return None if shortage.given_back is None else shortage.given_back - shortage.not_kept
