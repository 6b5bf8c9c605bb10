"""What stands above every list: the lists people keep of it."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.admin.options import IS_POPUP_VAR
from django.urls import reverse
from django.utils.http import urlencode

from shop.desk import saved

register = template.Library()


@register.inclusion_tag("admin/desk/saved_lists.html", takes_context=True)
def saved_lists(context: dict[str, Any], cl: Any) -> dict[str, Any]:
    """The saved lists of the list that is open, and the link that keeps it as it stands."""
    request = context["request"]
    label = cl.opts.label_lower
    mine = [(row, saved.is_open(row, request)) for row in saved.seen_by(request) if row.list == label]
    query = saved.without_page(request.GET)
    kept = {"list": label, "query": query, "name": _in_words(cl)[:64]}
    keep = f"{reverse('admin:desk_savedlist_add')}?{urlencode(kept)}"
    return {
        "rows": mine,
        "user": request.user,
        "keep": "" if not query or IS_POPUP_VAR in request.GET or any(is_open for _row, is_open in mine) else keep,
        "all": f"{request.path}?{urlencode({'p': 1})}" if query else "",
    }


def _in_words(cl: Any) -> str:
    """The chosen filters and the search: a name to begin with."""
    chosen = [
        str(choice["display"])
        for spec in cl.filter_specs
        for choice in list(spec.choices(cl))[1:]  # the first is always "all"
        if choice.get("selected")
    ]
    return " · ".join([*chosen, cl.query] if cl.query else chosen)
