"""Incoming supply: what arrives when, received, dated anew, cancelled, and sold before it is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from integrations.hub.desk.admin_pages import Confirm, Refused, StaffAdmin, act, actor, badge, too_late
from integrations.hub.files import exports
from shop.desk.fields import Day
from shop.partner.models import StockRecord
from shop.said import who
from shop.stock import finding, pools, presales, supply
from shop.stock.admin_actions import ADJUST
from shop.stock.admin_forms import MOST
from shop.stock.admin_ledgers import PlaceFilter, SkuFilter
from shop.stock.admin_links import pool_link, rows_link
from shop.stock.admin_presales import orders_that_wait
from shop.stock.models import KitPart, Supply
from shop.stock.movements import NotThere
from shop.stock.offered import Kind

MANAGE, SELL = ["stock.manage_supply"], ["stock.manage_presale"]


class SupplyForm(forms.ModelForm):
    """A new position, for a SKU of the catalogue."""

    sku = forms.CharField(label=gettext_lazy("SKU"), max_length=64, widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = Supply
        fields = ("warehouse", "quantity", "expected_on", "document", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "document" in self.fields:
            self.fields["document"].help_text = _("Purchase order, production order, waybill: what colleagues call it.")

    def clean_sku(self) -> str:
        """As the catalogue spells it."""
        known = StockRecord.objects.filter(partner_sku__iexact=self.cleaned_data["sku"].strip()).first()
        if known is None:
            raise ValidationError(_("No product has this SKU. Make the product first."))
        if KitPart.objects.filter(kit=known.product_id).exists():
            raise ValidationError(_("This is a kit and has no stock of its own: add its parts."))
        return known.partner_sku

    def clean_quantity(self) -> int:
        units = int(self.cleaned_data["quantity"])
        if not 0 < units <= MOST:
            raise ValidationError(_("Between 1 and %(most)d.") % {"most": MOST})
        return units

    def clean_expected_on(self) -> Any:
        return _not_past(self.cleaned_data["expected_on"])


def _not_past(day: Any) -> Any:
    if day < timezone.localdate():
        raise ValidationError(_("This day is over."))
    return day


class NewDate(Confirm):
    expected_on = forms.DateField(label=gettext_lazy("expected on"), widget=Day())

    def clean_expected_on(self) -> Any:
        return _not_past(self.cleaned_data["expected_on"])


def units_form(found: Supply, most: int, **more: forms.Field) -> type[Confirm]:
    """Asks for how many; remembers what was received when the person looked."""
    units = forms.IntegerField(
        label=gettext_lazy("units"), min_value=1, max_value=most, initial=most, widget=UnfoldAdminIntegerFieldWidget()
    )
    seen = forms.IntegerField(initial=found.received, widget=forms.HiddenInput())
    return type("Units", (Confirm,), {"quantity": units, "seen": seen, **more})


def _note() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Why"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Delivery note, who counted it. It stays with the movement."),
    )  # fmt: skip


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("still to come")), ("overdue", _("overdue")), ("done", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Supply]) -> QuerySet[Supply]:
        match self.value():
            case "open":
                return queryset.filter(open__gt=0)
            case "overdue":
                return queryset.filter(pk__in=supply.overdue().values("pk"))
            case "done":
                return queryset.filter(open=0)
        return queryset


@admin.register(Supply)
class SupplyAdmin(StaffAdmin):
    form = SupplyForm
    list_display = ("document", "sku", "state", "shown_day", "open", "promised", "place", "quantity", "received")
    list_filter = (SkuFilter, StateFilter, ("warehouse", PlaceFilter), "expected_on")
    list_select_related = ("warehouse__erp_account",)
    search_fields = ("document",)  # shows the box; see `found`
    search_help_text = gettext_lazy("SKU or document number")
    readonly_fields = ("sku_link", "place", "shown_day", "open", "received", "cancelled", "state", "promised", "orders",
                       "by", "movements", "made")  # fmt: skip
    actions_detail = ("receive", "change_date", "cancel_rest", "open_presale")
    exported = (
        exports.text(gettext_lazy("document number"), lambda row: row.document),
        exports.text(gettext_lazy("SKU"), lambda row: row.pool_id),
        exports.text(gettext_lazy("warehouse"), lambda row: str(row.warehouse)),
        exports.text(gettext_lazy("expected on"), lambda row: row.expected_on.isoformat()),
        exports.text(gettext_lazy("quantity"), lambda row: row.quantity),
        exports.text(gettext_lazy("received"), lambda row: row.received),
        exports.text(gettext_lazy("cancelled"), lambda row: row.cancelled),
        exports.text(gettext_lazy("still to come"), lambda row: row.open),
        exports.text(gettext_lazy("sold ahead"), lambda row: row.units_promised),
        exports.text(gettext_lazy("note"), lambda row: row.note),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Supply]:
        found = super().get_queryset(request)
        return found.annotate(units_promised=Sum("presales__promised", default=0))

    def found(self, text: str) -> QuerySet[Supply]:
        return Supply.objects.filter(Q(pool__in=list(finding.spelled(text))) | Q(document__istartswith=text))

    # --- who may what: a position is added, and then only acted upon ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE[0])

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Supply | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": [("sku", "warehouse"), ("quantity", "expected_on"), ("document", "note")]})]
        shown = [("sku_link", "place"), ("document", "note"), ("shown_day", "state"), ("quantity", "received"),
                 ("cancelled", "open"), ("promised", "movements"), "orders", ("by", "made")]  # fmt: skip
        return [(None, {"fields": shown})]

    def get_readonly_fields(self, request: HttpRequest, obj: Supply | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(self, request: HttpRequest, obj: Supply | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm  # nothing is edited on the page of a position
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Supply, form: Any, change: bool) -> None:
        obj.pool_id, obj.actor = form.cleaned_data["sku"], actor(request)
        pools.make([obj.pool_id])
        super().save_model(request, obj, form, change)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Warehouses are chosen here, not edited."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        return field

    # --- columns ---

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, row: Supply) -> str:
        return pool_link(row.pool_id)

    sku_link = sku

    @display(description=gettext_lazy("warehouse"), ordering="warehouse")
    def place(self, row: Supply) -> str:
        return str(row.warehouse)

    @display(description=gettext_lazy("expected on"), ordering="expected_on")
    def shown_day(self, row: Supply) -> str:
        return row.expected_on.isoformat()

    @display(description=gettext_lazy("sold ahead"), ordering="units_promised")
    def promised(self, row: Any) -> str:
        units = row.units_promised
        address = f"{reverse('admin:stock_presale_changelist')}?supply__id__exact={row.pk}"
        return format_html('<a href="{}">{}</a>', address, units) if units else "0"

    @display(description=gettext_lazy("state"))
    def state(self, row: Supply) -> str:
        if row.open <= 0:
            return badge(_("received"), "success") if row.received else badge(_("cancelled"))
        if row.expected_on < timezone.localdate():
            return badge(_("overdue"), "danger")
        return badge(_("partly received"), "info") if row.received else badge(_("still to come"), "warning")

    @display(description=gettext_lazy("orders that wait for it"))
    def orders(self, row: Supply) -> str:
        return orders_that_wait(Q(presale__supply=row))

    @display(description=gettext_lazy("by"))
    def by(self, row: Supply) -> str:
        return who(row.actor)

    @display(description=gettext_lazy("made at"))
    def made(self, row: Supply) -> str:
        return f"{timezone.localtime(row.created_at):%Y-%m-%d %H:%M}"

    @display(description=gettext_lazy("movements"))
    def movements(self, row: Supply) -> str:
        return rows_link("movement", _("all"), q=f"supply:{row.pk}")

    # --- actions ---

    def offers(self, action: str, obj: Supply) -> bool:
        return presales.most(obj) > 0 if action == "open_presale" else obj.open > 0

    @action(description=gettext_lazy("Receive"), url_path="receive", icon="input", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        explain = [_("Of %(open)d units still to come. What arrives goes to the orders that wait for it, oldest first.")
                   % {"open": row.open}]  # fmt: skip
        if row.warehouse.erp_account_id:
            words = _("%(account)s owns the figures of %(warehouse)s: this only notes that they have arrived. "
                      "The ERP's next reading brings them.")  # fmt: skip
            explain.append(words % {"account": row.warehouse.erp_account, "warehouse": row.warehouse})
        return self._page(request, row, "receive", _received(row, request), explain=explain, title=_("Receive"),
                          form=units_form(row, row.open, note=_note()), button=_("Received"))  # fmt: skip

    @action(description=gettext_lazy("Change the date"), url_path="change-date", icon="event", permissions=MANAGE)
    def change_date(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        explain = [_("Expected on %(day)s until now. Customers who wait see the new day on their order's page.")
                   % {"day": row.expected_on.isoformat()}]  # fmt: skip
        return self._page(request, row, "change_date", _dated(row), form=NewDate, explain=explain,
                          title=_("Change the date"), button=_("Change the date"))  # fmt: skip

    @action(description=gettext_lazy("Cancel the rest"), url_path="cancel-rest", icon="block", permissions=MANAGE)
    def cancel_rest(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        explain = [_("These units will not come. Orders that were promised them are named under “What needs you”.")]
        if row.units_promised:
            words = ngettext("%(n)d unit of it is promised.", "%(n)d units of it are promised.", row.units_promised)
            explain.append(words % {"n": row.units_promised})
        return self._page(request, row, "cancel_rest", _cancelled(row), form=units_form(row, row.open), danger=True,
                          explain=explain, title=_("Cancel the rest"), button=_("They will not come"))  # fmt: skip

    @action(description=gettext_lazy("Sell it now"), url_path="open-presale", icon="sell", permissions=SELL)
    def open_presale(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        explain = [
            _("When nothing is free, the shop sells these units with the words “ships by %(day)s”. Orders wait for "
              "them in the order in which they came.") % {"day": row.expected_on.isoformat()},
        ]  # fmt: skip
        kind = forms.ChoiceField(
            label=gettext_lazy("kind"), choices=Kind.choices, widget=UnfoldAdminSelectWidget(),
            help_text=gettext_lazy("Presale: goods sold for the first time. Backorder: goods that are out of stock."),
        )  # fmt: skip
        form = units_form(row, max(1, presales.most(row)), kind=kind)
        return self._page(request, row, "open_presale", _opened(row, request), form=form, explain=explain,
                          title=_("Sell it now"), button=_("Open the sale"))  # fmt: skip

    def _page(
        self, request: HttpRequest, row: Supply, name: str, do: Callable[[dict[str, Any]], str], **page: Any
    ) -> HttpResponse:
        if not self.offers(name, row):
            return too_late(self, request, row)
        return act(self, request, row, do, **page)


def _received(row: Supply, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        try:
            supply.receive(row.pk, data["quantity"], seen=data["seen"], actor=actor(request), note=data["note"])
        except supply.Stale:
            raise Refused(_("Some of it was received meanwhile. Look at it again."), final=True) from None
        except supply.CannotChange as refusal:
            raise Refused(_few(refusal)) from None
        except NotThere:
            words = _("Fewer than 0 would be on hand at %(warehouse)s. Count it first. Nothing was changed.")
            raise Refused(words % {"warehouse": row.warehouse}) from None
        return _("%(sku)s: %(units)d received.") % {"sku": row.pool_id, "units": data["quantity"]}

    return do


def _few(refusal: supply.CannotChange) -> str:
    return _("Only %(open)d units are still to come. Nothing was changed.") % {"open": refusal.open}


def _dated(row: Supply) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        before = row.expected_on.isoformat()
        try:
            supply.set_date(row.pk, data["expected_on"])
        except supply.CannotChange:
            raise Refused(_("Nothing of it is still to come. Nothing was changed."), final=True) from None
        return _("Expected on %(day)s, before: %(before)s.") % {
            "day": data["expected_on"].isoformat(), "before": before,
        }  # fmt: skip

    return do


def _cancelled(row: Supply) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        try:
            supply.cancel(row.pk, data["quantity"])
        except supply.CannotChange as refusal:
            raise Refused(_few(refusal)) from None
        return _("%(sku)s: %(units)d will not come.") % {"sku": row.pool_id, "units": data["quantity"]}

    return do


def _opened(row: Supply, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        try:
            presales.open_(row.pk, cap=data["quantity"], kind=Kind(data["kind"]), actor=actor(request))
        except presales.CannotOpen as refusal:
            raise Refused(_("At most %(most)d units. Nothing was changed.") % {"most": refusal.most}) from None
        except presales.AlreadyOpen:
            words = _("%(sku)s is sold ahead already. Close that sale first.")
            raise Refused(words % {"sku": row.pool_id}) from None
        return _("%(sku)s is sold ahead: %(units)d units.") % {"sku": row.pool_id, "units": data["quantity"]}

    return do


def supply_link(row: Supply) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:stock_supply_change", args=[quote(row.pk)]), row.document)


def promise_table(sku: str, free: int) -> list[dict[str, Any]]:
    """Of a SKU, how many more may be promised now and by each day something arrives."""
    found = supply.arrivals(sku)
    now, *later = supply.available(free, [arrival for _row, arrival in found])
    rows: list[dict[str, Any]] = [{"day": None, "available": now, "units": free}]
    for (row, arrival), units in zip(found, later, strict=True):
        rows.append({
            "day": arrival.day, "document": supply_link(row), "place": row.warehouse, "units": arrival.units,
            "promised": arrival.promised, "available": units, "is_late": arrival.day < timezone.localdate(),
        })  # fmt: skip
    return rows
