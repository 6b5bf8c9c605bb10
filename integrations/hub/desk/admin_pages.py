"""What the admin pages of all floors share: models nobody edits, and the page of one action.

An action is a page of its own: GET asks, POST does it, outside the transaction Django wraps around its change form, so
that the service behind it opens (and commits) its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction

from integrations.hub.desk import finding
from integrations.hub.desk.list_exports import ExportAdmin


class Refused(Exception):
    """It cannot be done; the message is for the person who asked. `final`: nothing in the form would help."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Confirm(forms.Form):
    """Asks nothing but the click."""


class StaffAdmin(ExportAdmin, ModelAdmin):
    """Nothing is deleted, and an action is offered only where `offers` says its moment has come."""

    # Unfold's own checks ask the database whether named permissions exist; `migrate` runs checks before there are any.
    checks_class = ModelAdminChecks
    list_filter_sheet = True
    show_full_result_count = False
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def found(self, text: str) -> QuerySet[Any] | None:
        """The rows that `text` finds, each way by an index; None: look through `search_fields`, for short tables."""
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = finding.cleaned(search_term)
        rows = self.found(text) if text else None
        if rows is None:
            return super().get_search_results(request, queryset, text)
        return queryset.filter(pk__in=rows.order_by().values("pk")), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Read once per request: the buttons above a page ask for the same row as the page."""
        kept = request.__dict__.setdefault("_weft_objects", {})
        key = (self.model, object_id, from_field)
        if key not in kept:
            kept[key] = super().get_object(request, object_id, from_field)
        return kept[key]

    def offers(self, action: str, obj: Any) -> bool:
        """Has the moment for this action come?"""
        return True

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        obj = self.get_object(request, unquote(str(object_id)))
        prefix = f"{self.model._meta.app_label}_{self.model._meta.model_name}_"
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if obj is not None and self.offers(action.action_name.removeprefix(prefix), obj)
        ]

    def wanted(self, request: HttpRequest, object_id: str) -> Any:
        """The object of an action's page."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj

    def address(self, obj: Model) -> str:
        """Where `obj` is shown."""
        meta = self.model._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(obj.pk)])


class ViewOnlyAdmin(StaffAdmin):
    """Rows that services write: staff look. With `draws_itself` the page is its template, without Django's fields."""

    draws_itself = False
    is_view_only = True

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [] if self.draws_itself else super().get_fieldsets(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def actor(request: HttpRequest) -> str:
    """How the person is named in audit rows."""
    user: Any = request.user
    return f"staff:{user.email or user.pk}"[:128]


def act(
    admin: StaffAdmin,
    request: HttpRequest,
    obj: Any,
    do: Callable[[dict[str, Any]], str],
    *,
    title: Any,
    button: Any,
    form: Callable[..., forms.Form] = Confirm,
    explain: Iterable[Any] = (),
    danger: bool = False,
) -> HttpResponse:
    """The page of one action on `obj` (None: on the whole list). `do` gets the cleaned form and returns what to say.

    It raises Refused with the reason where it cannot be done; then nothing has changed.
    """
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    meta = admin.model._meta
    back = admin.address(obj) if obj is not None else reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    filled = form(request.POST) if request.method == "POST" else form()
    if filled.is_bound and filled.is_valid():
        try:
            said = do(filled.cleaned_data)
        except Refused as refusal:
            if refusal.final:
                messages.error(request, str(refusal))
                return HttpResponseRedirect(back)
            filled.add_error(None, str(refusal))
        else:
            if obj is not None:
                admin.log_change(request, obj, said)
            messages.success(request, said)
            return HttpResponseRedirect(back)
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "subtitle": str(obj) if obj is not None else None,
        "act": {"form": filled, "button": button, "explain": list(explain), "danger": danger, "back": back},
        "model_admin": admin,
        "media": admin.media + filled.media,
    }
    return TemplateResponse(request, "admin/act.html", context)


def badge(words: Any, colour: str = "") -> str:
    """A state at a glance: success, info, warning, danger or plain; in lists and on pages alike."""
    return format_html('<span class="weft-badge weft-badge-{}">{}</span>', colour or "plain", words)


def too_late(admin: StaffAdmin, request: HttpRequest, obj: Model) -> HttpResponse:
    """The state does not allow it (any more)."""
    words = _("%(what)s: this cannot be done in its present state. Nothing was changed.")
    messages.error(request, words % {"what": obj})
    return HttpResponseRedirect(admin.address(obj))
