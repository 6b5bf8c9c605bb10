"""The button under which every staff list is had as a file: filtered and searched as it is shown."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import IO, Any, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.hub.files import exports
from integrations.hub.files.exports import Column

MOST_ROWS = 50_000
CHUNK = 1000
_TAG = re.compile(r"<[^>]*>")


class ExportAdmin(ModelAdmin):
    """Whoever may see the list may have it as a file; where it names people, only with `export_permission` as well."""

    export_permission = ""
    exported: Sequence[Column] = ()  # empty: the columns of the list, as they are shown

    def get_urls(self) -> list[URLPattern]:
        meta = self.model._meta
        name = f"{meta.app_label}_{meta.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        named: str = self.export_permission
        return self.has_view_permission(request) and (not named or request.user.has_perm(named))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(
            request, {"can_export": self.has_export_permission(request), **(extra_context or {})}
        )

    def to_export(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the list with what the exported columns need besides."""
        return rows

    def write_export(self, request: HttpRequest, kind: str, file: IO[bytes], rows: QuerySet[Any]) -> int:
        """Write these rows as `kind`; returns how many."""
        found = self.to_export(rows).iterator(chunk_size=CHUNK)
        return exports.FORMATS[kind](file, self.exported or self._as_shown(request), found)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """POST, with the list's own query string: the file. Noted in the log before it is sent."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        kind = request.POST.get("format", "")
        if not self.has_export_permission(request) or kind not in exports.FORMATS:
            raise PermissionDenied
        meta = self.model._meta
        back = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?e=1")
        if shown.result_count > MOST_ROWS:
            words = _("These are %(count)s rows; a file takes %(most)s. Narrow the list down first, then export it.")
            messages.error(request, words % {"count": shown.result_count, "most": MOST_ROWS})
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        return self._file(request, kind, shown.queryset)

    def _file(self, request: HttpRequest, kind: str, rows: QuerySet[Any]) -> FileResponse:
        with ExitStack() as ends:
            file = ends.enter_context(tempfile.TemporaryFile())
            with transaction.atomic():
                self._note_export(request, kind, self.write_export(request, kind, file, rows))
            file.seek(0)
            ends.pop_all()  # the response closes it
        name = f"{self.model._meta.model_name}-{timezone.localtime():%Y%m%d-%H%M}.{kind}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=exports.CONTENT_TYPES[kind])

    def _note_export(self, request: HttpRequest, kind: str, count: int) -> None:
        words = _("Exported %(count)s rows as %(kind)s. Filters: %(query)s") % {
            "count": count, "kind": kind.upper(), "query": request.GET.urlencode() or "–",
        }  # fmt: skip
        LogEntry.objects.create(
            user_id=cast(int, request.user.pk),
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=str(self.model._meta.verbose_name_plural)[:200],
            action_flag=CHANGE,
            change_message=words,
        )

    def _as_shown(self, request: HttpRequest) -> list[Column]:
        names = [name for name in self.get_list_display(request) if name != "action_checkbox"]
        return [self._column(name) for name in names]

    def _column(self, name: Any) -> Column:
        title = _words(label_for_field(name, self.model, self)) or name
        try:
            field = self.model._meta.get_field(name)
        except (FieldDoesNotExist, TypeError):
            return exports.text(title, lambda row: _words(lookup_field(name, row, self)[2]))
        return Column(title, _reader(field), is_time=isinstance(field, models.DateTimeField))


def _reader(field: Any) -> Callable[[Any], Any]:
    if field.choices:
        return lambda row: getattr(row, f"get_{field.name}_display")()
    if field.is_relation:
        return lambda row: None if getattr(row, field.attname) is None else str(getattr(row, field.name))
    return lambda row: getattr(row, field.name)


def _words(shown: Any) -> Any:
    """What a column says, without the marks around it. Numbers and times stay what they are."""
    if not hasattr(shown, "__html__"):
        return shown
    return " ".join(html.unescape(_TAG.sub(" ", str(shown))).split())
