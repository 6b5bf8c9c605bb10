"""Stock in the admin: a board of all SKUs, one SKU's page, and the ledgers behind them. Only warehouses are edited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ValidationError
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from modeltranslation.utils import build_localized_fieldname
from unfold.decorators import display

from integrations.hub.admin_pages import StaffAdmin, ViewOnlyAdmin, badge
from shop.order.admin import status_badge
from shop.partner.models import StockRecord
from shop.stock.admin_actions import StockActions
from shop.stock.models import Hold, Level, Movement, Pool, Reading, Shortage, Warehouse

MOVEMENTS_SHOWN = 100
HOLDS_SHOWN = 100
SHORTAGES_SHOWN = 20


def titles() -> Coalesce:
    """The product's title in the reader's language, beside each pool; a variant without one has its parent's."""
    column = build_localized_fieldname("title", get_language() or "zh-hans")
    names = [f"product__{column}", "product__title", f"product__parent__{column}", "product__parent__title"]
    records = StockRecord.objects.filter(partner_sku=OuterRef("sku"))
    found = Coalesce(*(NullIf(F(name), Value("")) for name in names))
    return Coalesce(Subquery(records.annotate(found=found).values("found")[:1]), Value(""))


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


@admin.register(Pool)
class PoolAdmin(StockActions, ViewOnlyAdmin):
    list_display = ("sku", "title", "on_hand", "reserved", "escrow", "shown_free", "shown_shortage", "places")
    list_filter = (ShortFilter,)
    search_fields = ("sku", "title")
    search_help_text = gettext_lazy("SKU or title")
    draws_itself = True
    change_form_before_template = "admin/stock/pool/detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        pools = super().get_queryset(request).annotate(title=titles())
        return pools.prefetch_related("levels__warehouse")

    @display(description=gettext_lazy("title"), ordering="title")
    def title(self, pool: Any) -> str:
        return pool.title

    @display(description=gettext_lazy("free units"))
    def shown_free(self, pool: Pool) -> str:
        return format_html("<strong>{}</strong>", pool.free)

    @display(description=gettext_lazy("shortage"), ordering="shortage")
    def shown_shortage(self, pool: Pool) -> str:
        return badge(pool.shortage, "danger") if pool.shortage else ""

    @display(description=gettext_lazy("by warehouse"))
    def places(self, pool: Pool) -> str:
        levels = sorted(pool.levels.all(), key=lambda level: (level.warehouse.priority, level.warehouse.code))
        return format_html_join(" · ", "{} {}", ((level.warehouse, level.on_hand) for level in levels))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        pool = self.get_object(request, unquote(object_id))
        shown = page(pool) if pool else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})


def page(pool: Pool) -> dict[str, Any]:
    """What the template of a SKU's page shows."""
    holds = Hold.objects.filter(pool=pool, open__gt=0).select_related("line__order")[:HOLDS_SHOWN]
    return {
        "pool": pool,
        "levels": Level.objects.filter(pool=pool).select_related("warehouse__erp_account").order_by("warehouse"),
        "holds": [(hold, order_link(hold.line.order.number), status_badge(hold.line.order)) for hold in holds],
        "movements": Movement.objects.filter(pool=pool).select_related("warehouse")[:MOVEMENTS_SHOWN],
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


@admin.register(Movement)
class MovementAdmin(ViewOnlyAdmin):
    list_display = ("at", "sku", "place", "signed", "reason", "document", "actor", "note")
    list_filter = ("reason", ("warehouse", PlaceFilter), "at")
    list_select_related = ("warehouse",)
    search_fields = ("=pool__sku", "document", "note")
    search_help_text = gettext_lazy("SKU, document or note")

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, movement: Movement) -> str:
        return pool_link(movement.pool_id)

    @display(description=gettext_lazy("warehouse"), ordering="warehouse")
    def place(self, movement: Movement) -> str:
        return str(movement.warehouse)

    @display(description=gettext_lazy("quantity"), ordering="quantity")
    def signed(self, movement: Movement) -> str:
        return f"{movement.quantity:+d}"


class OpenHolds(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        match self.value():
            case "open":
                return queryset.filter(open__gt=0)
            case "closed":
                return queryset.filter(open=0)
        return queryset


@admin.register(Hold)
class HoldAdmin(ViewOnlyAdmin):
    list_display = ("sku", "order", "status", "quantity", "open", "consumed", "released", "deadline", "created_at")
    list_filter = (OpenHolds, "created_at")
    list_select_related = ("line__order",)
    search_fields = ("=pool__sku", "line__order__number")
    search_help_text = gettext_lazy("SKU or order number")

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
    list_filter = (OpenFilter, "cause", "provisional")
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
