"""Presales: what is sold before it is here, who waits for it, and what of it cannot be kept."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin, act, actor, badge, too_late
from integrations.hub.files import exports
from shop.said import who
from shop.stock import finding, presales
from shop.stock.admin_ledgers import SkuFilter
from shop.stock.admin_links import order_link, pool_link
from shop.stock.models import Presale, Waiting

SELL = ["stock.manage_presale"]
SHOWN = 100


def orders_that_wait(which: Q) -> str:
    """Orders and how many units each still waits for, the oldest promise first."""
    rows = Waiting.objects.filter(which, open__gt=0).select_related("line__order").order_by("pk")[:SHOWN]
    parts = ((row.open, order_link(row.line.order.number)) for row in rows)
    return format_html_join("", "<div>{} × {}</div>", parts) or "–"


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("open")),
            ("waiting", _("somebody waits")),
            ("short", _("cannot be kept")),
            ("closed", _("closed")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Presale]) -> QuerySet[Presale]:
        match self.value():
            case "open":
                return queryset.filter(closed_at=None)
            case "waiting":
                return queryset.filter(promised__gt=0)
            case "short":
                return queryset.filter(pk__in=presales.short_sales().values("pk"))
            case "closed":
                return queryset.exclude(closed_at=None)
        return queryset


class PresaleList(ChangeList):
    """With what cannot be kept, asked once for all rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = {short.sku: short for short in presales.short()}
        for row in self.result_list:
            row.short = found.get(row.pool_id) if row.promised else None


@admin.register(Presale)
class PresaleAdmin(ViewOnlyAdmin):
    list_display = ("sku", "shown_supply", "kind", "promised", "shown_room", "done", "shown_day", "state", "cannot")
    list_filter = (SkuFilter, StateFilter, "kind", "ships_on")
    list_select_related = ("supply",)
    search_fields = ("pool",)  # shows the box; see `found`
    search_help_text = gettext_lazy("SKU or document number")
    actions_detail = ("close",)
    readonly_fields = ("sku", "shown_supply", "shown_room", "shown_day", "state", "orders", "all_that_cannot", "opened")
    fields = (
        ("sku", "shown_supply"), ("kind", "state"), ("size", "done"), ("promised", "shown_room"),
        ("shown_day", "opened"), "orders", "all_that_cannot",
    )  # fmt: skip
    exported = (
        exports.text(gettext_lazy("SKU"), lambda row: row.pool_id),
        exports.text(gettext_lazy("document number"), lambda row: row.supply.document),
        exports.text(gettext_lazy("kind"), lambda row: row.get_kind_display()),
        exports.text(gettext_lazy("units to sell"), lambda row: row.size),
        exports.text(gettext_lazy("sold ahead"), lambda row: row.promised),
        exports.text(gettext_lazy("filled"), lambda row: row.done),
        exports.text(gettext_lazy("ships by"), lambda row: row.ships_on.isoformat()),
        exports.time(gettext_lazy("opened at"), lambda row: row.opened_at),
        exports.time(gettext_lazy("closed at"), lambda row: row.closed_at),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PresaleList

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "supply__id__exact" or super().lookup_allowed(lookup, value, request)

    def found(self, text: str) -> QuerySet[Presale]:
        return Presale.objects.filter(Q(pool__in=list(finding.spelled(text))) | Q(supply__document__istartswith=text))

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, row: Presale) -> str:
        return pool_link(row.pool_id)

    @display(description=gettext_lazy("incoming supply"), ordering="supply")
    def shown_supply(self, row: Presale) -> str:
        address = reverse("admin:stock_supply_change", args=[row.supply_id])
        return format_html('<a href="{}">{}</a>', address, row.supply.document)

    @display(description=gettext_lazy("left to sell"))
    def shown_room(self, row: Presale) -> int:
        return 0 if row.closed_at else row.room

    @display(description=gettext_lazy("ships by"), ordering="ships_on")
    def shown_day(self, row: Presale) -> str:
        return row.ships_on.isoformat()

    @display(description=gettext_lazy("state"))
    def state(self, row: Presale) -> str:
        if row.closed_at:
            return badge(_("closed"))
        return badge(_("open"), "success") if row.room else badge(_("sold out"), "warning")

    @display(description=gettext_lazy("opened at"))
    def opened(self, row: Presale) -> str:
        return f"{timezone.localtime(row.opened_at):%Y-%m-%d %H:%M} · {who(row.opened_by)}"

    @display(description=gettext_lazy("orders that wait for it"))
    def orders(self, row: Presale) -> str:
        return orders_that_wait(Q(presale=row))

    @display(description=gettext_lazy("orders that cannot be kept"))
    def cannot(self, row: Any) -> str:
        return _named(row.short.orders[:10]) if row.short else ""

    @display(description=gettext_lazy("orders that cannot be kept"))
    def all_that_cannot(self, row: Presale) -> str:
        found = next((short for short in presales.short() if short.sku == row.pool_id), None)
        return _named(found.orders) if found and row.promised else "–"

    # --- actions ---

    def offers(self, action: str, obj: Presale) -> bool:
        return obj.closed_at is None

    @action(description=gettext_lazy("Close the sale"), url_path="close", icon="block", permissions=SELL)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        if not self.offers("close", row):
            return too_late(self, request, row)
        explain = [
            _("Nothing more is sold from it. Orders that wait go on waiting, and get the goods when they arrive.")
        ]
        if row.promised:
            words = ngettext("%(n)d unit is waited for.", "%(n)d units are waited for.", row.promised)
            explain.append(words % {"n": row.promised})

        def do(_data: dict[str, Any]) -> str:
            presales.close(row.pk, actor=actor(request))
            return _("The sale is closed.")

        return act(self, request, row, do, explain=explain, title=_("Close the sale"), button=_("Close the sale"))


def _named(numbers: list[str]) -> str:
    return format_html_join(", ", "{}", ((order_link(number),) for number in numbers))
