"""Reading the saved lists a person sees: once a request, for the menu and for the list that is open."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, IS_POPUP_VAR, PAGE_VAR, TO_FIELD_VAR
from django.contrib.auth.models import Group
from django.db.models import Q
from django.http import HttpRequest, QueryDict

from shop.desk.models import LONGEST_QUERY, SavedList

NOT_KEPT = (PAGE_VAR, ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR)


def lists() -> dict[str, Any]:
    """What can be kept: `app.model` -> its admin."""
    return {model._meta.label_lower: page for model, page in admin.site._registry.items()}


def seen_by(request: HttpRequest) -> list[SavedList]:
    """The person's own, and what colleagues share with a group of theirs; only of lists they may see."""
    kept = request.__dict__.get("_weft_saved")
    if kept is None:
        theirs = Q(owner=request.user.pk) | Q(group__in=Group.objects.filter(user=request.user.pk))
        pages = lists()
        rows = SavedList.objects.filter(theirs).select_related("owner")
        kept = [row for row in rows if row.list in pages and pages[row.list].has_view_permission(request)]
        request.__dict__["_weft_saved"] = kept
    return kept


def defaults(request: HttpRequest) -> dict[str, str]:
    """address of a list -> how the person wants it opened."""
    return {row.path: row.link for row in seen_by(request) if row.is_default and row.owner_id == request.user.pk}


def without_page(query: QueryDict) -> str:
    """A list's query string as it is kept: filters, search and order, in the order they stand in."""
    kept = query.copy()
    for name in NOT_KEPT:
        kept.pop(name, None)
    return kept.urlencode()


def cleaned(query: str) -> str:
    """A query string that somebody posted, as it may be kept. Raises ValueError when it is too long."""
    kept = without_page(QueryDict(query.lstrip("?")))
    if len(kept) > LONGEST_QUERY:
        raise ValueError("too long")
    return kept


def is_open(row: SavedList, request: HttpRequest) -> bool:
    """Is this the page on which the person is?"""
    return request.path == row.path and without_page(request.GET) == row.query
