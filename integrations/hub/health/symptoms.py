"""What the flows are examined for: are any late, and would anybody be told?"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.hub import doctor
from integrations.hub.doctor import Finding, note, ok, todo
from integrations.hub.health import flows, hooks, spans
from integrations.hub.models import Account, AccountState


def register() -> None:
    """Once, from `wiring.connect`."""
    doctor.register("flows", late)
    doctor.register("alarms", told)


def late() -> Iterator[Finding]:
    """Flows past their objective, measured now: the beat that opens alarms may stand still itself."""
    measured = flows.measure()
    for flow in measured:
        if flow.is_late:
            words = {
                "account": flow.account.name, "flow": flow.label, "age": spans.words(flow.age),
                "objective": spans.words(flow.objective),
            }  # fmt: skip
            what = (
                _("%(account)s: %(flow)s not read for %(age)s (objective %(objective)s)")
                if flow.is_read
                else _("%(account)s: %(flow)s waits for %(age)s (objective %(objective)s)")
            )
            yield todo(
                what % words,
                _("Nothing is lost, but the other side works by what it was told last."),
                f"{settings.WEFT_SHOP_URL}/admin/hub/account/flows/",
            )
    if not any(flow.is_late for flow in measured):
        yield ok(_("%(count)s flows are within their objectives.") % {"count": len(measured)})


def told() -> Iterator[Finding]:
    """Is there a way by which alarms reach somebody?"""
    mail = (
        bool(settings.WEFT_ALARM_MAIL) and Account.objects.filter(kind="messages", state=AccountState.ACTIVE).exists()
    )
    hook = Account.objects.filter(kind=hooks.KIND, state=AccountState.ACTIVE).exists()
    if mail or hook:
        yield ok(_("Alarms are told by mail or webhook."))
    else:
        yield note(
            _("Alarms are told to nobody."),
            _("They stand on the admin's home page only, and somebody has to look there."),
            _("Set WEFT_ALARM_MAIL (and have a mail account that works), or WEFT_ALARM_WEBHOOK."),
        )
