"""Count sheets in the admin: make one, see it through, decide. Entering and files: `admin_sheet_entry`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, badge, too_late
from integrations.hub.files import exports
from shop.said import who
from shop.stock import admin_sheet_entry, admin_sheet_page, approvals, count_decisions, count_files, counting
from shop.stock.admin_actions import ADJUST, not_ours, person
from shop.stock.admin_forms import choice
from shop.stock.admin_ledgers import PlaceFilter
from shop.stock.admin_links import document_name
from shop.stock.admin_proposals import No, Yes
from shop.stock.count_models import OPEN, Choice, SheetState
from shop.stock.counting import Chosen
from shop.stock.models import CountSheet, Pool, Warehouse
from shop.stock.movements import NotOurs, NotThere
from shop.stock.pending import CountWaits

COLOURS = {
    SheetState.COUNTING: "info",
    SheetState.COUNTED: "warning",
    SheetState.APPROVED: "success",
    SheetState.DISCARDED: "",
}


class NewSheet(Confirm):
    warehouse = choice(gettext_lazy("warehouse"), Warehouse.objects.filter(erp_account=None))
    choice = forms.ChoiceField(
        label=gettext_lazy("which SKUs"), choices=Choice.choices, widget=UnfoldAdminSelectWidget()
    )
    begins = forms.CharField(
        label=gettext_lazy("SKU begins with"), max_length=64, required=False, widget=UnfoldAdminTextInputWidget()
    )
    rows = forms.IntegerField(
        label=gettext_lazy("at most so many rows"), min_value=1, max_value=counting.MOST_ROWS, initial=50,
        widget=UnfoldAdminIntegerFieldWidget(),
    )  # fmt: skip
    blind = forms.BooleanField(
        label=gettext_lazy("blind"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Who counts does not see what should be there, and so counts what is."),
        widget=UnfoldBooleanSwitchWidget(),
    )


class Sku(Confirm):
    sku = forms.CharField(label=gettext_lazy("SKU"), max_length=64, widget=UnfoldAdminTextInputWidget())


class OpenSheets(admin.SimpleListFilter):
    title = gettext_lazy("open")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("being counted or decided")), ("no", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CountSheet]) -> QuerySet[CountSheet]:
        match self.value():
            case "yes":
                return queryset.filter(state__in=OPEN)
            case "no":
                return queryset.exclude(state__in=OPEN)
        return queryset


@admin.register(CountSheet)
class CountSheetAdmin(ViewOnlyAdmin):
    list_display = ("number", "place", "shown_state", "counted_of", "choice", "prefix", "round", "by", "made_at",
                    "decider_", "decided_at")  # fmt: skip
    list_filter = (OpenSheets, "state", ("warehouse", PlaceFilter), "made_at")
    list_select_related = ("warehouse",)
    search_fields = ("=rows__pool__sku",)
    search_help_text = gettext_lazy("SKU")
    draws_itself = True
    change_form_before_template = "admin/stock/countsheet/detail.html"
    actions_list = ("new_sheet",)
    actions_detail = ("enter", "bring_counts", "print_sheet", "add_sku", "finish", "approve", "ask_again", "discard")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CountSheet]:
        """With how many rows there are, and how many are counted."""
        sheets = super().get_queryset(request).select_related("warehouse__erp_account")
        counted = Count("rows", filter=Q(rows__found__isnull=False))
        return sheets.annotate(rows_all=Count("rows"), rows_counted=counted)

    @display(description=gettext_lazy("number"), ordering="pk")
    def number(self, sheet: CountSheet) -> str:
        return str(sheet)

    @display(description=gettext_lazy("warehouse"), ordering="warehouse")
    def place(self, sheet: CountSheet) -> str:
        return str(sheet.warehouse)

    @display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, sheet: CountSheet) -> str:
        return badge(sheet.get_state_display(), COLOURS[SheetState(sheet.state)])

    @display(description=gettext_lazy("counted"))
    def counted_of(self, sheet: Any) -> str:
        return f"{sheet.rows_counted} / {sheet.rows_all}"

    @display(description=gettext_lazy("made by"), ordering="made_by")
    def by(self, sheet: CountSheet) -> str:
        return who(sheet.made_by)

    @display(description=gettext_lazy("decided by"), ordering="decided_by")
    def decider_(self, sheet: CountSheet) -> str:
        return who(sheet.decided_by)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        sheet = self.get_object(request, unquote(object_id))
        shown = admin_sheet_page.page(request, sheet, self.shown_state(sheet)) if sheet else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who counts, and who approves."""
        return any(request.user.has_perm(right) for right in (*ADJUST, approvals.RIGHT))

    def offers(self, action: str, obj: Any) -> bool:
        match action:
            case "approve":
                return obj.state == SheetState.COUNTED
            case "ask_again":
                return obj.state == SheetState.COUNTED and count_decisions.differing(obj).exists()
            case "discard":
                return obj.state in OPEN
            case "finish":
                return obj.state == SheetState.COUNTING and obj.rows.filter(found__isnull=False).exists()
        return obj.state == SheetState.COUNTING

    # --- making one, and taking it along ---

    @action(description=gettext_lazy("New count sheet"), url_path="new", icon="playlist_add_check", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def new_sheet(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        made: list[CountSheet] = []
        explain = [_("SKUs that stand on another open sheet of the warehouse are left out.")]
        answer = act(self, request, None, lambda data: _make(request, data, made), form=NewSheet, explain=explain,
                     title=_("New count sheet"), button=_("Make it"))  # fmt: skip
        return HttpResponseRedirect(self.address(made[0])) if made else answer

    @action(description=gettext_lazy("Print"), url_path="print", icon="print")
    def print_sheet(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page to print and to write on. Nothing changes by it."""
        sheet = self.wanted(request, object_id)
        if not self.offers("print_sheet", sheet):
            return too_late(self, request, sheet)
        shown = {"sheet": sheet, "rows": count_files.rows(sheet)}
        return TemplateResponse(request, "admin/stock/countsheet/print.html", shown)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<path:object_id>/file/<str:kind>/", view, name="stock_countsheet_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponseBase:
        """The sheet as XLSX or CSV, to be filled in and brought back."""
        sheet = self.wanted(request, object_id)
        if kind not in exports.FORMATS:
            raise Http404
        if not self.offers("", sheet):
            return too_late(self, request, sheet)
        file = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
        count_files.write(sheet, kind, file)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"count-{sheet.pk}.{kind}",
                            content_type=exports.CONTENT_TYPES[kind])  # fmt: skip

    # --- counting ---

    @action(description=gettext_lazy("Enter counts"), url_path="enter", icon="edit_note", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def enter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        return admin_sheet_entry.enter(self, request, sheet) if self.offers("enter", sheet) else too_late(
            self, request, sheet)  # fmt: skip

    @action(description=gettext_lazy("Bring a file"), url_path="bring", icon="upload_file", permissions=ADJUST)
    def bring_counts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        return admin_sheet_entry.bring(self, request, sheet) if self.offers("bring_counts", sheet) else too_late(
            self, request, sheet)  # fmt: skip

    @action(description=gettext_lazy("Add a SKU"), url_path="add-sku", icon="add", permissions=ADJUST)
    def add_sku(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        explain = [_("It lies at this place, and is not on the sheet.")]
        return self._page(request, sheet, "add_sku", lambda data: _add(sheet, data["sku"].strip()), form=Sku,
                          explain=explain, title=_("Add a SKU"), button=_("Add"))  # fmt: skip

    @action(description=gettext_lazy("End the counting"), url_path="finish", icon="done_all", permissions=ADJUST)
    def finish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        explain = [_("Nothing more is entered then. The differences are shown, and somebody decides.")]
        if left := sheet.rows_all - sheet.rows_counted:
            explain.append(_("Rows that are not counted: %(n)d. Their figures stay as they are.") % {"n": left})
        return self._page(request, sheet, "finish", lambda _data: _finish(request, sheet), explain=explain,
                          title=_("End the counting"), button=_("End the counting"))  # fmt: skip

    # --- deciding ---

    @action(description=gettext_lazy("Approve"), url_path="approve", icon="check", permissions=["decide"],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        result = count_decisions.result(sheet)
        explain = [
            *admin_sheet_page.told(result),
            *admin_sheet_page.decision(request, sheet, result),
            _("All differences are written at once, each against the figure of the moment it was counted."),
        ]
        return self._page(request, sheet, "approve", lambda data: _approve(request, sheet, data["answer"]), form=Yes,
                          explain=explain, title=_("Approve"), button=_("Approve"))  # fmt: skip

    @action(description=gettext_lazy("Count again what differs"), url_path="again", icon="replay",
            permissions=["decide"])  # fmt: skip
    def ask_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        rows = count_decisions.differing(sheet).count()
        explain = [
            _("Rows to be counted again: %(n)d. The others stay as they were counted.") % {"n": rows},
            _("The first counts of these rows stay in the history; what is not counted again is not changed."),
        ]
        return self._page(request, sheet, "ask_again", lambda _data: _again(sheet), explain=explain,
                          title=_("Count again what differs"), button=_("Have them counted again"))  # fmt: skip

    @action(description=gettext_lazy("Discard"), url_path="discard", icon="delete", permissions=["decide"])
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sheet = self.wanted(request, object_id)
        explain = [_("Nothing of it is written. What was entered stays in its history.")]
        return self._page(request, sheet, "discard", lambda data: _discard(request, sheet, data["answer"]), form=No,
                          explain=explain, title=_("Discard"), button=_("Discard"), danger=True)  # fmt: skip

    def _page(
        self, request: HttpRequest, sheet: CountSheet, name: str, do: Callable[[dict[str, Any]], str], **page: Any
    ) -> HttpResponse:
        if not self.offers(name, sheet):
            return too_late(self, request, sheet)
        return act(self, request, sheet, _refusing(sheet, do), **page)


def _refusing(sheet: CountSheet, do: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """What came in between, or cannot be, is a message."""

    def done(data: dict[str, Any]) -> str:
        try:
            return do(data)
        except NotOurs:
            raise Refused(not_ours(sheet.warehouse), final=True) from None
        except NotThere as below:
            words = _("By now fewer than 0 would be on hand: %(skus)s. The sheet still waits; nothing was changed.")
            raise Refused(words % {"skus": ", ".join(below.skus)}, final=True) from None
        except tuple(_REFUSALS) as refusal:
            raise Refused(str(_REFUSALS[type(refusal)]), final=True) from None

    return done


_REFUSALS: dict[type[Exception], Any] = {
    counting.WrongState: gettext_lazy("Meanwhile the sheet is in another state. Nothing was changed."),
    counting.NothingToCount: gettext_lazy("Nothing is counted yet."),
    approvals.OwnWork: gettext_lazy(
        "You counted some of it: so large a difference is decided by somebody else. Nothing was changed."
    ),
    count_decisions.NeedsAnother: gettext_lazy(
        "So large a difference is decided by somebody with the right to approve. Nothing was changed."
    ),
}


def _make(request: HttpRequest, data: dict[str, Any], made: list[CountSheet]) -> str:
    chosen = Chosen(data["warehouse"].pk, Choice(data["choice"]), data["begins"].strip(), data["rows"], data["blind"])
    try:
        made.append(counting.make(chosen, person(request)))
    except counting.NothingToCount as nothing:
        words = _("No SKU of this warehouse fits. On other open sheets of it: %(n)d.")
        raise Refused(words % {"n": nothing.elsewhere}) from None
    except NotOurs:
        raise Refused(not_ours(data["warehouse"])) from None
    return _("Count sheet %(sheet)s: %(rows)d rows.") % {"sheet": made[0], "rows": made[0].rows.count()}


def _add(sheet: CountSheet, sku: str) -> str:
    try:
        row = counting.add(sheet.pk, sku)
    except Pool.DoesNotExist:
        raise Refused(_("No SKU of this name has ever had stock. Receive it first.")) from None
    except counting.OnTheSheet:
        raise Refused(_("It is on the sheet already.")) from None
    except CountWaits as waits:
        raise Refused(_("It stands on another open sheet: %(sheet)s.") % {"sheet": document_name(waits.document)}
                      ) from None  # fmt: skip
    return _("Added: %(sku)s") % {"sku": row.pool_id}


def _finish(request: HttpRequest, sheet: CountSheet) -> str:
    counting.finish(sheet.pk, person(request))
    return _("The counting is over: look at the differences, and decide.")


def _approve(request: HttpRequest, sheet: CountSheet, note: str) -> str:
    may = request.user.has_perm(approvals.RIGHT)
    count_decisions.approve(sheet.pk, person(request), may_approve=may, note=note)
    return _("Approved: the differences are written.")


def _again(sheet: CountSheet) -> str:
    return _("Rows to be counted again: %(n)d.") % {"n": count_decisions.ask_again(sheet.pk)}


def _discard(request: HttpRequest, sheet: CountSheet, note: str) -> str:
    count_decisions.discard(sheet.pk, person(request), note)
    return _("Discarded: %(note)s") % {"note": note}
