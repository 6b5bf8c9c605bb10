"""The stock board, one SKU's page, and the warehouses: these alone are edited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import F, Min, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub import exports
from integrations.hub.admin_pages import StaffAdmin, ViewOnlyAdmin, badge
from shop.order.admin_page import status_badge
from shop.said import who
from shop.stock import finding
from shop.stock.admin_actions import StockActions
from shop.stock.admin_links import document_link, level_link, on_hand_link, order_link, reserved_link, rows_link
from shop.stock.admin_supply import promise_table
from shop.stock.models import Hold, Level, Movement, Pool, Shortage, Supply, Warehouse

MOVEMENTS_SHOWN = 100
HOLDS_SHOWN = 100
SHORTAGES_SHOWN = 20


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
    list_display = (
        "sku", "title", "shown_on_hand", "shown_reserved", "shown_free", "shown_shortage", "incoming", "places",
    )  # fmt: skip
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
        exports.text(gettext_lazy("incoming"), lambda pool: pool.to_come or 0),
        exports.text(gettext_lazy("next arrival"), lambda pool: pool.next_on.isoformat() if pool.next_on else ""),
        exports.text(gettext_lazy("by warehouse"), lambda pool: " · ".join(
            f"{level.warehouse} {level.on_hand}" for level in _sorted(pool))),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        coming = Supply.objects.filter(pool=OuterRef("pk"), open__gt=0).order_by().values("pool")
        pools = (
            super()
            .get_queryset(request)
            .annotate(
                title=finding.titles(),
                to_come=Subquery(coming.annotate(units=Sum("open")).values("units")),
                next_on=Subquery(coming.annotate(first=Min("expected_on")).values("first")),
            )
        )
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

    @display(description=gettext_lazy("incoming"), ordering="next_on")
    def incoming(self, pool: Any) -> str:
        """How many units are still to come, and when the first of them."""
        if not pool.to_come:
            return ""
        number = rows_link("supply", pool.to_come, sku=pool.sku, state="open")
        return format_html('{}<span class="weft-second">{}</span>', number, pool.next_on.isoformat())

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
        "promise": promise_table(pool.sku, pool.free),
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
