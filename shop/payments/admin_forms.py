"""What staff are asked when they do something about payments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm
from shop.desk.fields import Day
from shop.payments.models import Attempt, Dispute, DisputeStatus, Refund
from shop.pricing.money import quantise


def _text(label: Any, help_text: Any = "", **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, max_length=200, widget=UnfoldAdminTextInputWidget(), **more
    )  # fmt: skip


class Done(Confirm):
    note = _text(
        gettext_lazy("What was done about it"),
        gettext_lazy("Asked the customer, confirmed the order by hand, given back there ... It stays with the order."),
    )


class Why(Confirm):
    note = _text(gettext_lazy("Why"), gettext_lazy("For your colleagues; the customer does not see it."))


class ByHand(Confirm):
    note = _text(
        gettext_lazy("How the money went back"),
        gettext_lazy("Bank transfer of which day, with which reference. It stays with the order."),
    )


class Ended(Confirm):
    status = forms.ChoiceField(
        label=gettext_lazy("How did it end?"),
        choices=[(one.value, one.label) for one in DisputeStatus if one is not DisputeStatus.OPEN],
        widget=UnfoldAdminSelectWidget(),
    )
    note = _text(gettext_lazy("Note"), gettext_lazy("What the provider wrote. It stays with the order."))


def approve_form(refund: Refund) -> type[Confirm]:
    """Remembers what exactly was shown."""

    class Approve(Confirm):
        approval = forms.CharField(initial=refund.approval, widget=forms.HiddenInput())

    return Approve


def evidence_form(dispute: Dispute) -> type[Confirm]:
    """Asks for another day."""

    class Evidence(Confirm):
        due_on = forms.DateField(
            label=gettext_lazy("evidence due on"), initial=dispute.evidence_due_on, widget=Day(),
            help_text=gettext_lazy("Three days before it stands on the home page as urgent."),
        )  # fmt: skip

    return Evidence


def dispute_form(attempt: Attempt) -> type[Confirm]:
    """Asks about how much, and until when evidence is due."""

    class Enter(Confirm):
        amount = forms.DecimalField(
            label=gettext_lazy("amount"), min_value=0, max_digits=19, decimal_places=4,
            initial=quantise(attempt.captured - attempt.disputed, attempt.currency),
            widget=UnfoldAdminDecimalFieldWidget(),
        )  # fmt: skip
        opened_on = forms.DateField(label=gettext_lazy("opened on"), initial=timezone.localdate, widget=Day())
        evidence_due_on = forms.DateField(
            label=gettext_lazy("evidence due on"), required=False, widget=Day(),
            help_text=gettext_lazy("Three days before it stands on the home page as urgent."),
        )  # fmt: skip
        reason = _text(gettext_lazy("reason"), gettext_lazy("What the provider says, with its number of the case."))

    return Enter
