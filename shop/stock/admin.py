"""Stock in the admin: a board of all SKUs, one SKU's page, and the ledgers behind them. Only warehouses are edited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub import exports
from integrations.hub.admin_pages import StaffAdmin, ViewOnlyAdmin, badge
from shop.order import finding as orders
from shop.order.admin_page import status_badge
from shop.said import who
from shop.stock import finding, holds
from shop.stock.admin_actions import StockActions
from shop.stock.models import Hold, Level, Movement, Pool, Reading, Shortage, Warehouse

MOVEMENTS_SHOWN = 100
HOLDS_SHOWN = 100
SHORTAGES_SHOWN = 20


def pool_link(sku: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:stock_pool_change", args=[quote(sku)]), sku)


def order_link(number: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:order_order_by_number", args=[number]), number)


class ShortFilter(admin.SimpleListFilter):
    title = gettext_lazy("shortage")
    parameter_name = "short"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("more promised than there is")), ("none", _("nothing free"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Pool]) -> QuerySet[Pool]:
        match self.value():
            case "yes":
                return queryset.filter(shortage__gt=0)
            case "none":
                return queryset.filter(on_hand__lte=F("reserved") + F("escrow"))
        return queryset


class SkuFilter(admin.SimpleListFilter):
    """Exactly one SKU: where a number of the board leads."""

    title = gettext_lazy("SKU")
    parameter_name = "sku"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        sku = self.value()
        return [(sku, sku)] if sku else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pool=self.value()) if self.value() else queryset


# What a movement's document is, by the word before its colon: its name, and the page it has.
DOCUMENTS: dict[str, tuple[Any, str]] = {
    "parcel": (gettext_lazy("parcel"), "fulfilment_parcel"),
    "return": (gettext_lazy("return"), "returns_return"),
    "reading": (gettext_lazy("reading"), "stock_reading"),
}


def document_link(document: str) -> str:
    """A movement's document, leading to its page where it has one."""
    kind, _colon, key = document.partition(":")
    if kind not in DOCUMENTS or not key.isdecimal():
        return document
    words, page_name = DOCUMENTS[kind]
    return format_html('<a href="{}">{} #{}</a>', reverse(f"admin:{page_name}_change", args=[key]), words, key)


def rows_link(model: str, number: Any, **which: Any) -> str:
    """A number of the board, leading to the rows it is the sum of."""
    address = f"{reverse(f'admin:stock_{model}_changelist')}?{urlencode(which)}"
    return format_html('<a href="{}">{}</a>', address, number)


def on_hand_link(pool: Pool) -> str:
    return rows_link("movement", pool.on_hand, sku=pool.sku, warehouse__is_sellable__exact=1)


def reserved_link(pool: Pool) -> str:
    return rows_link("hold", pool.reserved, sku=pool.sku, state="open")


def level_link(level: Level) -> str:
    return rows_link("movement", level.on_hand, sku=level.pool_id, warehouse__id__exact=level.warehouse_id)


@admin.register(Pool)
class PoolAdmin(StockActions, ViewOnlyAdmin):
    list_display = ("sku", "title", "shown_on_hand", "shown_reserved", "shown_free", "shown_shortage", "places")
    list_filter = (ShortFilter,)
    search_fields = ("sku",)  # shows the box; see `finding.pools`
    search_help_text = gettext_lazy("SKU or title")
    draws_itself = True
    change_form_before_template = "admin/stock/pool/detail.html"
    exported = (
        exports.text(gettext_lazy("SKU"), lambda pool: pool.sku),
        exports.text(gettext_lazy("title"), lambda pool: pool.title),
        exports.text(gettext_lazy("on hand"), lambda pool: pool.on_hand),
        exports.text(gettext_lazy("reserved"), lambda pool: pool.reserved),
        exports.text(gettext_lazy("escrow"), lambda pool: pool.escrow),
        exports.text(gettext_lazy("free units"), lambda pool: pool.free),
        exports.text(gettext_lazy("shortage"), lambda pool: pool.shortage),
        exports.text(gettext_lazy("by warehouse"), lambda pool: " · ".join(
            f"{level.warehouse} {level.on_hand}" for level in _sorted(pool))),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        pools = super().get_queryset(request).annotate(title=finding.titles())
        return pools.prefetch_related("levels__warehouse")

    def found(self, text: str) -> QuerySet[Pool]:
        return finding.pools(text)

    @display(description=gettext_lazy("title"), ordering="title")
    def title(self, pool: Any) -> str:
        return pool.title

    @display(description=gettext_lazy("on hand"), ordering="on_hand")
    def shown_on_hand(self, pool: Pool) -> str:
        return on_hand_link(pool)

    @display(description=gettext_lazy("reserved"), ordering="reserved")
    def shown_reserved(self, pool: Pool) -> str:
        return reserved_link(pool)

    @display(description=gettext_lazy("free units"))
    def shown_free(self, pool: Pool) -> str:
        return format_html("<strong>{}</strong>", pool.free)

    @display(description=gettext_lazy("shortage"), ordering="shortage")
    def shown_shortage(self, pool: Pool) -> str:
        if not pool.shortage:
            return ""
        return rows_link("shortage", badge(pool.shortage, "danger"), sku=pool.sku, state="open")

    @display(description=gettext_lazy("by warehouse"))
    def places(self, pool: Pool) -> str:
        return format_html_join(" · ", "{} {}", ((level.warehouse, level_link(level)) for level in _sorted(pool)))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        pool = self.get_object(request, unquote(object_id))
        shown = page(pool) if pool else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})


def _sorted(pool: Pool) -> list[Level]:
    return sorted(pool.levels.all(), key=lambda level: (level.warehouse.priority, level.warehouse.code))


def page(pool: Pool) -> dict[str, Any]:
    """What the template of a SKU's page shows."""
    promised = Hold.objects.filter(pool=pool, open__gt=0).select_related("line__order")[:HOLDS_SHOWN]
    levels = Level.objects.filter(pool=pool).select_related("warehouse__erp_account").order_by("warehouse")
    return {
        "pool": pool,
        "on_hand": on_hand_link(pool),
        "reserved": reserved_link(pool),
        "levels": [(level, level_link(level)) for level in levels],
        "holds": [(hold, order_link(hold.line.order.number), status_badge(hold.line.order)) for hold in promised],
        "all_holds": rows_link("hold", _("all"), sku=pool.sku),
        "movements": [
            (move, document_link(move.document), who(move.actor))
            for move in Movement.objects.filter(pool=pool).select_related("warehouse")[:MOVEMENTS_SHOWN]
        ],
        "all_movements": rows_link("movement", _("all"), sku=pool.sku),
        "shortages": Shortage.objects.filter(pool=pool)[:SHORTAGES_SHOWN],
    }


class WarehouseForm(forms.ModelForm):
    """Whose the figures are and whether they may be promised cannot change under stock: the sums would not follow."""

    FIXED = ("is_sellable", "erp_account")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        changed = [name for name in self.FIXED if name in self.changed_data]
        if self.instance.pk and changed and Level.objects.filter(warehouse=self.instance).exists():
            for name in changed:
                self.add_error(name, _still_in_use())
        return data


def _still_in_use() -> ValidationError:
    return ValidationError(
        _("This warehouse has stock: what may be promised was added up with it. Make a new warehouse instead.")
    )


@admin.register(Warehouse)
class WarehouseAdmin(StaffAdmin):
    form = WarehouseForm
    list_display = ("name", "code", "priority", "is_sellable", "owner")
    list_select_related = ("erp_account",)
    search_fields = ("name", "code")
    fields = ("code", "name", "priority", "is_sellable", "erp_account")

    @display(description=gettext_lazy("figures owned by"), ordering="erp_account")
    def owner(self, warehouse: Warehouse) -> str:
        return str(warehouse.erp_account) if warehouse.erp_account_id else "Weft"

    def get_readonly_fields(self, request: HttpRequest, obj: Warehouse | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()  # other systems know it by its code


class PlaceFilter(admin.RelatedFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("warehouse")


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
    list_filter = (SkuFilter, "reason", ("warehouse", PlaceFilter), "warehouse__is_sellable", "at")
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
    list_display = ("sku", "quantity", "cause", "shown_state", "affected", "opened_at", "closed_at")
    list_filter = (SkuFilter, OpenFilter, "cause", "provisional")
    search_fields = ("=pool__sku",)
    search_help_text = gettext_lazy("SKU")

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, shortage: Shortage) -> str:
        return pool_link(shortage.pool_id)

    @display(description=gettext_lazy("state"))
    def shown_state(self, shortage: Shortage) -> str:
        if shortage.closed_at:
            return badge(_("closed"), "success")
        return badge(_("to be confirmed"), "warning") if shortage.provisional else badge(_("open"), "danger")

    @display(description=gettext_lazy("orders that cannot be kept"))
    def affected(self, shortage: Shortage) -> str:
        return format_html_join(", ", "{}", ((order_link(number),) for number in shortage.orders[:10]))


@admin.register(Reading)
class ReadingAdmin(ViewOnlyAdmin):
    list_display = ("id", "account", "started_at", "finished_at", "rows", "changed", "refused")
    list_filter = ("account", "started_at")
    list_select_related = ("account",)
