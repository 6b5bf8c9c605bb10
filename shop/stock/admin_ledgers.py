"""The ledgers behind the stock board: movements, holds and what ERPs said. Only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin
from integrations.hub.files import exports
from shop.order import finding as orders
from shop.order.admin_page import status_badge
from shop.said import who
from shop.stock import finding, holds
from shop.stock.admin_links import LYING, document_link, order_link, pool_link
from shop.stock.models import SET_APART, Hold, Movement, Reading, Repair


class SkuFilter(admin.SimpleListFilter):
    """Exactly one SKU: where a number of the board leads."""

    title = gettext_lazy("SKU")
    parameter_name = "sku"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        sku = self.value()
        return [(sku, sku)] if sku else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pool=self.value()) if self.value() else queryset


class PlaceFilter(admin.RelatedFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("warehouse")


class LiesFilter(admin.SimpleListFilter):
    """Where a number of the board beside on hand leads."""

    title = gettext_lazy("lies")
    parameter_name = "lies"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LYING.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movement]) -> QuerySet[Movement]:
        match self.value():
            case "damaged" | "quality" as kind:
                return queryset.filter(warehouse__kind=kind)
            case "elsewhere":
                return queryset.filter(warehouse__is_sellable=False).exclude(warehouse__kind__in=SET_APART)
        return queryset


class SummedAdmin(ViewOnlyAdmin):
    """A ledger: with one SKU chosen, the list says what its rows add up to."""

    summed = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", None)
        if shown and "cl" in shown and SkuFilter.parameter_name in request.GET:
            shown["weft_sum"] = shown["cl"].queryset.order_by().aggregate(sum=Sum(self.summed, default=0))["sum"]
        return answer


@admin.register(Movement)
class MovementAdmin(SummedAdmin):
    summed = "quantity"
    list_display = ("at", "sku", "place", "signed", "reason", "shown_document", "by", "note")
    list_filter = (SkuFilter, "reason", ("warehouse", PlaceFilter), "warehouse__is_sellable", LiesFilter, "at")
    list_select_related = ("warehouse",)
    search_fields = ("document",)  # shows the box; see `found`
    search_help_text = gettext_lazy("SKU or document")
    fields = ("at", "sku", "place", "signed", "reason", "shown_document", "by", "note")
    readonly_fields = ("at", "sku", "place", "signed", "shown_document", "by")
    exported = (
        exports.time(gettext_lazy("at"), lambda move: move.at),
        exports.text(gettext_lazy("SKU"), lambda move: move.pool_id),
        exports.text(gettext_lazy("warehouse"), lambda move: str(move.warehouse)),
        exports.text(gettext_lazy("quantity"), lambda move: move.quantity),
        exports.text(gettext_lazy("reason"), lambda move: move.get_reason_display()),
        exports.text(gettext_lazy("document"), lambda move: move.document),
        exports.text(gettext_lazy("by"), lambda move: who(move.actor)),
        exports.text(gettext_lazy("note"), lambda move: move.note),
    )

    def found(self, text: str) -> QuerySet[Movement]:
        return Movement.objects.filter(Q(pool__in=list(finding.spelled(text))) | Q(document=text))

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, movement: Movement) -> str:
        return pool_link(movement.pool_id)

    @display(description=gettext_lazy("warehouse"), ordering="warehouse")
    def place(self, movement: Movement) -> str:
        return str(movement.warehouse)

    @display(description=gettext_lazy("quantity"), ordering="quantity")
    def signed(self, movement: Movement) -> str:
        return f"{movement.quantity:+d}"

    @display(description=gettext_lazy("document"), ordering="document")
    def shown_document(self, movement: Movement) -> str:
        return document_link(movement.document)

    @display(description=gettext_lazy("by"), ordering="actor")
    def by(self, movement: Movement) -> str:
        return who(movement.actor)


class OpenHolds(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("overdue", _("overdue")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        match self.value():
            case "open":
                return queryset.filter(open__gt=0)
            case "overdue":
                return queryset.filter(pk__in=holds.overdue().values("pk"))
            case "closed":
                return queryset.filter(open=0)
        return queryset


@admin.register(Hold)
class HoldAdmin(SummedAdmin):
    summed = "open"
    list_display = ("sku", "order", "status", "quantity", "open", "consumed", "released", "deadline", "created_at")
    list_filter = (SkuFilter, OpenHolds, "created_at")
    list_select_related = ("line__order",)
    search_fields = ("pool",)  # shows the box; see `found`
    search_help_text = gettext_lazy("SKU or order number")
    fields = ("sku", "order", "status", "quantity", "open", "consumed", "released", "deadline", "created_at")
    readonly_fields = ("sku", "order", "status", "open", "created_at")
    exported = (
        exports.text(gettext_lazy("SKU"), lambda hold: hold.pool_id),
        exports.text(gettext_lazy("order"), lambda hold: hold.line.order.number),
        exports.text(gettext_lazy("status"), lambda hold: hold.line.order.get_status_display()),
        exports.text(gettext_lazy("quantity"), lambda hold: hold.quantity),
        exports.text(gettext_lazy("open"), lambda hold: hold.open),
        exports.text(gettext_lazy("shipped"), lambda hold: hold.consumed),
        exports.text(gettext_lazy("released"), lambda hold: hold.released),
        exports.time(gettext_lazy("deadline"), lambda hold: hold.deadline),
        exports.time(gettext_lazy("made at"), lambda hold: hold.created_at),
    )

    def found(self, text: str) -> QuerySet[Hold]:
        of_order = Hold.objects.filter(line__order__in=orders.numbered(text))
        of_sku = Hold.objects.filter(pool__in=finding.spelled(text))
        return Hold.objects.filter(pk__in=of_order.order_by().values("pk").union(of_sku.order_by().values("pk")))

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, hold: Hold) -> str:
        return pool_link(hold.pool_id)

    @display(description=gettext_lazy("order"))
    def order(self, hold: Hold) -> str:
        return order_link(hold.line.order.number)

    @display(description=gettext_lazy("status"))
    def status(self, hold: Hold) -> str:
        return status_badge(hold.line.order)


@admin.register(Reading)
class ReadingAdmin(ViewOnlyAdmin):
    list_display = ("id", "account", "started_at", "finished_at", "rows", "changed", "refused")
    list_filter = ("account", "started_at")
    list_select_related = ("account",)


@admin.register(Repair)
class RepairAdmin(ViewOnlyAdmin):
    list_display = ("at", "sku", "figure", "document", "before", "after", "by")
    list_filter = (SkuFilter, "figure", "at")
    search_fields = ("=pool__sku",)
    search_help_text = gettext_lazy("SKU")
    fields = readonly_fields = ("at", "sku", "figure", "document", "before", "after", "by")

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, repair: Repair) -> str:
        return pool_link(repair.pool_id)

    @display(description=gettext_lazy("by"))
    def by(self, repair: Repair) -> str:
        return who(repair.actor)
