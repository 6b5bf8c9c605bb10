"""What pages of staff show of payments: on an order's page, and on that of one payment."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub import said
from integrations.hub.desk.admin_pages import badge
from shop.order.models import Order
from shop.payments import starting
from shop.payments.models import (
    Attempt,
    AttemptStatus,
    Dispute,
    DisputeStatus,
    PartStatus,
    Refund,
    RefundLine,
    RefundPart,
)
from shop.pricing.templatetags.prices import money
from shop.said import who

STATUS_COLOURS = {AttemptStatus.CAPTURED: "success", AttemptStatus.AUTHORISED: "info", AttemptStatus.REFUSED: "danger",
                  AttemptStatus.OPEN: "warning", AttemptStatus.PROCESSING: "warning"}  # fmt: skip
PART_COLOURS = {PartStatus.DONE: "success", PartStatus.PENDING: "warning", PartStatus.FAILED: "danger"}
DISPUTE_COLOURS = {DisputeStatus.OPEN: "warning", DisputeStatus.LOST: "danger", DisputeStatus.WON: "success"}
HOW: dict[str, Any] = {
    "asked": gettext_lazy("we asked"),
    "notice": gettext_lazy("after a notice"),
    "refund": gettext_lazy("answer to our refund"),
    "by hand": gettext_lazy("by hand"),
    "made there": gettext_lazy("made at the provider itself"),
}


def link(model: str, pk: Any, words: Any) -> str:
    """To the page of something of payments: `attempt`, `refund`, `refundpart`, `stray` or `dispute`."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:payments_{model}_change", args=[quote(pk)]), words)


def source(written: str) -> str:
    """How we know of a movement, in the reader's language: whose word it is, and how it came."""
    whose, _colon, how = written.rpartition(": ")
    return f"{who(whose)}: {HOW[how]}" if whose and how in HOW else written


# --- states ----------------------------------------------------------------------------------------------------------


def attempt_badges(attempt: Attempt, *, is_disputed: bool = False) -> str:
    """Where a payment stands, and what of it needs somebody."""
    shown = [
        badge(attempt.get_status_display(), STATUS_COLOURS.get(AttemptStatus(attempt.status), "")),
        badge(_("needs review"), "danger") if attempt.needs_review else "",
        badge(_("order not told yet"), "warning") if attempt.advance_at else "",
        badge(_("disputed"), "danger") if is_disputed else "",
        badge(_("loss"), "danger") if attempt.net < 0 else "",
    ]
    return format_html("{} {} {} {} {}", *shown)


def part_badge(part: RefundPart) -> str:
    if part.status == PartStatus.PENDING and part.is_stuck:
        return badge(_("stuck at the provider"), "danger")
    if part.status == PartStatus.PENDING and part.refund.is_waiting:
        return badge(_("reserved"), "info")
    if part.status == PartStatus.FAILED and part.closed_at:
        return badge(_("declined") if part.refund.declined_at else _("failed, closed"))
    return badge(part.get_status_display(), PART_COLOURS.get(PartStatus(part.status), ""))


def refund_badge(refund: Refund) -> str:
    """Where a refund stands as a whole; its parts were read with it."""
    if refund.is_waiting:
        return badge(_("waits for approval"), "warning")
    if refund.declined_at:
        return badge(_("declined"))
    parts = list(refund.parts.all())
    if any(part.needs_somebody for part in parts):
        return badge(_("needs somebody"), "danger")
    if any(part.status == PartStatus.PENDING for part in parts):
        return badge(_("on its way"), "warning")
    back = sum((part.amount for part in parts if part.status == PartStatus.DONE), Decimal(0))
    if back >= refund.amount:
        return badge(_("given back"), "success")
    return badge(_("given back in part"), "info") if back else badge(_("not given back"))


def dispute_badge(dispute: Dispute) -> str:
    return badge(dispute.get_status_display(), DISPUTE_COLOURS.get(DisputeStatus(dispute.status), ""))


# --- one payment, one refund -----------------------------------------------------------------------------------------


def with_details(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """All that is shown of payments, in three queries."""
    return attempts.select_related("account", "order").prefetch_related("entries", "disputes").order_by("pk")


def payment(attempt: Attempt) -> dict[str, Any]:
    """One payment with every fact and its source."""
    disputes = sorted(attempt.disputes.all(), key=lambda one: one.pk)
    currency = attempt.currency
    return {
        "attempt": attempt,
        "method": _method(attempt),
        "badges": attempt_badges(attempt, is_disputed=attempt.is_disputed),
        "number": link("attempt", attempt.pk, attempt.number),
        "amounts": [
            (words, money(amount, currency))
            for words, amount in (
                (_("total"), attempt.total), (_("paid"), attempt.captured), (_("given back"), attempt.refunded),
                (_("on its way back"), attempt.refund_pending), (_("lost in disputes"), attempt.disputed),
            )
            if amount or amount is attempt.total or amount is attempt.captured
        ],
        "net": money(attempt.net, currency) if attempt.refunded or attempt.disputed else "",
        "review": said.in_words(attempt.review),
        "look_error": said.in_words(attempt.look_error),
        "facts": sorted(attempt.facts.items()),
        "entries": [
            {"entry": entry, "amount": money(entry.amount, entry.currency), "source": source(entry.source)}
            for entry in attempt.entries.all()
        ],
        "disputes": [
            {"dispute": one, "badge": dispute_badge(one), "link": link("dispute", one.pk, money(one.amount, currency)),
             "by": who(one.actor)}
            for one in disputes
        ],
    }  # fmt: skip


def _method(attempt: Attempt) -> str:
    """What it is called; its code, as such, where it is not offered any more."""
    label = starting.label(attempt)
    return format_html("<code>{}</code>", label) if label == attempt.method else label


def refunds_with_details(refunds: QuerySet[Refund]) -> QuerySet[Refund]:
    """All that is shown of refunds, in three queries."""
    lines = RefundLine.objects.select_related("line", "restock").order_by("pk")
    parts = RefundPart.objects.select_related("attempt__account").order_by("pk")
    return refunds.prefetch_related(Prefetch("parts", parts), Prefetch("lines", lines)).order_by("pk")


def refund(one: Refund) -> dict[str, Any]:
    """One refund with its parts and lines; who asked for it, and who decided."""
    return {
        "refund": one,
        "amount": money(one.amount, one.currency),
        "badge": refund_badge(one),
        "link": link("refund", one.pk, money(one.amount, one.currency)),
        "reason": said.in_words(one.reason),
        "by": _("Weft, by itself") if one.is_automatic else who(one.actor),
        "approved_by": who(one.approved_by),
        "declined_by": who(one.declined_by),
        "lines": [
            {"line": row.line, "quantity": row.quantity, "amount": money(row.amount, one.currency),
             "restock": row.restock}
            for row in one.lines.all()
        ],
        "parts": [part_row(part, one.currency) for part in one.parts.all()],
    }  # fmt: skip


def part_row(part: RefundPart, currency: str) -> dict[str, Any]:
    return {
        "part": part,
        "amount": money(part.amount, currency),
        "badge": part_badge(part),
        "link": link("refundpart", part.pk, part.key),
        "payment": link("attempt", part.attempt_id, part.attempt.number),
        "account": part.attempt.account,
        "why": said.in_words(part.why),
        "closed_note": said.in_words(part.closed_note),
    }


def requested(refund: Refund) -> str:
    """What became of a refund that somebody asked for."""
    amount = money(refund.amount, refund.currency)
    if refund.needs_approval:
        return _("A refund of %(amount)s waits for approval by somebody else.") % {"amount": amount}
    return _("A refund of %(amount)s is on its way.") % {"amount": amount}


# --- an order --------------------------------------------------------------------------------------------------------


def of_order(order: Order) -> dict[str, Any] | None:
    """What an order's page shows of its payments, which were read with it; None: none was ever tried.

    At most three queries of its own, for refunds.
    """
    attempts = list(order.attempts.all())
    if not attempts:
        return None
    refunds = list(refunds_with_details(order.refunds.all())) if any(one.captured for one in attempts) else []
    return {
        "figures": _figures(attempts, order.currency),
        "payments": [payment(one) for one in reversed(attempts)],
        "refunds": [refund(one) for one in reversed(refunds)],
        "troubles": list(_troubles(attempts, refunds)),
    }


def _figures(attempts: list[Attempt], currency: str) -> list[tuple[str, str, bool]]:
    """(what, how much, is it bad) of all payments together; what is nothing is left out."""
    sums = {
        _("paid"): sum((one.captured for one in attempts), Decimal(0)),
        _("given back"): sum((one.refunded for one in attempts), Decimal(0)),
        _("on its way back"): sum((one.refund_pending for one in attempts), Decimal(0)),
        _("lost in disputes"): sum((one.disputed for one in attempts), Decimal(0)),
    }
    net = sum((one.net for one in attempts), Decimal(0))
    shown = [(words, money(amount, currency), False) for words, amount in sums.items() if amount]
    if len(shown) > 1:
        shown.append((_("loss") if net < 0 else _("left to us"), money(net, currency), net < 0))
    return shown


def _troubles(attempts: Iterable[Attempt], refunds: Iterable[Refund]) -> Iterable[tuple[str, str]]:
    """(what is wrong, a link to where something is done about it)."""
    for attempt in attempts:
        if attempt.needs_review:
            yield (
                _("Needs review: %(why)s") % {"why": said.in_words(attempt.review)},
                link("attempt", attempt.pk, _("look at it")),
            )
        for one in attempt.disputes.all():
            if one.status == DisputeStatus.OPEN:
                due = one.evidence_due_on.isoformat() if one.evidence_due_on else "–"
                words = _("Disputed: nothing of it is given back. Evidence due on %(day)s.") % {"day": due}
                yield words, link("dispute", one.pk, _("look at it"))
    for refund_ in refunds:
        if refund_.is_waiting:
            words = _("A refund of %(amount)s waits for approval.") % {
                "amount": money(refund_.amount, refund_.currency)
            }
            yield words, link("refund", refund_.pk, _("look at it"))
        for part in refund_.parts.all():
            if part.needs_somebody:
                words = _("A refund of %(amount)s did not arrive: %(why)s") % {
                    "amount": money(part.amount, refund_.currency), "why": said.in_words(part.why),
                }  # fmt: skip
                yield words, link("refundpart", part.pk, _("look at it"))
