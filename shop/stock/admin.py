"""The stock board and one SKU's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import F, Min, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin, badge
from integrations.hub.files import exports
from shop.order.admin_page import status_badge
from shop.said import who
from shop.stock import approvals, finding
from shop.stock.admin_links import (
    LYING,
    document_link,
    escrow_link,
    level_link,
    lying,
    lying_link,
    on_hand_link,
    order_link,
    reserved_link,
    rows_link,
)
from shop.stock.admin_moves import PlaceActions
from shop.stock.admin_supply import promise_table
from shop.stock.models import SET_APART, Hold, Kind, Level, Movement, Pool, Share, Shortage, Supply
from shop.stock.reasons import why

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
class PoolAdmin(PlaceActions, ViewOnlyAdmin):
    list_display = (
        "sku", "title", "shown_on_hand", "shown_reserved", "shown_escrow", "shown_free", "shown_shortage", "incoming",
        "shown_apart", "places",
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
        exports.text(LYING["damaged"], lambda pool: lying(pool)["damaged"]),
        exports.text(LYING["quality"], lambda pool: lying(pool)["quality"]),
        exports.text(LYING["elsewhere"], lambda pool: lying(pool)["elsewhere"]),
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

    @display(description=gettext_lazy("for channels"), ordering="escrow")
    def shown_escrow(self, pool: Pool) -> str:
        return escrow_link(pool)

    @display(description=gettext_lazy("free units"))
    def shown_free(self, pool: Pool) -> str:
        return format_html("<strong>{}</strong>", pool.free)

    @display(description=gettext_lazy("shortage"), ordering="shortage")
    def shown_shortage(self, pool: Pool) -> str:
        if not pool.shortage:
            return ""
        return rows_link("shortage", badge(pool.shortage, "danger"), sku=pool.sku, state="open")

    @display(description=gettext_lazy("not for sale"))
    def shown_apart(self, pool: Pool) -> str:
        """What else there is of it, and where it lies."""
        shown = [(LYING[column], lying_link(pool, column)) for column, units in lying(pool).items() if units]
        return format_html_join(" · ", "{} {}", shown)

    @display(description=gettext_lazy("incoming"), ordering="next_on")
    def incoming(self, pool: Any) -> str:
        """How many units are still to come, and when the first of them."""
        if not pool.to_come:
            return ""
        number = rows_link("supply", pool.to_come, sku=pool.sku, state="open")
        return format_html('{}<span class="weft-second">{}</span>', number, pool.next_on.isoformat())

    @display(description=gettext_lazy("by warehouse"))
    def places(self, pool: Pool) -> str:
        """Those with goods set apart are named beside."""
        levels = [level for level in _sorted(pool) if level.warehouse.kind not in SET_APART]
        return format_html_join(" · ", "{} {}", ((level.warehouse, level_link(level)) for level in levels))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        pool = self.get_object(request, unquote(object_id))
        shown = page(pool) if pool else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})


def _sorted(pool: Pool) -> list[Level]:
    return _shelves_first(pool.levels.all())


def _shelves_first(levels: Iterable[Level]) -> list[Level]:
    """Then as orders are sourced from them."""
    return sorted(
        levels,
        key=lambda level: (level.warehouse.kind != Kind.SHELF, level.warehouse.priority, level.warehouse.code),
    )


def page(pool: Pool) -> dict[str, Any]:
    """What the template of a SKU's page shows."""
    promised = Hold.objects.filter(pool=pool, open__gt=0).select_related("line__order")[:HOLDS_SHOWN]
    levels = _shelves_first(Level.objects.filter(pool=pool).select_related("warehouse__erp_account"))
    return {
        "pool": pool,
        "promise": promise_table(pool.sku, pool.free),
        "on_hand": on_hand_link(pool),
        "reserved": reserved_link(pool),
        "escrow": escrow_link(pool),
        "shares": [(share, why(share)) for share in Share.objects.filter(pool=pool).select_related("channel__account")],
        "lying": {where: lying_link(pool, where) for where in lying(pool)},
        "waiting": approvals.waiting().filter(pool=pool).select_related("warehouse"),
        "levels": [(level, level_link(level)) for level in levels],
        "holds": [(hold, order_link(hold.line.order.number), status_badge(hold.line.order)) for hold in promised],
        "all_holds": rows_link("hold", _("all"), sku=pool.sku),
        "movements": [
            (move, document_link(move.document), who(move.actor))
            for move in Movement.objects.filter(pool=pool).select_related("warehouse")[:MOVEMENTS_SHOWN]
        ],
        "all_movements": rows_link("movement", _("all"), sku=pool.sku),
        "shortages": Shortage.objects.filter(pool=pool)[:SHORTAGES_SHOWN],
        "broken": rows_link("brokenpromise", _("promises not kept"), sku=pool.sku),
    }
