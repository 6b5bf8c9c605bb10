"""What staff do with one row of outgoing work: try it again, close it, tick it off, give it back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub import said, topics
from integrations.hub.desk.admin_pages import Confirm, Refused, StaffAdmin, act, actor, too_late
from integrations.hub.models import Outgoing
from integrations.hub.sending import manual, parking
from integrations.hub.sending.manual import Entered


class Done(Confirm):
    note = forms.CharField(
        label=gettext_lazy("What was done"),
        max_length=255,
        help_text=gettext_lazy("Done by hand and how, or why it is not wanted any more. It stays with the row."),
        widget=UnfoldAdminTextInputWidget(),
    )


class Ticked(Confirm):
    number = forms.CharField(
        label=gettext_lazy("its number there"),
        max_length=160,
        help_text=gettext_lazy("What the remote calls it: an order number, a refund number."),
        widget=UnfoldAdminTextInputWidget(),
    )
    note = forms.CharField(
        label=gettext_lazy("note"), max_length=255, required=False, widget=UnfoldAdminTextInputWidget()
    )


class TickedMoney(Ticked):
    amount = forms.DecimalField(
        label=gettext_lazy("amount"), max_digits=18, decimal_places=4, min_value=0, widget=UnfoldAdminTextInputWidget()
    )


def retry(admin: StaffAdmin, request: HttpRequest, row: Outgoing) -> HttpResponse:
    if not admin.offers("retry", row):
        return too_late(admin, request, row)

    def do(_data: dict[str, Any]) -> str:
        result = parking.retry(Outgoing.objects.filter(pk=row.pk))
        if not result.retried:
            raise Refused(said_of(result), final=True)
        return said_of(result)

    return act(admin, request, row, do, title=_("Try again"), button=_("Try again now"), explain=[_why(row)])


def close(admin: StaffAdmin, request: HttpRequest, row: Outgoing) -> HttpResponse:
    if not admin.offers("close", row):
        return too_late(admin, request, row)

    def do(data: dict[str, Any]) -> str:
        if not parking.close(row, data["note"]):
            raise Refused(_("It is not parked any more. Nothing was changed."), final=True)
        return _("Closed: %(note)s") % {"note": data["note"]}

    explain = [_why(row), _("You have looked, and it is done or not wanted any more. Weft will never send it.")]
    return act(admin, request, row, do, form=Done, title=_("Close by hand"), button=_("Close it"), explain=explain)


def tick(admin: StaffAdmin, request: HttpRequest, row: Outgoing) -> HttpResponse:
    if not admin.offers("tick", row):
        return too_late(admin, request, row)
    topic = topics.find(row.topic)
    sheet: Any = row.taken

    def do(data: dict[str, Any]) -> str:
        entered = Entered(data["number"], str(data.get("amount") or ""), data["note"])
        return _outcome(manual.finish(sheet, {row.pk: entered}, (), actor(request)), row)

    explain = [_("You have done it at the remote. Weft will not send it, unless it is changed here again.")]
    form = TickedMoney if topic is not None and "amount" in topic.needs else Ticked
    return act(admin, request, row, do, form=form, title=_("Tick off"), button=_("It is done"), explain=explain)


def give_back(admin: StaffAdmin, request: HttpRequest, row: Outgoing) -> HttpResponse:
    if not admin.offers("give_back", row):
        return too_late(admin, request, row)
    sheet: Any = row.taken

    def do(_data: dict[str, Any]) -> str:
        return _outcome(manual.finish(sheet, {}, [row.pk], actor(request)), row)

    explain = [_("It was not done by hand. Weft sends it as soon as it can.")]
    return act(admin, request, row, do, title=_("Give back"), button=_("It was not done"), explain=explain)


def _outcome(result: manual.Result, row: Outgoing) -> str:
    if words := result.refused.get(row.pk):
        raise Refused(words)
    return in_words(result)


def in_words(result: manual.Result) -> str:
    """What came of a worksheet's rows."""
    words = _("Ticked off: %(done)d. Given back: %(back)d.")
    return words % {"done": result.ticked, "back": result.given_back}


def _why(row: Outgoing) -> str:
    return _("Why it is parked: %(reason)s") % {"reason": said.in_words(row.parked_reason) or "–"}


def said_of(result: parking.Retried) -> str:
    """What came of trying again."""
    words = ngettext("%(n)d row is due again.", "%(n)d rows are due again.", result.retried) % {"n": result.retried}
    if not result.skipped:
        return words
    left = ngettext(
        "%(n)d was left alone: not parked, too late, or perhaps done already (look at the remote by hand).",
        "%(n)d were left alone: not parked, too late, or perhaps done already (look at the remote by hand).",
        result.skipped,
    ) % {"n": result.skipped}
    return f"{words} {left}"
