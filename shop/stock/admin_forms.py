"""What the pages of stock ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case, F, QuerySet, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm
from shop.partner.models import StockRecord
from shop.stock.models import SET_APART, Kind, KitPart, Pool, Reason, Warehouse

MOST = 1_000_000  # units in one move; more is a typing error


class WarehouseChoice(forms.ModelChoiceField):
    """Those of an ERP stand here as well, so that nobody wonders where one is; they say whose they are."""

    def label_from_instance(self, obj: Any) -> str:
        name = f"{obj} ({obj.units})" if hasattr(obj, "units") else str(obj)
        if not obj.erp_account_id:
            return name
        return _("%(name)s (figures owned by %(account)s)") % {"name": name, "account": obj.erp_account}


def choice(label: Any, places: QuerySet[Warehouse] | None = None, first: Kind = Kind.SHELF) -> WarehouseChoice:
    """A place, of these or of all; the first stands in the form, and is one of the kind `first` if there is one."""
    rows = Warehouse.objects.all() if places is None else places
    rows = rows.order_by(Case(When(kind=first, then=0), default=1), "priority", "code")
    return WarehouseChoice(label=label, queryset=rows.select_related("erp_account", "parent"), empty_label=None,
                           widget=UnfoldAdminSelectWidget())  # fmt: skip


class Note(Confirm):
    note = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=255,
        help_text=gettext_lazy("Delivery note, name of the counter, what happened. It stays with the movement."),
        widget=UnfoldAdminTextInputWidget(),
    )


class Adjustment(Note):
    warehouse = choice(gettext_lazy("warehouse"))
    quantity = forms.IntegerField(
        label=gettext_lazy("units"), min_value=1, max_value=MOST, widget=UnfoldAdminIntegerFieldWidget()
    )
    field_order: tuple[str, ...] = ("warehouse", "quantity", "note")


class Found(Adjustment):
    quantity = forms.IntegerField(
        label=gettext_lazy("units found"), min_value=0, max_value=MOST, widget=UnfoldAdminIntegerFieldWidget()
    )


# What happened -> which way the figure goes, and the movement's reason.
CORRECTIONS: dict[str, tuple[int, Reason]] = {
    "found": (1, Reason.ADJUSTMENT),
    "returned": (1, Reason.RETURNED),
    "missing": (-1, Reason.ADJUSTMENT),
    "given": (-1, Reason.ADJUSTMENT),
}


class Correction(Adjustment):
    """Up or down by so many, without counting the whole shelf."""

    what = forms.ChoiceField(
        label=gettext_lazy("What happened to the goods"),
        choices=[
            ("found", gettext_lazy("+ found, or booked out by mistake")),
            ("returned", gettext_lazy("+ came back from a customer")),
            ("missing", gettext_lazy("− missing, or booked in by mistake")),
            ("given", gettext_lazy("− given away, or used up here")),
        ],
        widget=UnfoldAdminSelectWidget(),
    )
    field_order = ("what", "warehouse", "quantity", "note")


class Receipt(Adjustment):
    """For a SKU that may have no stock yet."""

    sku = forms.CharField(label=gettext_lazy("SKU"), max_length=64, widget=UnfoldAdminTextInputWidget())
    field_order = ("sku", "warehouse", "quantity", "note")

    def clean_sku(self) -> str:
        """As the catalogue spells it."""
        known = StockRecord.objects.filter(partner_sku__iexact=self.cleaned_data["sku"].strip()).first()
        if known is None:
            raise ValidationError(_("No product has this SKU. Make the product first."))
        if KitPart.objects.filter(kit=known.product_id).exists():
            raise ValidationError(_("This is a kit and has no stock of its own: receive its parts."))
        return known.partner_sku


# --- out of a place --------------------------------------------------------------------------------------------------


def holding(pool: Pool, *kinds: str) -> QuerySet[Warehouse]:
    """The places where some of the SKU lies, with its `units` there: of these kinds, or of any."""
    places = Warehouse.objects.filter(levels__pool=pool, levels__on_hand__gt=0)
    if kinds:
        places = places.filter(kind__in=kinds)
    return places.annotate(units=F("levels__on_hand"))


def out_of(places: QuerySet[Warehouse], first: Kind = Kind.SHELF) -> type[Adjustment]:
    """Asks from which of these places so many units go."""

    class Out(Adjustment):
        warehouse = choice(gettext_lazy("from"), places, first)

    return Out


def to_another(pool: Pool) -> type[Adjustment]:
    """Asks from where and to where goods go; not to where goods are set apart, which has actions of its own."""

    class Move(Adjustment):
        warehouse = choice(gettext_lazy("from"), holding(pool))
        destination = choice(gettext_lazy("to"), Warehouse.objects.exclude(kind__in=SET_APART))
        field_order = ("warehouse", "destination", "quantity", "note")

        def clean(self) -> dict[str, Any]:
            data = super().clean() or {}
            if data.get("warehouse") and data["warehouse"] == data.get("destination"):
                self.add_error("destination", _("The goods lie there already."))
            return data

    return Move
