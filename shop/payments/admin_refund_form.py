"""The refund form of an order: what is given back for which lines, and what of it is back in stock.

Two steps: first it says what the amounts come to, then that sum is given back. Nothing typed is lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub import said
from integrations.hub.desk.admin_pages import StaffAdmin, actor, too_late
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import admin_page, refund_lines, refunds
from shop.payments.models import Refund
from shop.payments.refund_lines import CannotRefund, Proposed, Wanted
from shop.pricing.money import ZERO, TooFine, quantise
from shop.pricing.templatetags.prices import money
from shop.stock.models import Warehouse


class Stale(Exception):
    """Another refund was made since the form was opened. Nothing was changed."""


def _amount(label: Any, name: str, most: Decimal) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_value=most, max_digits=19, decimal_places=4,
        widget=forms.TextInput({"class": "weft-box weft-box-number", "inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"max_value": _("At most %(limit_value)s.")},
    )  # fmt: skip


class RefundForm(forms.Form):
    """`quantity_`, `amount_` and `restock_` of each line's id; an amount left empty is the share of the units."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("The provider may show it to the customer."),
    )  # fmt: skip
    seen = forms.CharField(widget=forms.HiddenInput())

    def __init__(self, order: Order, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"seen": seen(order)})
        self.order, self.left = order, quantise(refunds.refundable(order), order.currency)
        self.proposed = refund_lines.proposal(order)
        self.shipping_left = quantise(refund_lines.shipping_left(order), order.currency)
        places = Warehouse.objects.filter(erp_account=None)
        self.places = [("", _("not back")), *((str(one.pk), str(one)) for one in places)]
        for one in self.proposed:
            self._ask_line(one)
        if self.shipping_left:
            self.fields["shipping"] = _amount(_("Shipping"), "shipping", self.shipping_left)
        self.fields["other"] = _amount(_("Anything else"), "other", self.left)

    def _ask_line(self, one: Proposed) -> None:
        pk = one.line.pk
        self.fields[f"quantity_{pk}"] = forms.IntegerField(
            label=_("units"), required=False, min_value=0, max_value=one.quantity,
            widget=forms.TextInput({"class": "weft-box weft-box-number", "inputmode": "numeric"}),
            error_messages={"max_value": _("At most %(limit_value)s.")},
        )  # fmt: skip
        self.fields[f"amount_{pk}"] = _amount(_("amount"), f"amount_{pk}", quantise(one.amount, one.currency))
        if one.returnable:
            self.fields[f"restock_{pk}"] = forms.ChoiceField(
                label=_("back into stock"), required=False, choices=self.places,
                widget=forms.Select({"class": "weft-box"}),
            )  # fmt: skip

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each line with its controls."""
        for one in self.proposed:
            pk = one.line.pk
            yield {
                "line": one.line, "left": one.quantity, "amount_left": money(one.amount, one.currency),
                "each": money(one.amount_of(1), one.currency) if one.quantity > 1 else "",
                "quantity": self[f"quantity_{pk}"], "amount": self[f"amount_{pk}"],
                "restock": self[f"restock_{pk}"] if one.returnable else None, "returnable": one.returnable,
            }  # fmt: skip

    def more(self) -> dict[str, forms.BoundField]:
        """The controls below the lines."""
        return {name: self[name] for name in ("shipping", "other", "reason") if name in self.fields}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        for one in self.proposed:
            self._complete(one, data)
        if not self.errors and self.total <= 0:
            raise ValidationError(_("Say how many units, or which amount, is given back."))
        if not self.errors and self.total > self.left:
            words = _("Together that is %(total)s. At most %(left)s can still be given back: take something out.")
            amounts = {"total": money(self.total, self.order.currency), "left": money(self.left, self.order.currency)}
            raise ValidationError(words % amounts)
        return data

    def _complete(self, one: Proposed, data: dict[str, Any]) -> None:
        """An amount that was left empty is the share of the units; it stands in the form from then on."""
        name = f"amount_{one.line.pk}"
        quantity = data.get(f"quantity_{one.line.pk}") or 0
        if quantity and data.get(name) is None:
            data[name] = quantise(one.amount_of(quantity), one.currency)
            self.data[name] = str(data[name])
        if data.get(f"restock_{one.line.pk}") and not quantity:
            self.add_error(f"quantity_{one.line.pk}", _("How many of them are back?"))
        if data.get(f"restock_{one.line.pk}") and quantity > one.returnable:
            words = _("Only %(units)d have left and can be back.") % {"units": one.returnable}
            self.add_error(f"restock_{one.line.pk}", words)

    @property
    def shipping(self) -> Decimal:
        return self.cleaned_data.get("shipping") or ZERO

    @property
    def total(self) -> Decimal:
        """What all of it comes to."""
        amounts = [self.cleaned_data.get(f"amount_{one.line.pk}") or ZERO for one in self.proposed]
        return sum(amounts, self.shipping + (self.cleaned_data.get("other") or ZERO))

    def wanted(self) -> list[Wanted]:
        """The lines of which something is given back."""
        found = [
            Wanted(
                one.line.pk, self.cleaned_data.get(f"quantity_{one.line.pk}") or 0,
                self.cleaned_data.get(f"amount_{one.line.pk}") or ZERO,
                int(self.cleaned_data.get(f"restock_{one.line.pk}") or 0) or None,
            )
            for one in self.proposed
        ]  # fmt: skip
        return [one for one in found if one.quantity or one.amount]


def seen(order: Order) -> str:
    """What the form remembers: sent twice, or after another refund, it finds another number here."""
    return str(order.refunds.count())


def is_possible(order: Order) -> bool:
    """Is anything of its payments left to give back? They were read with the order."""
    return any(one.refundable and not one.is_disputed for one in order.attempts.all())


def page(admin: StaffAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """GET asks, POST says what it comes to, POST of that very sum gives it back."""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    if not is_possible(order):
        return too_late(admin, request, order)
    form = RefundForm(order, request.POST.copy() if request.method == "POST" else None)
    checked = ""
    if form.is_bound and form.is_valid():
        checked = str(quantise(form.total, order.currency))
        if request.POST.get("checked") == checked:
            try:
                return _done(admin, request, order, _request(order, form, actor(request)))
            except Stale:
                words = _("A refund of this order was made since the form was opened; it stands below. Nothing was "
                          "given back now. Open the form again if you want another one.")  # fmt: skip
                messages.error(request, words)
                return HttpResponseRedirect(admin.address(order))
            except (CannotRefund, TooFine) as refusal:
                form.add_error(None, said.in_words(str(refusal)))
                checked = ""
    return _shown(admin, request, order, form, checked)


def _request(order: Order, form: RefundForm, who: str) -> Refund:
    with lifecycle.locked(order.number) as locked:
        if form.cleaned_data["seen"] != seen(locked):
            raise Stale
        return refunds.request(
            locked, form.total, actor=who, reason=form.cleaned_data["reason"], lines=form.wanted(),
            shipping=form.shipping,
        )  # fmt: skip


def _done(admin: StaffAdmin, request: HttpRequest, order: Order, refund: Refund) -> HttpResponse:
    words = admin_page.requested(refund)
    admin.log_change(request, order, words)
    messages.success(request, words)
    return HttpResponseRedirect(admin.address(order))


def _shown(admin: StaffAdmin, request: HttpRequest, order: Order, form: RefundForm, checked: str) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Give money back"),
        "subtitle": str(order),
        "form": form,
        "order": order,
        "checked": checked,
        "total": money(Decimal(checked), order.currency) if checked else "",
        "left": money(form.left, order.currency),
        "shipping_left": money(form.shipping_left, order.currency),
        "back": admin.address(order),
        "model_admin": admin,
        "media": admin.media + form.media,
    }
    return TemplateResponse(request, "admin/payments/refund_form.html", context)
