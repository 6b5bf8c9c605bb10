"""Entering what was counted, on a page of rows or from a file. What is wrong is named; what is right is entered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.hub.desk.admin_pages import StaffAdmin, too_late
from integrations.hub.desk.uploads import Upload
from integrations.hub.files import sheets
from integrations.hub.files.sheets import Unreadable
from shop.said import who
from shop.stock import count_files, counting, finding
from shop.stock.admin_actions import person
from shop.stock.admin_links import document_name
from shop.stock.counting import Count, Entered, WrongState
from shop.stock.models import CountRow, CountSheet, Level

SHOWN = 50  # rows of a page
REFUSALS_SHOWN = 300
SALT = "weft.count-sheet"
KEPT = 24 * 60 * 60  # seconds a checked file may wait for its second step


# --- by form ---------------------------------------------------------------------------------------------------------


def enter(admin: StaffAdmin, request: HttpRequest, sheet: CountSheet) -> HttpResponse:
    """GET: a page of rows. POST: enters what was typed; rows that are wrong stay on the page and say why."""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    page = _rows(request, sheet)
    problems: dict[int, tuple[str, str]] = {}
    if request.method == "POST":
        counts, problems = _typed(request.POST, page)
        try:
            entered = counting.enter(sheet.pk, counts, person(request))
        except WrongState:
            return too_late(admin, request, sheet)
        problems |= _not_entered(entered, counts)
        if entered.rows:
            messages.success(request, _("Entered: %(n)d") % {"n": entered.rows})
        if not problems:
            return HttpResponseRedirect(_next(admin, request, sheet, page))
        messages.warning(request, _("Not entered: %(n)d. Look at the rows marked below.") % {"n": len(problems)})
        page = _rows(request, sheet)
    return _entry_page(admin, request, sheet, page, problems)


def _rows(request: HttpRequest, sheet: CountSheet) -> Page[Any]:
    rows = counting.countable(sheet).annotate(title=finding.titles("pool_id")).order_by("position")
    if begins := request.GET.get("q", "").strip():
        rows = rows.filter(pool__sku__istartswith=begins)
    if request.GET.get("left"):
        rows = rows.filter(found__isnull=True)
    # A page that is posted has to find its rows again, though what was left is fewer now.
    if asked := _numbers(request.POST.getlist("row")):
        rows = counting.countable(sheet).annotate(title=finding.titles("pool_id")).filter(pk__in=asked)
        return Paginator(rows.order_by("position"), SHOWN).get_page(1)
    return Paginator(rows, SHOWN).get_page(request.GET.get("page"))


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19][:SHOWN]


def _typed(post: QueryDict, rows: Iterable[CountRow]) -> tuple[dict[int, Count], dict[int, tuple[str, str]]]:
    """What was typed into rows that were changed: counts, and (what was typed, what is wrong with it)."""
    counts: dict[int, Count] = {}
    problems: dict[int, tuple[str, str]] = {}
    for row in rows:
        text = post.get(f"found-{row.pk}", "").strip()
        if text == post.get(f"was-{row.pk}", ""):
            continue
        seen = (_numbers([post.get(f"seen-{row.pk}", "")]) or [0])[0]
        if not text:
            counts[row.pk] = Count(None, seen)
        elif words := count_files.wrong(text):
            problems[row.pk] = (text, words)
        else:
            counts[row.pk] = Count(count_files.whole(text), seen)
    return counts, problems


def _not_entered(entered: Entered, counts: Mapping[int, Count]) -> dict[int, tuple[str, str]]:
    """Row -> what was typed, and why it was not entered."""
    left: dict[int, tuple[str, str]] = {}
    for pk, row in entered.meanwhile.items():
        left[pk] = (_shown(counts[pk].found), _meanwhile(row))
    for pk, document in entered.waits.items():
        words = _("Another count of it waits for a decision: %(document)s.")
        left[pk] = (_shown(counts[pk].found), words % {"document": document_name(document)})
    for pk in entered.closed:
        left[pk] = (_shown(counts[pk].found), _("It is not to be counted in this round."))
    return left


def _shown(found: int | None) -> str:
    return "" if found is None else str(found)


def _meanwhile(row: CountRow) -> str:
    if row.found is None:
        return _("Meanwhile its count was taken back. Save again to enter yours.")
    words = _("Meanwhile %(who)s entered %(found)d. Save again to replace it by yours.")
    return words % {"who": who(row.counted_by), "found": row.found}


def _next(admin: StaffAdmin, request: HttpRequest, sheet: CountSheet, page: Page[Any]) -> str:
    """The next page of rows where that is wanted and there is one, else the sheet's own page."""
    here = reverse("admin:stock_countsheet_enter", args=[sheet.pk])
    wanted = request.GET.copy()
    if "next" not in request.POST:
        return admin.address(sheet)
    if not wanted.get("left"):  # of those not counted the next ones are the first again
        number = request.GET.get("page", "1")
        wanted["page"] = str(int(number) + 1 if number.isdecimal() and len(number) < 6 else 1)
    return f"{here}?{wanted.urlencode()}"


def _query(request: HttpRequest) -> str:
    """The filters, for the links to other pages."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return f"{kept.urlencode()}&" if kept else ""


def _entry_page(
    admin: StaffAdmin, request: HttpRequest, sheet: CountSheet, page: Page[Any], problems: dict[int, tuple[str, str]]
) -> HttpResponse:
    figures: dict[str, int] = {}
    if not sheet.blind:
        levels = Level.objects.filter(warehouse=sheet.warehouse_id, pool__in=[row.pool_id for row in page])
        figures = dict(levels.values_list("pool_id", "on_hand"))
    for row in page:
        row.text, row.problem = problems.get(row.pk, (_shown(row.found), ""))
        row.was, row.by = _shown(row.found), who(row.counted_by)
        row.now = figures.get(row.pool_id, 0)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Enter counts"),
        "opts": admin.opts,
        "sheet": sheet,
        "page": page,
        "query": request.GET.get("q", ""),
        "left": request.GET.get("left", ""),
        "pages_query": _query(request),
        "back": admin.address(sheet),
        "longest": count_files.LONGEST,
    }
    return TemplateResponse(request, "admin/stock/countsheet/enter.html", context)


# --- by file ---------------------------------------------------------------------------------------------------------


def bring(admin: StaffAdmin, request: HttpRequest, sheet: CountSheet) -> HttpResponse:
    """GET asks for the file; POST with one shows what it would enter; POST of that enters it."""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    if "checked" in request.POST:
        return _take(admin, request, sheet)
    form = Upload(request.POST, request.FILES) if request.method == "POST" else Upload()
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            checked = count_files.check(sheet, file.name, file.read())
        except Unreadable as refusal:
            form.add_error("file", str(refusal))
        else:
            return _file_page(admin, request, sheet, form, name=file.name, checked=checked)
    return _file_page(admin, request, sheet, form)


def _file_page(
    admin: StaffAdmin, request: HttpRequest, sheet: CountSheet, form: forms.Form, *, name: str = "", checked: Any = None
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Bring a file"),
        "opts": admin.opts,
        "sheet": sheet,
        "form": form,
        "file_name": name,
        "checked": checked,
        "refusals": checked.refusals[:REFUSALS_SHOWN] if checked else [],
        "more": max(0, len(checked.refusals) - REFUSALS_SHOWN) if checked else 0,
        "replaced": [(row, count.found) for row, count in checked.counts if row.found is not None] if checked else [],
        "carried": _sign(request, sheet, name, checked) if checked else "",
        "back": admin.address(sheet),
        "rows": sheets.ROWS,
        "megabytes": sheets.BYTES // 1024 // 1024,
    }
    return TemplateResponse(request, "admin/stock/countsheet/bring.html", context)


def _sign(request: HttpRequest, sheet: CountSheet, name: str, checked: count_files.Checked) -> str:
    """What was checked, for this sheet and this person: nothing else can be entered by the second step."""
    said = {"sheet": sheet.pk, "user": request.user.pk, "name": name, "counts": count_files.carried(checked)}
    return signing.dumps(said, salt=SALT, compress=True)


def _take(admin: StaffAdmin, request: HttpRequest, sheet: CountSheet) -> HttpResponse:
    back = HttpResponseRedirect(admin.address(sheet))
    try:
        said = signing.loads(request.POST["checked"], salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        said = {}
    if (said.get("sheet"), said.get("user")) != (sheet.pk, request.user.pk):
        messages.error(request, _("The file has to be brought again. Nothing was entered."))
        return back
    counts = count_files.counts(said["counts"])
    try:
        entered = counting.enter(sheet.pk, counts, person(request), source=said["name"])
    except WrongState:
        return too_late(admin, request, sheet)
    messages.success(request, _("Entered: %(n)d") % {"n": entered.rows})
    if left := _not_entered(entered, counts):
        skus = dict(sheet.rows.filter(pk__in=left).values_list("pk", "pool_id"))
        words = " ".join(f"{skus[pk]}: {why}" for pk, (_typed_, why) in list(left.items())[:20])
        messages.warning(request, _("Not entered: %(n)d.") % {"n": len(left)} + f" {words}")
    return back
