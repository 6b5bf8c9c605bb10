"""The warehouses and other places: these alone are edited; whether one is open for sale, by actions of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm, Refused, StaffAdmin, act, too_late
from shop.fulfilment.models import Sourcing
from shop.order.models import Order, Status
from shop.stock import closing
from shop.stock.models import SET_APART, Kind, Level, Warehouse

TURN = ["stock.change_warehouse"]


class WarehouseForm(forms.ModelForm):
    """Whose the figures are cannot change under stock: the sums would not follow."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.instance.pk is None:
            self._check_kind(data)
        elif "erp_account" in self.changed_data and Level.objects.filter(warehouse=self.instance).exists():
            self.add_error(
                "erp_account",
                ValidationError(
                    _("This warehouse has stock: its figures were kept by somebody else. Make a new warehouse instead.")
                ),
            )
        return data

    def _check_kind(self, data: dict[str, Any]) -> None:
        """The database has the same rules, but not the words."""
        kind, parent = data.get("kind"), data.get("parent")
        if kind in SET_APART and parent is None:
            self.add_error("parent", _("Damaged goods and quality holds belong to a warehouse. Say to which."))
        elif kind not in SET_APART and parent is not None:
            self.add_error("parent", _("Only damaged goods and quality holds belong to another warehouse."))
        elif parent is not None and parent.kind in SET_APART:
            self.add_error("parent", _("This is such a place itself. Say to which warehouse it belongs."))
        elif parent is not None and Warehouse.objects.filter(parent=parent, kind=kind).exists():
            self.add_error("kind", _("This warehouse has a place of this kind already."))


class Why(Confirm):
    why = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        help_text=gettext_lazy("It stays in the warehouse's history."),
        widget=UnfoldAdminTextInputWidget(),
    )


@admin.register(Warehouse)
class WarehouseAdmin(StaffAdmin):
    form = WarehouseForm
    list_display = ("name", "code", "kind", "priority", "is_sellable", "owner")
    list_filter = ("kind", "is_sellable")
    list_select_related = ("erp_account",)
    search_fields = ("name", "code")
    fields = ("code", "name", "kind", "parent", "priority", "erp_account")
    actions_detail = ("close", "open_for_sale")

    @display(description=gettext_lazy("figures owned by"), ordering="erp_account")
    def owner(self, warehouse: Warehouse) -> str:
        return str(warehouse.erp_account) if warehouse.erp_account_id else "Weft"

    def get_fields(self, request: HttpRequest, obj: Warehouse | None = None) -> tuple[str, ...]:
        return (*self.fields, "is_sellable") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Warehouse | None = None) -> tuple[str, ...]:
        """Other systems know it by its code, and its stock was added up by its kind."""
        return ("code", "kind", "parent", "is_sellable") if obj else ()

    def save_model(self, request: HttpRequest, obj: Warehouse, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)  # never what somebody else has turned meanwhile
        else:
            obj.is_sellable = obj.kind == Kind.SHELF
            obj.save()

    # --- open or closed for sale ---

    def offers(self, action: str, obj: Warehouse) -> bool:
        return obj.kind == Kind.SHELF and obj.is_sellable == (action == "close")

    @action(description=gettext_lazy("Close for sale"), url_path="close", icon="door_front", permissions=TURN)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        place = self.wanted(request, object_id)
        explain = [
            _("What lies there stays there and can be counted and moved, but nothing of it can be promised any more."),
            *_effect(place),
        ]
        return self._page(request, place, "close", closing.close, explain=explain, danger=True,
                          title=_("Close for sale"), button=_("Close for sale"))  # fmt: skip

    @action(description=gettext_lazy("Open for sale"), url_path="open", icon="door_open", permissions=TURN)
    def open_for_sale(self, request: HttpRequest, object_id: str) -> HttpResponse:
        place = self.wanted(request, object_id)
        explain = [_("What lies there can be promised (again)."), *_effect(place)]
        return self._page(request, place, "open_for_sale", closing.open_for_sale, explain=explain,
                          title=_("Open for sale"), button=_("Open for sale"))  # fmt: skip

    def _page(
        self, request: HttpRequest, place: Warehouse, name: str, turn: Callable[[int], int], **page: Any
    ) -> HttpResponse:
        if not self.offers(name, place):
            return too_late(self, request, place)
        return act(self, request, place, lambda data: _turned(place, turn, data["why"]), form=Why, **page)


def _turned(place: Warehouse, turn: Callable[[int], int], why: str) -> str:
    try:
        skus = turn(place.pk)
    except closing.NothingToChange:
        raise Refused(_("It is so already: somebody was faster. Nothing was changed."), final=True) from None
    except closing.LastOne:
        raise Refused(_("It is the last one open: paid orders have to be sent from somewhere. Open another one first.")
                      ) from None  # fmt: skip
    except closing.Busy:
        raise Refused(_("New goods kept arriving there. Nothing was changed; try again in a minute.")) from None
    words = _("Closed for sale; SKUs whose stock changed: %(skus)d. %(why)s") if place.is_sellable else _(
        "Open for sale; SKUs whose stock changed: %(skus)d. %(why)s")  # fmt: skip
    return words % {"skus": skus, "why": why}


def _effect(place: Warehouse) -> list[str]:
    """What it concerns, in words."""
    means = closing.effect(place)
    said = _("SKUs there: %(skus)d, units: %(units)d. Open promises of them: %(promised)d units in %(orders)d orders.")
    words = [said % {"skus": means.skus, "units": means.units, "promised": means.promised, "orders": means.orders}]
    if means.short > 0:
        words.append(
            _("Promised units that cannot be kept then: %(short)d more. Shortages are opened and name the orders.")
            % {"short": means.short}
        )
    elif means.short < 0:
        words.append(_("Shortages get smaller by %(units)d units.") % {"units": -means.short})
    if place.is_sellable and (orders := _sourced(place)):
        words.append(
            ngettext(
                "%(n)d order is sent from here and has not left yet; it stays so.",
                "%(n)d orders are sent from here and have not left yet; they stay so.",
                orders,
            )
            % {"n": orders}
        )
    return words


def _sourced(place: Warehouse) -> int:
    """Orders that still have to be sent from there."""
    open_ = (Status.PAID, Status.ON_ACCOUNT, Status.PARTLY_SHIPPED)
    rows = Sourcing.objects.filter(warehouse=place, quantity__gt=F("shipped"), line__order__status__in=open_)
    return Order.objects.filter(pk__in=rows.values("line__order")).count()
