"""Finding work by what people know of it: what it is about, or the number the remote gave."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from integrations.hub import topics
from integrations.hub.models import Incoming, IncomingHint, Outgoing
from runtime.logs import trace

LONGEST = 100  # characters of a search that are looked at


def cleaned(text: str) -> str:
    """A search as it is looked at: one line, not endless."""
    return " ".join(text.replace("\0", " ").split())[:LONGEST]


def by_remote_number(text: str) -> QuerySet[Outgoing]:
    """Rows whose remote documents have exactly this number (or id), as typed or in capitals."""
    return Outgoing.objects.exclude(refs=[]).filter(_named(text))


def rows(text: str) -> QuerySet[Outgoing]:
    """Rows about what `text` names, by our number or by the remote's."""
    found = Q(subject__startswith=text) | Q(_named(text), ~Q(refs=[]))
    for kind in topics.subject_kinds():
        for said in {text, text.upper()}:
            found |= Q(subject__startswith=f"{kind}:{said}")
    if trace.is_trace(text):
        found |= Q(~Q(trace=""), trace=text)
    return Outgoing.objects.filter(found)


def messages(text: str) -> QuerySet[Incoming]:
    """Messages with this event id, or about what `text` names, or that came with this trace."""
    about = Q(subject=text)
    for kind in topics.subject_kinds():
        for said in {text, text.upper()}:
            about |= Q(subject=f"{kind}:{said}")
    hinted = IncomingHint.objects.filter(about).values("incoming")
    found = Q(event__startswith=text) | about | Q(pk__in=hinted)
    if trace.is_trace(text):
        found |= Q(~Q(trace=""), trace=text)
    return Incoming.objects.filter(found)


def traced(text: str) -> QuerySet[Outgoing]:
    """Rows that one click, task or call wished for last."""
    return Outgoing.objects.filter(~Q(trace=""), trace=text)


def _named(text: str) -> Q:
    found = Q()
    for said in {text, text.upper()}:
        found |= Q(refs__contains=[{"number": said}]) | Q(refs__contains=[{"id": said}])
    return found
