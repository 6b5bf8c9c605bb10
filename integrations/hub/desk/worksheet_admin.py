"""Worksheets in the admin: what a person took to do by hand, as a file and back, ticked off or given back."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from integrations.hub import said, topics
from integrations.hub.desk import outgoing_acts
from integrations.hub.desk.admin_pages import StaffAdmin, ViewOnlyAdmin, act, actor, too_late
from integrations.hub.desk.uploads import Upload
from integrations.hub.files import exports, sheets
from integrations.hub.files.sheets import Unreadable
from integrations.hub.models import Taken
from integrations.hub.sending import manual, worksheets

OPERATE = ["hub.operate_outgoing"]
SHOWN = 200  # rows of a worksheet on its page
REFUSALS_SHOWN = 300
SALT = "weft.worksheet.file"
KEPT = 24 * 60 * 60  # seconds a checked file may wait for its second step


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("open")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("with rows to be done")), ("no", _("finished"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Taken]) -> QuerySet[Taken]:
        match self.value():
            case "yes":
                return queryset.filter(rows__isnull=False).distinct()
            case "no":
                return queryset.filter(rows__isnull=True)
        return queryset


@admin.register(Taken)
class TakenAdmin(ViewOnlyAdmin):
    list_display = ("number", "account", "by", "taken_at", "left")
    list_filter = (OpenFilter, "account", "taken_at")
    list_select_related = ("account",)
    search_fields = ("actor",)
    search_help_text = gettext_lazy("Who took it")
    draws_itself = True
    change_form_before_template = "admin/hub/taken/detail.html"
    actions_detail = ("bring", "give_all_back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Taken]:
        return super().get_queryset(request).annotate(open_rows=Count("rows"))

    @display(description=gettext_lazy("number"), ordering="pk")
    def number(self, sheet: Taken) -> str:
        return f"#{sheet.pk}"

    @display(description=gettext_lazy("taken by"), ordering="actor")
    def by(self, sheet: Taken) -> str:
        return sheet.actor.removeprefix("staff:")

    @display(description=gettext_lazy("still to be done"), ordering="open_rows")
    def left(self, sheet: Any) -> int:
        return int(sheet.open_rows)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file)
        return [path("<path:object_id>/file/", view, name="hub_taken_file"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        sheet = self.get_object(request, unquote(object_id))
        shown = _page(sheet, request.user.has_perm(OPERATE[0])) if sheet else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def offers(self, action: str, obj: Any) -> bool:
        return bool(obj.rows.exists())

    def file(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """POST: the worksheet as a file. Noted in the log before it is sent."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        sheet, kind = self.wanted(request, object_id), request.POST.get("format", "")
        if not request.user.has_perm(OPERATE[0]) or kind not in exports.FORMATS:
            raise PermissionDenied
        with ExitStack() as ends:
            file = ends.enter_context(tempfile.TemporaryFile())
            count = worksheets.write(sheet, kind, file)
            file.seek(0)
            ends.pop_all()  # the response closes it
        self.log_change(request, sheet, _("Taken out as %(kind)s: %(n)d rows") % {"kind": kind.upper(), "n": count})
        name = f"worksheet-{sheet.pk}-{timezone.localtime():%Y%m%d-%H%M}.{kind}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=exports.CONTENT_TYPES[kind])

    @action(description=gettext_lazy("Bring the file back"), url_path="bring", icon="upload_file", permissions=OPERATE)
    def bring(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return bring(self, request, self.wanted(request, object_id))

    @action(description=gettext_lazy("Give all back"), url_path="give-back", icon="undo", permissions=OPERATE)
    def give_all_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        if not self.offers("give_all_back", sheet):
            return too_late(self, request, sheet)
        explain = [_("None of what is left was done by hand. Weft sends it as soon as it can.")]
        return act(
            self, request, sheet,
            lambda _data: outgoing_acts.in_words(manual.Result(given_back=manual.give_back(sheet.rows.all()))),
            title=_("Give all back"), button=_("Not done: give back"), explain=explain,
        )  # fmt: skip


def _page(sheet: Any, may: bool) -> dict[str, Any]:
    """`may`: who does the work sees what is to be done, and so names and addresses."""
    rows: list[Any] = list(manual.open_rows(sheet)[:SHOWN])
    docs = manual.documents(rows) if may else {}
    for row in rows:
        row.words = worksheets.in_words(docs.get(row.pk))
        row.label = topics.label(row.topic)
        row.about = topics.subject_words(row.subject)
        row.link = reverse("admin:hub_outgoing_change", args=[row.pk])
        row.error = said.in_words(row.last_error)
        row.changed = row.wanted != row.taken_revision
    return {
        "sheet": sheet,
        "who": sheet.actor.removeprefix("staff:"),
        "may": may,
        "rows": rows,
        "more": max(0, sheet.open_rows - SHOWN),
    }


# --- the file back ---------------------------------------------------------------------------------------------------


def bring(admin: StaffAdmin, request: HttpRequest, sheet: Taken) -> HttpResponse:
    """GET asks for the file; POST with one shows what it would do; POST of that does it."""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    if "checked" in request.POST:
        return _take(admin, request, sheet)
    form = Upload(request.POST, request.FILES) if request.method == "POST" else Upload()
    checked, name = None, ""
    if form.is_bound and form.is_valid():
        name = form.cleaned_data["file"].name
        try:
            checked = worksheets.check(sheet, form.cleaned_data["file"].read())
        except Unreadable as refusal:
            form.add_error("file", str(refusal))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Bring the file back"),
        "opts": admin.opts,
        "sheet": sheet,
        "form": form,
        "file_name": name,
        "checked": checked,
        "refusals": checked.refusals[:REFUSALS_SHOWN] if checked else [],
        "more": max(0, len(checked.refusals) - REFUSALS_SHOWN) if checked else 0,
        "carried": _sign(request, sheet, checked) if checked else "",
        "back": admin.address(sheet),
        "rows": sheets.ROWS,
        "megabytes": sheets.BYTES // 1024 // 1024,
    }
    return TemplateResponse(request, "admin/hub/taken/bring.html", context)


def _sign(request: HttpRequest, sheet: Taken, checked: worksheets.Checked) -> str:
    """What was checked, for this worksheet and this person: nothing else can be done by the second step."""
    said_ = {"sheet": sheet.pk, "user": request.user.pk, **worksheets.carried(checked)}
    return signing.dumps(said_, salt=SALT, compress=True)


def _take(admin: StaffAdmin, request: HttpRequest, sheet: Taken) -> HttpResponse:
    back = HttpResponseRedirect(admin.address(sheet))
    try:
        carried = signing.loads(request.POST["checked"], salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        carried = {}
    if (carried.get("sheet"), carried.get("user")) != (sheet.pk, request.user.pk):
        messages.error(request, _("The file has to be brought again. Nothing was changed."))
        return back
    done, not_done = worksheets.uncarried(carried)
    result = manual.finish(sheet, done, not_done, actor(request))
    words = outgoing_acts.in_words(result)
    admin.log_change(request, sheet, words)
    messages.success(request, words)
    if result.refused:
        shown = " ".join(f"{pk}: {why}" for pk, why in list(result.refused.items())[:20])
        messages.warning(request, _("Not done: %(n)d.") % {"n": len(result.refused)} + f" {shown}")
    return back
