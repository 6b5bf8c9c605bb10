"""What the page of a count sheet shows: how far it is, and once it is counted, what differs."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from shop.pricing.templatetags.prices import money
from shop.said import who
from shop.stock import approvals, count_decisions, finding
from shop.stock.admin_links import pool_link, rows_link
from shop.stock.count_decisions import Result
from shop.stock.count_models import SheetState
from shop.stock.models import CountEntry, CountRow, CountSheet, Level

SHOWN = 100  # rows of a page
NAMED = 8  # people who may approve


def page(request: HttpRequest, sheet: CountSheet, state: str) -> dict[str, Any]:
    """For the template. While a blind sheet is being counted nothing tells what should be there."""
    hidden = sheet.blind and sheet.state == SheetState.COUNTING
    result = count_decisions.result(sheet)
    tab, tabs = _tabs(request, sheet, hidden)
    rows = Paginator(_of(sheet, tab), SHOWN).get_page(request.GET.get("page"))
    counting = sheet.state == SheetState.COUNTING
    return {
        "sheet": sheet,
        "state": state,
        "counting": counting,
        "hidden": hidden,
        "rows": [_row(row, hidden) for row in _with_more(sheet, list(rows), hidden)],
        "pages": rows,
        "tab": tab,
        "tabs": tabs,
        "query": f"show={tab}&",
        "counted": result.counted,
        "left": result.rows - result.counted,
        "result": None if hidden else result,
        "net": _amounts(result.net_values),
        "made_by": who(sheet.made_by),
        "finished_by": who(sheet.finished_by),
        "decided_by": who(sheet.decided_by),
        "decision": decision(request, sheet, result) if sheet.state == SheetState.COUNTED else [],
        "moved": rows_link("movement", _("its movements"), q=sheet.document)
        if sheet.state == SheetState.APPROVED
        else "",
    }


def _tabs(request: HttpRequest, sheet: CountSheet, hidden: bool) -> tuple[str, list[tuple[str, str]]]:
    tabs = [("all", _("all rows")), ("left", _("not counted"))]
    if not hidden:
        tabs.insert(0, ("different", _("that differ")))
    default = "different" if sheet.state != SheetState.COUNTING and not hidden else "all"
    asked = request.GET.get("show", default)
    return (asked if asked in dict(tabs) else default), tabs


def _of(sheet: CountSheet, tab: str) -> QuerySet[CountRow]:
    rows = sheet.rows.annotate(title=finding.titles("pool_id")).order_by("position")
    match tab:
        case "different":
            return rows.filter(found__isnull=False).exclude(found=F("figure"))
        case "left":
            return rows.filter(found__isnull=True)
    return rows


def _with_more(sheet: CountSheet, rows: list[Any], hidden: bool) -> list[Any]:
    """Each row with the figure of now, and what was found in earlier rounds."""
    levels = Level.objects.filter(warehouse=sheet.warehouse_id, pool__in=[row.pool_id for row in rows])
    now = {} if hidden else dict(levels.values_list("pool_id", "on_hand"))
    earlier: dict[int, list[str]] = defaultdict(list)
    if sheet.round > 1 and not hidden:
        for entry in CountEntry.objects.filter(row__in=rows, round__lt=F("row__sheet__round"), found__isnull=False):
            earlier[entry.row_id].append(f"{entry.found} / {entry.figure}")
    for row in rows:
        row.now, row.earlier = now.get(row.pool_id, 0), earlier[row.pk]
    return rows


def _row(row: Any, hidden: bool) -> dict[str, Any]:
    shown = {
        "position": row.position, "sku": pool_link(row.pool_id), "title": row.title, "found": row.found,
        "by": who(row.counted_by), "at": row.counted_at, "again": row.again and row.found is None,
    }  # fmt: skip
    if hidden or row.found is None:
        return shown
    value = money(row.price * row.difference, row.currency) if row.price is not None else "–"
    return {**shown, "figure": row.figure, "difference": row.difference, "signed": f"{row.difference:+d}",
            "value": value, "now": row.now, "earlier": row.earlier}  # fmt: skip


def _amounts(values: dict[str, Any]) -> str:
    return " · ".join(money(value, currency) for currency, value in sorted(values.items())) or "–"


def told(result: Result) -> list[str]:
    """What it came to, in words."""
    words = [
        _("Counted rows: %(counted)d of %(rows)d; right: %(right)d (%(share)d %%).")
        % {"counted": result.counted, "rows": result.rows, "right": result.right, "share": result.share_right or 0},
        _("Units more: %(more)d, fewer: %(fewer)d; in value: %(value)s.")
        % {"more": result.more, "fewer": result.fewer, "value": _amounts(result.net_values)},
    ]
    return words


def decision(request: HttpRequest, sheet: CountSheet, result: Result) -> list[str]:
    """Who may decide, in words."""
    if not result.needs_another:
        return [_("Small enough for one person: whoever counts may approve it.")]
    counters = count_decisions.counters(sheet)
    words = [_("Too large for one person: somebody who did not count decides.")]
    if request.user.pk in counters:
        words.append(_("You counted some of it."))
    names = [str(user) for user in approvals.may_approve().exclude(pk__in=counters)[:NAMED]]
    words.append(
        _("May decide: %(names)s") % {"names": _(", ").join(names)}
        if names
        else _("Nobody else may approve changes of stock. Give a colleague that right.")
    )
    return words
