"""Alarms in words: what stands wrong, what is news of it, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrations.hub import said
from integrations.hub.health import flows, readers, spans
from integrations.hub.health.models import Alarm, AlarmKind

_MEANS = {
    AlarmKind.LATE: gettext_lazy(
        "Nothing is lost: what waits is sent once the way is free. The page below says what hinders it."
    ),
    AlarmKind.PROBLEM: gettext_lazy("Nothing is sent to it until that is solved; its work waits."),
    AlarmKind.PARKED: gettext_lazy(
        "They could not be sent, and each says why. Nothing happens to them until a person decides."
    ),
    AlarmKind.SILENT: gettext_lazy(
        "They do not run, or every one of them is busy with something long. The shop goes on selling; mails, the "
        "ERP and deadlines wait, and nothing is lost."
    ),
    AlarmKind.GAP: gettext_lazy(
        "Something there was perhaps not told to us. It is read again with every poll; the account's page says what is "
        "missing, and reads a stretch again."
    ),
}


def of_alarm(alarm: Alarm) -> str:
    """One sentence, with the figures of the last look, in the reader's language."""
    facts: dict[str, Any] = alarm.facts
    match alarm.kind:
        case AlarmKind.LATE:
            return _late(facts)
        case AlarmKind.PROBLEM:
            return _("%(account)s has a problem: %(problem)s") % {**facts, "problem": said.in_words(facts["problem"])}
        case AlarmKind.PARKED:
            form = ngettext(
                "%(count)d piece of work for %(account)s is parked",
                "%(count)d pieces of work for %(account)s are parked",
                facts["count"],
            )
            return form % facts
        case AlarmKind.SILENT:
            words = {**facts, "span": spans.words(facts["seconds"])}
            return _("The workers of %(cluster)s gave no sign of life for %(span)s") % words
        case AlarmKind.GAP:
            form = ngettext(
                "%(account)s: %(count)d gap in %(flow)s", "%(account)s: %(count)d gaps in %(flow)s", facts["count"]
            )
            return form % {**facts, "flow": _flow(facts)}
    return f"{alarm.kind} {alarm.subject}"


def _flow(facts: dict[str, Any]) -> str:
    return str(flows.label(facts["kind"], facts["flow"]))


def _late(facts: dict[str, Any]) -> str:
    words = {
        "account": facts["account"],
        "age": spans.words(facts["seconds"]),
        "objective": spans.words(facts["objective"]),
        "flow": _flow(facts),
    }
    if facts["flow"].startswith(readers.PREFIX):
        return _("%(account)s: %(flow)s not read for %(age)s (objective %(objective)s)") % words
    return _("%(account)s: %(flow)s waits for %(age)s (objective %(objective)s)") % words


def heading(event: str) -> str:
    """The news in two or three words, for a subject."""
    return {"opened": _("alarm"), "reminder": _("alarm still stands"), "ended": _("alarm ended")}[event]


def news(alarm: Alarm, event: str) -> str:
    """What is new about it."""
    since = f"{timezone.localtime(alarm.opened_at):%Y-%m-%d %H:%M:%S %Z}"
    if event == "ended" and alarm.ended_at:
        lasted = spans.words((alarm.ended_at - alarm.opened_at).total_seconds())
        return _("It is well again. It began at %(since)s and lasted %(lasted)s.") % {"since": since, "lasted": lasted}
    if event == "reminder":
        lasted = spans.words((timezone.now() - alarm.opened_at).total_seconds())
        return _("This stands since %(since)s, for %(lasted)s by now.") % {"since": since, "lasted": lasted}
    return _("This began at %(since)s.") % {"since": since}


def advice(alarm: Alarm) -> Iterator[str]:
    """What it means and what to do, where it has not ended."""
    if alarm.ended_at:
        return
    yield str(_MEANS[AlarmKind(alarm.kind)])
