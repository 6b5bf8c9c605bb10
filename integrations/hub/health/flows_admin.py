"""The page of all flows, and the action that sets how old one of them may get."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from integrations.hub.desk.account_health import AccountHealth
from integrations.hub.desk.admin_pages import Confirm, Refused, act, actor
from integrations.hub.health import board, flows, objectives, spans
from integrations.hub.health.flows import Flow
from integrations.hub.models import Account
from integrations.hub.words import KINDS

OPERATE = ["hub.operate_account"]
SEE = ["hub.view_account"]


class FlowsBoard(AccountHealth):
    """Accounts' flows: all on one page, and each one's objective."""

    @action(description=gettext_lazy("Flows"), url_path="flows", icon="monitor_heart", permissions=SEE)
    def flows(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = board.rows()
        if request.GET.get("state") == "late":
            rows = [row for row in rows if row.flow.is_late]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Flows"),
            "accounts": [
                {"account": of, "kind": _(KINDS[of.kind]) if of.kind in KINDS else of.kind, "rows": list(its)}
                for of, its in groupby(rows, key=lambda row: row.flow.account)
            ],
            "late": sum(row.flow.is_late for row in rows),
            "may_operate": request.user.has_perms(OPERATE),
            "updated_at": timezone.now(),
        }
        return TemplateResponse(request, "admin/hub/flows.html", context)

    @action(description=gettext_lazy("Set an objective"), url_path="objective", icon="timer", permissions=OPERATE)
    def objective(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        found = {flow.name: flow for flow in flows.measure() if flow.account.id == account.pk}

        def do(data: dict[str, Any]) -> str:
            return _changed(account, found[data["flow"]], data["seconds"], actor(request))

        explain = [
            _("How old the oldest unsent wish, or the last reading, may get before an alarm begins."),
            _("Leave the seconds empty for what Weft itself thinks right."),
        ]
        return act(self, request, account, do, form=_form(found, request.GET.get("flow", "")), explain=explain,
                   title=_("Set an objective"), button=_("Set"))  # fmt: skip


def _changed(account: Account, flow: Flow, seconds: int | None, by: str) -> str:
    """Sets it, and says so."""
    if flow.account.id != account.pk:
        raise Refused(_("This flow is no longer there."), final=True)
    objectives.change(account, flow.name, seconds, by=by)
    span = spans.words(seconds or flows.declared(account.kind, flow.name))
    return _("%(flow)s: %(span)s.") % {"flow": flow.label, "span": span}


def _form(found: dict[str, Flow], chosen: str) -> type[forms.Form]:
    """Which flow of this account, and how many seconds."""
    one = found.get(chosen)
    choices = [(name, str(flow.label)) for name, flow in found.items()]

    class ObjectiveForm(Confirm):
        flow = forms.ChoiceField(
            label=gettext_lazy("Flow"), choices=choices, initial=chosen, widget=UnfoldAdminSelectWidget()
        )
        seconds = forms.IntegerField(
            label=gettext_lazy("Seconds"),
            min_value=objectives.SHORTEST,
            max_value=objectives.LONGEST,
            required=False,
            initial=one.objective if one and one.own_objective else None,
            help_text=_("Without: %(seconds)d.") % {"seconds": flows.declared(one.account.kind, one.name)}
            if one
            else "",
            widget=UnfoldAdminIntegerFieldWidget(),
        )

    return ObjectiveForm
