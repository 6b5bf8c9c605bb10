"""What staff do to stock of warehouses that are ours: receive, count, write off. Pages of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from integrations.hub.admin_pages import Confirm, Refused, StaffAdmin, act, actor
from shop.partner.models import StockRecord
from shop.stock import movements
from shop.stock.models import KitPart, Pool, Reason, Warehouse
from shop.stock.movements import Move, NotOurs, NotThere

ADJUST = ["stock.adjust_stock"]
MOST = 1_000_000  # units in one move; more is a typing error


class WarehouseChoice(forms.ModelChoiceField):
    """All warehouses stand here, so that nobody wonders where one is; those of an ERP say whose they are."""

    def label_from_instance(self, obj: Any) -> str:
        return (
            _("%(name)s (figures owned by %(account)s)") % {"name": obj, "account": obj.erp_account}
            if (obj.erp_account_id)
            else str(obj)
        )


class Adjustment(Confirm):
    warehouse = WarehouseChoice(
        label=gettext_lazy("warehouse"),
        queryset=Warehouse.objects.select_related("erp_account"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget(),
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("units"), min_value=1, max_value=MOST, widget=UnfoldAdminIntegerFieldWidget()
    )
    note = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=255,
        help_text=gettext_lazy("Delivery note, name of the counter, what happened. It stays with the movement."),
        widget=UnfoldAdminTextInputWidget(),
    )


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
    "damaged": (-1, Reason.DAMAGE),
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
            ("damaged", gettext_lazy("− damaged")),
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


class StockActions(StaffAdmin):
    """The actions of the stock board and of one SKU's page."""

    actions_list = ("receive_sku",)
    actions_detail = ("receive", "count", "correct", "damage")

    @action(description=gettext_lazy("Receive goods"), url_path="receive", icon="input", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def receive_sku(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return act(self, request, None, lambda data: _moved(request, data["sku"], data, Reason.RECEIPT), form=Receipt,
                   title=_("Receive goods"), button=_("Received"))  # fmt: skip

    @action(description=gettext_lazy("Receive goods"), url_path="receive", icon="input", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        return act(self, request, pool, lambda data: _moved(request, pool.sku, data, Reason.RECEIPT), form=Adjustment,
                   title=_("Receive goods"), button=_("Received"))  # fmt: skip

    @action(description=gettext_lazy("Count"), url_path="count", icon="checklist", permissions=ADJUST)
    def count(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [_("Say what is on the shelf, reserved goods included. The difference becomes a movement.")]
        return act(self, request, pool, lambda data: _counted(request, pool, data), form=Found, explain=explain,
                   title=_("Count"), button=_("Counted"))  # fmt: skip

    @action(description=gettext_lazy("Correct"), url_path="correct", icon="exposure", permissions=ADJUST)
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [_("The figure changes by these units, up or down, with the reason. To set it, count instead.")]
        return act(self, request, pool, lambda data: _corrected(request, pool, data), form=Correction, explain=explain,
                   title=_("Correct the figure"), button=_("Correct"))  # fmt: skip

    @action(description=gettext_lazy("Write off damage"), url_path="damage", icon="broken_image", permissions=ADJUST)
    def damage(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [_("The units leave the figures. Where more is promised than is left, a shortage is opened.")]
        return act(self, request, pool, lambda data: _moved(request, pool.sku, data, Reason.DAMAGE), form=Adjustment,
                   explain=explain, title=_("Write off damage"), button=_("Write off"), danger=True)  # fmt: skip


def _corrected(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    sign, reason = CORRECTIONS[data["what"]]
    return _moved(request, pool.sku, {**data, "quantity": sign * data["quantity"]}, reason)


def _moved(request: HttpRequest, sku: str, data: dict[str, Any], reason: Reason) -> str:
    """`quantity` is signed. What is written off by the action of that name is asked for without a sign."""
    units = -abs(data["quantity"]) if reason is Reason.DAMAGE else data["quantity"]
    move = Move(sku, data["warehouse"].pk, units, reason, actor=actor(request), note=data["note"])
    _in_one(data["warehouse"], lambda: movements.by_staff([move]))
    return _("%(sku)s at %(warehouse)s: %(units)s") % {
        "sku": sku, "warehouse": data["warehouse"], "units": f"{units:+d}",
    }  # fmt: skip


def _counted(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    warehouse = data["warehouse"]
    if warehouse.erp_account_id:  # a count that agrees moves nothing, and so would not be refused
        raise Refused(_not_ours(warehouse))
    difference = _in_one(
        warehouse,
        lambda: movements.count(pool.sku, warehouse.pk, data["quantity"], actor=actor(request), note=data["note"]),
    )
    if not difference:
        return _("The count agrees: nothing to change.")
    return _("Counted: %(difference)s") % {"difference": f"{difference:+d}"}


def _in_one(warehouse: Warehouse, service: Callable[[], Any]) -> Any:
    """One business transaction; what it refuses in the words of the page."""
    try:
        with transaction.atomic(durable=True):
            return service()
    except NotOurs:
        raise Refused(_not_ours(warehouse)) from None
    except NotThere:
        words = _("Fewer than 0 would be on hand at %(warehouse)s. Count it first. Nothing was changed.")
        raise Refused(words % {"warehouse": warehouse}) from None


def _not_ours(warehouse: Warehouse) -> str:
    return _(
        "%(account)s owns the figures of %(warehouse)s. Change them there; Weft reads them back within minutes. "
        "Nothing was changed."
    ) % {"account": warehouse.erp_account, "warehouse": warehouse}
