"""Reading a stretch of an account's past again, and saying of a hole that there is nothing in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from integrations.hub import said
from integrations.hub.desk.admin_pages import Confirm, Refused, act, actor, too_late
from integrations.hub.errors import HubError
from integrations.hub.health.flows_admin import FlowsBoard
from integrations.hub.models import Account, AccountState
from integrations.hub.reading import gaps, windows
from integrations.hub.reading.windows import Polling

OPERATE = ["hub.operate_account"]
LONGEST = timedelta(days=31)  # from a page; the command reads any stretch
_MOMENT = {"type": "datetime-local"}


class Stretch(Confirm):
    """From when to when, in the person's own time."""

    since = forms.DateTimeField(label=gettext_lazy("From"), widget=UnfoldAdminTextInputWidget(attrs=_MOMENT))
    until = forms.DateTimeField(label=gettext_lazy("Until"), widget=UnfoldAdminTextInputWidget(attrs=_MOMENT))
    dry = forms.BooleanField(
        label=gettext_lazy("Only say what is missing here"), required=False, widget=UnfoldBooleanWidget()
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and not timedelta(0) < until - since <= LONGEST:
            self.add_error("until", _("After the beginning, and at most 31 days later."))
        return data


class Nothing(Confirm):
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=500, widget=UnfoldAdminTextareaWidget(),
        help_text=gettext_lazy("How you know that nothing is missing, or what was done by hand."),
    )  # fmt: skip


class ReadAgain(FlowsBoard):
    """What staff do about what was read."""

    def offers(self, action: str, obj: Account) -> bool:
        if action == "backfill":
            return bool(windows.of_kind(obj.kind)) and obj.state in (AccountState.ACTIVE, AccountState.PAUSED)
        return super().offers(action, obj) and (action != "close_gaps" or gaps.opened().filter(account=obj).exists())

    @action(description=gettext_lazy("Read again"), url_path="read-again", icon="history", permissions=OPERATE)
    def backfill(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not self.offers("backfill", account):
            return too_late(self, request, account)
        pollings = {polling.name: polling for polling in windows.of_kind(account.kind)}

        def do(data: dict[str, Any]) -> str:
            return _read(pollings[data["what"]], account, data)

        explain = [
            _("What is in already stays as it is: nothing comes in twice."),
            _("A long stretch takes its time; manage.py backfill does the same without a limit."),
        ]
        return act(self, request, account, do, form=_form(pollings), explain=explain, title=_("Read a stretch again"),
                   button=_("Read"))  # fmt: skip

    @action(description=gettext_lazy("Close the gaps"), url_path="close-gaps", icon="done_all", permissions=OPERATE)
    def close_gaps(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not self.offers("close_gaps", account):
            return too_late(self, request, account)

        def do(data: dict[str, Any]) -> str:
            return _("Closed: %(n)d") % {"n": gaps.close(account, data["note"], by=actor(request))}

        holes = map(gaps.in_words, gaps.opened().filter(account=account)[:20])
        explain = [*holes, _("They are no longer read again. The note stays with them.")]
        return act(self, request, account, do, form=Nothing, explain=explain, title=_("Close the gaps"),
                   button=_("There is nothing in them"), danger=True)  # fmt: skip


def _form(pollings: dict[str, Polling]) -> type[Stretch]:
    """The stretch, and what of it."""
    choices = [(name, str(polling.label)) for name, polling in pollings.items()]

    class Form(Stretch):
        field_order = ("what",)
        what = forms.ChoiceField(label=gettext_lazy("What"), choices=choices, widget=UnfoldAdminSelectWidget())

    return Form


def _read(polling: Polling, account: Account, data: dict[str, Any]) -> str:
    """Reads, and says what came of it."""
    until = min(data["until"], timezone.now())
    try:
        report = windows.backfill(polling, account, data["since"], until, dry=data["dry"])
    except HubError as error:
        raise Refused(said.in_words(error.message), final=True) from None
    words = {"read": report.read, "new": report.new, "broken": report.broken}
    form = (
        _("Read: %(read)d, of them not in here: %(new)d.")
        if data["dry"]
        else _("Read: %(read)d, of them new: %(new)d.")
    )
    broken = _("Stretches that are not whole: %(broken)d.") % words if report.broken else ""
    return f"{form % words} {broken}".strip()
