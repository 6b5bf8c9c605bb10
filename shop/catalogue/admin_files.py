"""Files of products in the admin: bring one, see what it would do, decide; and the list of all that were brought."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, actor, badge, too_late
from integrations.hub.desk.uploads import Upload
from integrations.hub.files import sheets
from integrations.hub.files.exports import CONTENT_TYPES
from shop.catalogue.files import export, runs
from shop.catalogue.models import ImportRun, ImportState

IMPORT = ["catalogue.import_products"]
COLOURS = {
    ImportState.CHECKED: "info",
    ImportState.IMPORTED: "success",
    ImportState.DISCARDED: "",
    ImportState.UNREADABLE: "danger",
}


class Note(Confirm):
    note = forms.CharField(
        label=gettext_lazy("What was done about it"), max_length=255, widget=UnfoldAdminTextInputWidget()
    )


class RefusedFilter(admin.SimpleListFilter):
    title = gettext_lazy("refused rows")
    parameter_name = "refused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("some, not closed")), ("closed", _("some, closed")), ("none", _("none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> QuerySet[ImportRun]:
        match self.value():
            case "open":
                return queryset.filter(pk__in=runs.refused_imports().values("pk"))
            case "closed":
                return queryset.filter(refused__gt=0).exclude(closed_at=None)
            case "none":
                return queryset.filter(refused=0).exclude(state=ImportState.UNREADABLE)
        return queryset


@admin.register(ImportRun)
class ImportRunAdmin(ViewOnlyAdmin):
    list_display = (
        "at", "file_name", "actor", "shown_state", "rows", "created", "changed", "unchanged", "shown_refused",
    )  # fmt: skip
    list_display_links = ("at", "file_name")
    list_filter = (RefusedFilter, "state", "at")
    search_fields = ("file_name", "actor", "sha256")
    search_help_text = gettext_lazy("File or person")
    draws_itself = True
    change_form_before_template = "admin/catalogue/importrun/run.html"
    actions_list = ("upload", "template")
    actions_detail = ("take_all", "take_right", "discard", "close_run")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        return super().get_queryset(request).defer("content")

    @display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, run: ImportRun) -> str:
        return state_badge(run)

    @display(description=gettext_lazy("refused"), ordering="refused")
    def shown_refused(self, run: ImportRun) -> Any:
        if not run.refused and run.state != ImportState.UNREADABLE:
            return "0"
        return badge(run.refused or _("all"), "" if run.closed_at else "danger")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, unquote(object_id))
        shown = {"run": run, "state": state_badge(run), "report": run.report, "kept": kept(run)} if run else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})

    # --- bringing one ---

    @action(description=gettext_lazy("Import a file"), url_path="upload", icon="upload_file", permissions=IMPORT,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def upload(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        form = Upload(request.POST, request.FILES) if request.method == "POST" else Upload()
        if form.is_bound and form.is_valid():
            file = form.cleaned_data["file"]
            run = runs.bring(file.name, file.read(), actor=actor(request))
            return HttpResponseRedirect(self.address(run))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import a file"),
            "form": form,
            "opts": self.opts,
            "rows": sheets.ROWS,
            "megabytes": sheets.BYTES // 1024 // 1024,
        }
        return TemplateResponse(request, "admin/catalogue/importrun/upload.html", context)

    @action(description=gettext_lazy("Template"), url_path="template", icon="download", permissions=IMPORT)
    def template(self, request: HttpRequest) -> HttpResponse:
        return FileResponse(
            export.template(), as_attachment=True, filename="products.xlsx", content_type=CONTENT_TYPES["xlsx"]
        )

    # --- deciding ---

    def offers(self, action: str, obj: ImportRun) -> bool:
        undecided = obj.state == ImportState.CHECKED and obj.closed_at is None
        writes = undecided and kept(obj) and bool(obj.created or obj.changed)
        match action:
            case "take_all":
                return writes and not obj.refused
            case "take_right":
                return writes and bool(obj.refused)
            case "discard":
                return undecided
            case _:
                return not undecided and runs.refused_imports().filter(pk=obj.pk).exists()

    @action(description=gettext_lazy("Import"), url_path="take", icon="check", permissions=IMPORT,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def take_all(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self.wanted(request, object_id)
        explain = [_told(run)]
        return self._page(request, run, "take_all", _take(request, run, leave_out=False), explain=explain,
                          title=_("Import"), button=_("Import"))  # fmt: skip

    @action(description=gettext_lazy("Import without the refused rows"), url_path="take-right", icon="rule",
            permissions=IMPORT)  # fmt: skip
    def take_right(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self.wanted(request, object_id)
        explain = [
            _told(run),
            _("%(n)d rows are refused and left out. They stay on the list of refused imports until somebody closes it.")
            % {"n": run.refused},
        ]
        return self._page(request, run, "take_right", _take(request, run, leave_out=True), explain=explain,
                          title=_("Import without the refused rows"), button=_("Import the others"))  # fmt: skip

    @action(description=gettext_lazy("Discard"), url_path="discard", icon="delete", permissions=IMPORT)
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self.wanted(request, object_id)
        explain = [_("Nothing of it is written. To bring it again, mended, discarding is not needed.")]

        def do(_data: dict[str, Any]) -> str:
            _deciding(lambda: runs.discard(run.pk, actor=actor(request)))
            return _("Discarded. Nothing was written.")

        return self._page(request, run, "discard", do, explain=explain, title=_("Discard"), button=_("Discard"))

    @action(description=gettext_lazy("Close"), url_path="close", icon="task_alt", permissions=IMPORT)
    def close_run(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self.wanted(request, object_id)
        explain = [_("Nobody needs to look at its refused rows any more.")]

        def do(data: dict[str, Any]) -> str:
            _deciding(lambda: runs.close(run.pk, actor=actor(request), note=data["note"]))
            return _("Closed: %(note)s") % {"note": data["note"]}

        return self._page(
            request, run, "close_run", do, form=Note, explain=explain, title=_("Close"), button=_("Close")
        )

    def _page(
        self, request: HttpRequest, run: ImportRun, name: str, do: Callable[[dict[str, Any]], str], **page: Any
    ) -> HttpResponse:
        return act(self, request, run, do, **page) if self.offers(name, run) else too_late(self, request, run)


def _take(request: HttpRequest, run: ImportRun, *, leave_out: bool) -> Callable[[dict[str, Any]], str]:
    def do(_data: dict[str, Any]) -> str:
        user: Any = request.user
        written = _deciding(lambda: runs.take(run.pk, actor=actor(request), user=user.pk, leave_out=leave_out))
        return _("Imported: %(created)d new, %(changed)d changed.") % {
            "created": written.created,
            "changed": written.changed,
        }

    return do


def _deciding(decide: Callable[[], ImportRun]) -> ImportRun:
    """What came in between is a message, not an error."""
    try:
        return decide()
    except tuple(_REFUSALS) as refusal:
        raise Refused(str(_REFUSALS[type(refusal)]), final=True) from None


_REFUSALS: dict[type[Exception], Any] = {
    runs.Decided: gettext_lazy("Somebody has decided about it already. Nothing was changed."),
    runs.Forgotten: gettext_lazy("The file is kept for a day only. Bring it again."),
    runs.Refusing: gettext_lazy("Some of its rows are refused. Nothing was written."),
    runs.Different: gettext_lazy(
        "Meanwhile the catalogue has changed, and the file would do something else than you were shown. Nothing was "
        "written. Below is what it would do now."
    ),
}


def _told(run: ImportRun) -> str:
    return _("%(created)d products are made, %(changed)d are changed, %(unchanged)d stay as they are.") % {
        "created": run.created,
        "changed": run.changed,
        "unchanged": run.unchanged,
    }


def kept(run: ImportRun) -> bool:
    """Whether its file is still there; only the row knows, for the file itself is large."""
    return ImportRun.objects.filter(pk=run.pk, content__isnull=False).exists()


def state_badge(run: ImportRun) -> str:
    return badge(run.get_state_display(), COLOURS[ImportState(run.state)])
