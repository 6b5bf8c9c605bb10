"""The admin site: unfold's, with our own search behind its search boxes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from integrations.hub.desk.finding import cleaned
from shop.desk import search

AT_ONCE = 5  # hits of each kind while somebody types
ON_PAGE = 20


class DeskSite(UnfoldAdminSite):
    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """While somebody types: the hits as a list (for htmx). Else a page, which needs no script; where the text is
        the number of exactly one thing, that thing's own page.

        Nothing is remembered: what somebody may see can change at any moment.
        """
        text = cleaned(request.GET.get("s", ""))
        if request.headers.get("HX-Request"):
            found = search.everything(request, text, AT_ONCE)
            return _as_list(request, found, "extended" in request.GET) if text else HttpResponse()
        found = search.everything(request, text, ON_PAGE)
        if hit := search.only_exact(found):
            return HttpResponseRedirect(hit.link)
        context = {
            **self.each_context(request),
            "title": _("Search"),
            "text": text,
            "kinds": _by_kind(text, found),
            "too_short": 0 < len(text) < search.FEWEST,
        }
        return TemplateResponse(request, "admin/search.html", context)


def _as_list(request: HttpRequest, found: list[search.Found], is_palette: bool) -> HttpResponse:
    template = "admin/desk/palette.html" if is_palette else "admin/desk/hits.html"
    return TemplateResponse(request, template, {"hits": found}, headers={"HX-Trigger": "search"})


def _by_kind(text: str, found: list[search.Found]) -> list[dict[str, Any]]:
    """Each kind with its hits, and a link into its list where there may be more."""
    shown = []
    for kind in search.KINDS:
        if hits := [hit for hit in found if hit.kind == kind.title]:
            more = f"{reverse(f'admin:{kind.more}_changelist')}?{urlencode({'q': text})}"
            shown.append({"title": kind.title, "hits": hits, "more": more if len(hits) == ON_PAGE else ""})
    return shown
