"""Promises that could not be kept: the list with its figures, and what each cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, actor, badge
from integrations.hub.files import exports
from shop.order import finding as orders
from shop.pricing.fields import MONEY_DECIMALS, MONEY_DIGITS
from shop.pricing.money import exponent
from shop.pricing.templatetags.prices import money
from shop.said import who
from shop.stock import finding, promise_figures, promises
from shop.stock.admin_ledgers import SkuFilter
from shop.stock.admin_links import order_link, pool_link
from shop.stock.models import BrokenPromise, Waiting
from shop.stock.promise_models import Ending, since

COST = ["stock.enter_promise_cost"]


class PeriodFilter(admin.SimpleListFilter):
    """Where the figures lead: exactly what they counted."""

    title = gettext_lazy("period")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(days), last(days)) for days in promise_figures.PERIODS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BrokenPromise]) -> QuerySet[BrokenPromise]:
        days = {str(days): days for days in promise_figures.PERIODS}.get(self.value() or "")
        return queryset.filter(pk__in=since(days).values("pk")) if days else queryset


class CostFilter(admin.SimpleListFilter):
    title = gettext_lazy("cost")
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unknown", _("not entered yet")), ("known", _("entered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BrokenPromise]) -> QuerySet[BrokenPromise]:
        match self.value():
            case "unknown":
                return queryset.filter(cost=None)
            case "known":
                return queryset.exclude(cost=None)
        return queryset


def last(days: int) -> str:
    return ngettext("last %(days)d day", "last %(days)d days", days) % {"days": days}


def panel() -> dict[str, Any]:
    """The figures for `admin/stock/promises.html`."""
    found = promise_figures.figures()
    return {
        "figures": found,
        "periods": [
            {"figures": period, "title": last(period.days), "parts": _parts(period), "stood": _stood(period.stood)}
            for period in found.periods
        ],
        "list": reverse("admin:stock_brokenpromise_changelist"),
        "open_shortages": reverse("admin:stock_shortage_changelist") + "?state=open",
    }


def _stood(mean: timedelta | None) -> str:
    """In minutes below two hours, in hours to one place below two days."""
    if mean is None:
        return "–"
    hours = mean / timedelta(hours=1)
    if hours < 2:
        return _("%(n)s min") % {"n": round(hours * 60)}
    return _("%(n)s hours") % {"n": f"{hours:.1f}"} if hours < 48 else _("%(n)s days") % {"n": f"{hours / 24:.1f}"}


def _parts(period: promise_figures.Period) -> list[dict[str, Any]]:
    causes = dict(BrokenPromise._meta.get_field("cause").flatchoices)
    return [
        {
            "ending": Ending(part.ending).label,
            "cause": causes[part.cause],
            "units": part.units,
            "value": money(part.value, part.currency),
            "cost": money(part.cost, part.currency) if part.uncosted < part.rows else "–",
            "uncosted": part.uncosted,
            "query": f"days={period.days}&ending__exact={part.ending}&cause__exact={part.cause}",
        }
        for part in period.parts
    ]


def cost_form(row: BrokenPromise) -> type[Confirm]:
    """Asks in the order's currency; remembers when a cost was entered last, as the person saw it."""
    currency = row.line.order.currency
    digits = exponent(currency)
    cost = forms.DecimalField(
        label=_("cost in all (%(currency)s)") % {"currency": currency}, initial=row.cost, min_value=0,
        max_digits=MONEY_DIGITS - MONEY_DECIMALS + digits, decimal_places=digits,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text=gettext_lazy("Compensation, express freight, a marketplace's penalty; 0 where there was none."),
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("what for"), max_length=255, widget=UnfoldAdminTextInputWidget())
    known = forms.CharField(initial=_seen(row), required=False, widget=forms.HiddenInput())
    return type("Cost", (Confirm,), {"cost": cost, "note": note, "seen": known})


def _seen(row: BrokenPromise) -> str:
    return row.cost_at.isoformat() if row.cost_at else ""


@admin.register(BrokenPromise)
class BrokenPromiseAdmin(ViewOnlyAdmin):
    list_display = ("at", "order", "sku", "units", "shown_ending", "cause", "worth", "shown_cost", "shown_shortage")
    list_filter = (PeriodFilter, "ending", "cause", CostFilter, SkuFilter, "at")
    list_select_related = ("line__order", "shortage")
    list_before_template = "admin/stock/promises.html"
    search_fields = ("pool",)  # shows the box; see `found`
    search_help_text = gettext_lazy("SKU or order number")
    actions_detail = ("enter_cost",)
    readonly_fields = ("order", "sku", "shown_ending", "worth", "shown_cost", "shown_shortage", "days", "by")
    fields = (
        ("order", "sku"), ("units", "worth"), ("shown_ending", "cause"), ("at", "shown_shortage"), "days",
        ("shown_cost", "cost_note"), ("by", "cost_at"),
    )  # fmt: skip
    exported = (
        exports.time(gettext_lazy("at"), lambda row: row.at),
        exports.text(gettext_lazy("order"), lambda row: row.line.order.number),
        exports.text(gettext_lazy("SKU"), lambda row: row.pool_id),
        exports.text(gettext_lazy("units"), lambda row: row.units),
        exports.text(gettext_lazy("what became of it"), lambda row: row.get_ending_display()),
        exports.text(gettext_lazy("cause"), lambda row: row.get_cause_display()),
        exports.text(gettext_lazy("shortage"), lambda row: row.shortage_id),
        exports.text(gettext_lazy("value"), lambda row: row.value),
        exports.text(gettext_lazy("cost"), lambda row: row.cost),
        exports.text(gettext_lazy("currency"), lambda row: row.line.order.currency),
        exports.text(gettext_lazy("what for"), lambda row: row.cost_note),
        exports.text(gettext_lazy("cost entered by"), lambda row: who(row.cost_by)),
        exports.time(gettext_lazy("cost entered at"), lambda row: row.cost_at),
    )

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "shortage__id__exact" or super().lookup_allowed(lookup, value, request)

    def found(self, text: str) -> QuerySet[BrokenPromise]:
        of_order = BrokenPromise.objects.filter(line__order__in=orders.numbered(text))
        of_sku = BrokenPromise.objects.filter(pool__in=finding.spelled(text))
        return BrokenPromise.objects.filter(
            pk__in=of_order.order_by().values("pk").union(of_sku.order_by().values("pk"))
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "promises": panel()})

    # --- columns ---

    @display(description=gettext_lazy("order"))
    def order(self, row: BrokenPromise) -> str:
        return order_link(row.line.order.number)

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, row: BrokenPromise) -> str:
        return pool_link(row.pool_id)

    @display(description=gettext_lazy("what became of it"), ordering="ending")
    def shown_ending(self, row: BrokenPromise) -> str:
        return badge(row.get_ending_display(), "danger" if row.ending == Ending.CANCELLED else "warning")

    @display(description=gettext_lazy("value"))
    def worth(self, row: BrokenPromise) -> str:
        return money(row.value, row.line.order.currency)

    @display(description=gettext_lazy("cost"))
    def shown_cost(self, row: BrokenPromise) -> str:
        return money(row.cost, row.line.order.currency) if row.cost is not None else _("not entered yet")

    @display(description=gettext_lazy("shortage"), ordering="shortage")
    def shown_shortage(self, row: BrokenPromise) -> str:
        if row.shortage_id is None:
            return "–"
        return format_html(
            '<a href="{}">#{}</a>', reverse("admin:stock_shortage_change", args=[row.shortage_id]), row.shortage_id
        )

    @display(description=gettext_lazy("promised for"))
    def days(self, row: BrokenPromise) -> str:
        days = Waiting.objects.filter(line=row.line_id).order_by("-pk").values_list("promised_on", flat=True)
        return days[0].isoformat() if days else "–"

    @display(description=gettext_lazy("cost entered by"))
    def by(self, row: BrokenPromise) -> str:
        return who(row.cost_by) or "–"

    # --- cost ---

    @action(description=gettext_lazy("Enter the cost"), url_path="enter-cost", icon="payments", permissions=COST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def enter_cost(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        explain = [_("What it cost besides the goods that were not sold, in all: it replaces what was entered before.")]
        if row.cost is not None:
            words = _("%(cost)s until now, by %(who)s on %(day)s: %(note)s")
            explain.append(words % {
                "cost": money(row.cost, row.line.order.currency), "who": who(row.cost_by), "note": row.cost_note,
                "day": f"{timezone.localtime(row.cost_at):%Y-%m-%d %H:%M}",
            })  # fmt: skip
        return act(self, request, row, _entered(request, row), form=cost_form(row), explain=explain,
                   title=_("Enter the cost"), button=_("Enter the cost"))  # fmt: skip


def _entered(request: HttpRequest, row: BrokenPromise) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        try:
            if data["seen"] != _seen(row):
                raise promises.Stale(row.pk)
            promises.note_cost(row, data["cost"], note=data["note"], actor=actor(request))
        except promises.Stale:
            raise Refused(_("Somebody entered a cost meanwhile. Look at it again."), final=True) from None
        return _("%(what)s cost %(cost)s: %(note)s") % {
            "what": row, "cost": money(data["cost"], row.line.order.currency), "note": data["note"],
        }  # fmt: skip

    return do
