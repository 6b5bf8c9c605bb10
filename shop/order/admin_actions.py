"""What staff do to an order. Each is a page of its own: GET asks, POST calls the service, which commits by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm, Refused, StaffAdmin, act, actor, too_late
from shop.desk.fields import Moment
from shop.fulfilment import shipping
from shop.fulfilment.models import Sourcing
from shop.order import admin_page, lifecycle
from shop.order.lifecycle import IllegalMove, TimeIsOver, TooFar
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import admin_refund_form
from shop.stock.models import Warehouse
from shop.stock.movements import NotThere

RELEASED = {Status.PAID, Status.ON_ACCOUNT, Status.PARTLY_SHIPPED}


class Reference(Confirm):
    reference = forms.CharField(
        label=gettext_lazy("Bank reference"),
        max_length=255,
        help_text=gettext_lazy("What the bank statement calls this payment. It is kept with the order."),
        widget=UnfoldAdminTextInputWidget(),
    )


class Reason(Confirm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=255,
        help_text=gettext_lazy("For your colleagues; the customer does not see it."),
        widget=UnfoldAdminTextInputWidget(),
    )


class Back(Confirm):
    reference = forms.CharField(
        label=gettext_lazy("What became of the goods"),
        max_length=200,
        help_text=gettext_lazy("Waybill of the return, where they lie now, or why nothing comes back."),
        widget=UnfoldAdminTextInputWidget(),
    )


def extend_form(order: Order) -> type[Confirm]:
    """Asks until when, and why. What is possible is said, and decided by the service."""
    last = timezone.localtime(lifecycle.last_deadline(order))
    bounds = {
        "now": _spoken(order.payment_deadline),
        "last": _spoken(last),
        "hours": settings.WEFT_PAYMENT_LATEST_HOURS,
    }

    class Extend(Confirm):
        until = forms.DateTimeField(
            label=_("Hold the goods until"),
            help_text=_("Later than %(now)s, and at most until %(last)s: %(hours)d hours after it was placed.")
            % bounds,
            widget=Moment(max=f"{last:%Y-%m-%dT%H:%M}"),
        )
        reason = forms.CharField(
            label=_("Reason"),
            max_length=200,
            help_text=_("For your colleagues; the customer does not see it."),
            widget=UnfoldAdminTextInputWidget(),
        )

    return Extend


def _spoken(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d H:i") if moment else "–"


def ship_form(order: Order) -> type[Confirm]:
    """Asks from which of our own warehouses; only those that still have something to ship."""

    class Ship(Confirm):
        warehouse = forms.ModelChoiceField(
            label=gettext_lazy("From the warehouse"),
            queryset=shippable(order),
            empty_label=None,
            widget=UnfoldAdminSelectWidget(),
        )

    return Ship


def open_sourcings(order: Order) -> QuerySet[Sourcing]:
    """What staff still have to ship: sourced in a warehouse no ERP works in."""
    return Sourcing.objects.filter(line__order=order, warehouse__erp_account=None, quantity__gt=F("shipped"))


def shippable(order: Order) -> QuerySet[Warehouse]:
    return Warehouse.objects.filter(pk__in=open_sourcings(order).values("warehouse"))


def _has_ours_to_ship(order: Order) -> bool:
    """`open_sourcings`, from what the page has read already."""
    rows = [row for line in order.lines.all() for row in line.sourcings.all()]
    return any(row.quantity > row.shipped and row.warehouse.erp_account_id is None for row in rows)


def _may_wait_longer(order: Order) -> bool:
    deadline = order.payment_deadline
    return deadline is not None and timezone.now() < deadline < lifecycle.last_deadline(order)


def offered(name: str, order: Order) -> bool:
    """Does the order's state allow the action?"""
    match name:
        case "confirm_payment":
            return order.status in (Status.PENDING_PAYMENT, Status.EXPIRED)
        case "extend_deadline":
            return order.status == Status.PENDING_PAYMENT and _may_wait_longer(order)
        case "note_account_payment":
            owed = order.payment_method == PaymentMethod.ON_ACCOUNT and order.paid_at is None
            return owed and order.status in (Status.ON_ACCOUNT, Status.PARTLY_SHIPPED, Status.SHIPPED)
        case "note_refund":
            return order.needs_refund
        case "refund":
            return admin_refund_form.is_possible(order)
        case "close_return":
            return order.needs_return and order.return_closed_at is None
        case "cancel_order":
            return order.status in {Status.PENDING_PAYMENT, *RELEASED}
        case "ship":
            return order.status in RELEASED and _has_ours_to_ship(order)
        case "packing_list":
            return order.status in RELEASED and bool(admin_page.to_pack(order))
    return True


class OrderActions(StaffAdmin):
    """The actions of an order's page."""

    actions_detail = (
        "confirm_payment", "extend_deadline", "note_account_payment", "ship", "packing_list", "close_return",
        "refund", "note_refund", "cancel_order",
    )  # fmt: skip

    def offers(self, action: str, obj: Order) -> bool:
        return offered(action, obj)

    @action(description=gettext_lazy("Confirm bank transfer"), url_path="confirm-payment", icon="payments",
            permissions=["order.confirm_payment"], variant=ActionVariant.PRIMARY)  # fmt: skip
    def confirm_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        explain = [_("The money has arrived on our account: the order is released to be shipped.")]
        if order.status == Status.EXPIRED:
            explain.append(
                _("Its payment time is over and its goods were given back: they are promised anew, if free.")
            )
        return self._page(request, order, "confirm_payment", _confirm(order, request), form=Reference, explain=explain,
                          title=_("Confirm bank transfer"), button=_("The money has arrived"))  # fmt: skip

    @action(description=gettext_lazy("Extend the deadline"), url_path="extend-deadline", icon="more_time",
            permissions=["order.confirm_payment"])  # fmt: skip
    def extend_deadline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        explain = [_("A payment is under way: the goods stay held for this customer, and nobody else can buy them.")]
        return self._page(request, order, "extend_deadline", _extend(order, request), form=extend_form(order),
                          explain=explain, title=_("Extend the deadline"), button=_("Extend the deadline"))  # fmt: skip

    @action(description=gettext_lazy("Note payment on account"), url_path="note-payment", icon="price_check",
            permissions=["order.confirm_payment"])  # fmt: skip
    def note_account_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        explain = [_("The customer has paid what was delivered on account. The order's state does not change.")]
        return self._page(request, order, "note_account_payment", _note(order, request), explain=explain,
                          title=_("Note payment on account"), button=_("It is paid"))  # fmt: skip

    @action(description=gettext_lazy("Note refund"), url_path="note-refund", icon="currency_exchange",
            permissions=["order.confirm_payment"])  # fmt: skip
    def note_refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        explain = [_("You have transferred the money back to the customer. The order's state does not change.")]
        return self._page(request, order, "note_refund", _refunded(order, request), form=Reference, explain=explain,
                          title=_("Note refund"), button=_("The money is back"))  # fmt: skip

    @action(description=gettext_lazy("Give money back"), url_path="refund", icon="undo",
            permissions=["payments.refund_payment"])  # fmt: skip
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return admin_refund_form.page(self, request, self.wanted(request, object_id))

    @action(description=gettext_lazy("Cancel the order"), url_path="cancel", icon="cancel",
            permissions=["order.cancel_order"], variant=ActionVariant.DANGER)  # fmt: skip
    def cancel_order(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        explain = [_("The customer gets a mail once it is cancelled. This cannot be undone.")]
        if order.status in RELEASED:
            explain.append(_("Its goods stay reserved until every system that was told says it will not ship them."))
        if order.paid_at:
            explain.append(_("It is paid: a task reminds you to give the money back."))
        return self._page(request, order, "cancel_order", _cancel(order, request), form=Reason, explain=explain,
                          title=_("Cancel the order"), button=_("Cancel the order"), danger=True)  # fmt: skip

    @action(description=gettext_lazy("Ship"), url_path="ship", icon="local_shipping",
            permissions=["order.ship_order"], variant=ActionVariant.PRIMARY)  # fmt: skip
    def ship(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        rows = open_sourcings(order).select_related("warehouse", "line").order_by("warehouse", "line")
        explain = [_("Everything below leaves the chosen warehouse now. What an ERP ships is not listed.")]
        explain += [f"{row.warehouse}: {row.quantity - row.shipped} × {row.line.partner_sku}" for row in rows]
        return self._page(request, order, "ship", _ship(order, request), form=ship_form(order), explain=explain,
                          title=_("Ship"), button=_("It has left"))  # fmt: skip

    @action(description=gettext_lazy("Close the return"), url_path="close-return", icon="assignment_return",
            permissions=["order.close_return"])  # fmt: skip
    def close_return(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.wanted(request, object_id)
        explain = [
            _("Goods left although the order was cancelled. They are back, or nobody waits for them any more."),
            _("Stock does not change by this: receive the goods at their SKU, with the reason returned."),
        ]
        return self._page(request, order, "close_return", _back(order, request), form=Back, explain=explain,
                          title=_("Close the return"), button=_("Close the return"))  # fmt: skip

    @action(description=gettext_lazy("Packing list"), url_path="packing-list", icon="print")
    def packing_list(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page to print: what has still to leave, from where and to whom. Nothing changes by it."""
        order = self.wanted(request, object_id)
        if not offered("packing_list", order):
            return too_late(self, request, order)
        shown = {"order": order, "places": admin_page.to_pack(order), "address": admin_page.address_lines(order)}
        return TemplateResponse(request, "admin/order/order/packing_list.html", shown)

    def _page(
        self, request: HttpRequest, order: Order, name: str, do: Callable[[dict[str, Any]], str], **page: Any
    ) -> HttpResponse:
        if not offered(name, order):
            return too_late(self, request, order)
        return act(self, request, order, _refusing(do), **page)


def _refusing(do: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """The order moved between the look and the click: a message, not an error."""

    def done(data: dict[str, Any]) -> str:
        try:
            return do(data)
        except IllegalMove as refusal:
            words = _("The order is %(status)s meanwhile; this cannot be done any more. Nothing was changed.")
            raise Refused(words % {"status": refusal.order.get_status_display()}, final=True) from None

    return done


def _confirm(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        moved = lifecycle.confirm_payment(order.number, actor=actor(request), reference=data["reference"])
        if moved.needs_refund:
            return _(
                "The payment is noted, but too little is free by now: the order stays expired. Give the money back and "
                "note the refund, or receive goods and confirm again."
            )
        return _("Paid. The order is released.")

    return do


def _extend(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        before, until = order.payment_deadline, data["until"]
        if before and until <= before:
            raise Refused(_("That is no later than the deadline it has: %(at)s.") % {"at": _spoken(before)})
        try:
            moved = lifecycle.extend_deadline(order.number, until, actor=actor(request), reason=data["reason"])
        except TooFar as too_far:
            raise Refused(_("At most until %(at)s.") % {"at": _spoken(too_far.last)}) from None
        except TimeIsOver:
            raise Refused(_("The payment time is over meanwhile. Nothing was changed."), final=True) from None
        return _("The goods are held until %(at)s.") % {"at": _spoken(moved.payment_deadline)}

    return do


def _refunded(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        lifecycle.note_refund(order.number, actor=actor(request), reference=data["reference"])
        return _("Noted: the money is back with the customer.")

    return do


def _back(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        lifecycle.close_return(order.number, actor=actor(request), reference=data["reference"])
        return _("The return is closed.")

    return do


def _note(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(_data: dict[str, Any]) -> str:
        lifecycle.note_account_payment(order.number, actor=actor(request))
        return _("Noted: paid.")

    return do


def _cancel(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        moved = lifecycle.cancel(order.number, actor=actor(request), reason=data["reason"])
        if moved.status == Status.CANCELLING:
            return _("Being cancelled: other systems were told of it and have to agree first.")
        return _("Cancelled.")

    return do


def _ship(order: Order, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        try:
            parcel = shipping.ship(order.number, warehouse=data["warehouse"], actor=actor(request))
        except shipping.NothingToShip:
            raise Refused(_("Nothing is left to ship from there."), final=True) from None
        except NotThere:
            raise Refused(_("Fewer than that are on hand there by now. Count the shelf first, then ship.")) from None
        return _("Parcel %(number)s has left.") % {"number": parcel.number}

    return do
