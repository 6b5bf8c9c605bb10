"""Pages about many rows of outgoing work: parked work by cause, trying all that a list shows again, taking rows."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.hub import said, topics
from integrations.hub.desk import outgoing_acts
from integrations.hub.desk.admin_pages import StaffAdmin, actor
from integrations.hub.models import Outgoing
from integrations.hub.sending import manual, parking

SKIPPED_SHOWN = 50


def by_cause(admin: StaffAdmin, request: HttpRequest) -> HttpResponse:
    """Parked work by account, topic and cause; each opens its rows, and can be tried again as a whole."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    found = []
    for group in parking.groups():
        query = {"state": "parked", "account__id__exact": group.account_id, "topic": group.topic, "cause": group.cause}
        found.append(
            {
                "group": group,
                "topic": topics.label(group.topic),
                "words": said.in_words(group.sample) if group.count == 1 else _cause_in_words(group),
                "rows": f"{reverse('admin:hub_outgoing_changelist')}?{urlencode(query)}",
                "replay": f"{reverse('admin:hub_outgoing_replay')}?{urlencode(query)}",
            }
        )
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Parked work by cause"),
        "opts": admin.opts,
        "groups": found,
        "may": request.user.has_perm("hub.operate_outgoing"),
        "back": reverse("admin:hub_outgoing_changelist"),
    }
    return TemplateResponse(request, "admin/hub/outgoing/by_cause.html", context)


def _cause_in_words(group: parking.Group) -> str:
    return said.in_words(group.cause if group.cause else group.sample) or "–"


def replay(admin: StaffAdmin, request: HttpRequest) -> HttpResponse:
    """With the list's own query string. GET: what trying all of it again would do. POST: does it."""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    if not request.user.has_perm("hub.operate_outgoing"):
        raise PermissionDenied
    back = f"{reverse('admin:hub_outgoing_changelist')}?{request.GET.urlencode()}"
    try:
        rows = admin.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{reverse('admin:hub_outgoing_changelist')}?e=1")
    if request.method == "POST":
        result = parking.retry(rows)
        messages.add_message(
            request, messages.SUCCESS if result.retried else messages.WARNING, outgoing_acts.said_of(result)
        )
        return HttpResponseRedirect(back)
    outlook = parking.outlook(rows)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Try all of these again"),
        "opts": admin.opts,
        "outlook": outlook,
        "late": outlook.late.count(),
        "unknown": outlook.unknown.count(),
        "skipped": [*_shown(outlook.unknown), *_shown(outlook.late)],
        "shown": SKIPPED_SHOWN,
        "back": back,
    }
    return TemplateResponse(request, "admin/hub/outgoing/replay.html", context)


def _shown(rows: QuerySet[Outgoing]) -> list[dict[str, Any]]:
    found = rows.select_related("account").order_by("pk")[:SKIPPED_SHOWN]
    return [
        {
            "link": reverse("admin:hub_outgoing_change", args=[row.pk]),
            "topic": topics.label(row.topic),
            "about": topics.subject_words(row.subject),
            "account": row.account.name,
            "why": said.in_words(row.parked_reason),
        }
        for row in found
    ]


def take(admin: StaffAdmin, request: HttpRequest, rows: QuerySet[Outgoing]) -> HttpResponse | None:
    """Take rows out of the machine's hands; shows the worksheet where there is one for all of them."""
    sheets, left = manual.take(Outgoing.objects.filter(pk__in=rows.order_by().values("pk")), actor(request))
    if left:
        words = [f"{why} ({count})" for why, count in Counter(left.values()).most_common()]
        messages.warning(request, _("Not taken: %(n)d.") % {"n": len(left)} + " " + " ".join(words))
    if not sheets:
        return None
    messages.success(request, _("Taken. Nothing of it is sent until you give it back."))
    if len(sheets) > 1:
        return HttpResponseRedirect(reverse("admin:hub_taken_changelist"))
    return HttpResponseRedirect(reverse("admin:hub_taken_change", args=[sheets[0].pk]))
