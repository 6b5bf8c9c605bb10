"""Refunds, which somebody approves or declines, and their parts, of which some fail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub import said
from integrations.hub.desk.admin_pages import Refused, actor
from integrations.hub.files import exports
from shop.payments import admin_forms, admin_page, aftercare, finding, refunds
from shop.payments.admin_base import APPROVE, SETTLE, PaymentsAdmin, StateFilter, order_link
from shop.payments.models import (
    OPEN_PART,
    STUCK_PART,
    WAITING_REFUND,
    PartStatus,
    Refund,
    RefundPart,
)
from shop.pricing.templatetags.prices import money
from shop.said import who


class WaitingFilter(StateFilter):
    states = (
        ("waiting", gettext_lazy("waits for approval"), lambda: WAITING_REFUND),
        ("declined", gettext_lazy("declined"), lambda: Q(declined_at__isnull=False)),
    )


@admin.register(Refund)
class RefundAdmin(PaymentsAdmin):
    list_display = ("created_at", "order_", "amount_", "reason_", "by", "approved", "state")
    list_display_links = ("created_at", "amount_")
    list_filter = (WaitingFilter, "is_automatic", "created_at")
    list_select_related = ("order",)
    search_fields = ("parts__key",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Number of the refund, the provider's number, or the order's")
    change_form_before_template = "admin/payments/refund/detail.html"
    actions_detail = ("approve", "decline")
    exported = (
        exports.time(gettext_lazy("created at"), lambda row: row.created_at),
        exports.text(gettext_lazy("order"), lambda row: row.order.number),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("amount"), lambda row: row.amount),
        exports.text(gettext_lazy("reason"), lambda row: said.in_words(row.reason)),
        exports.text(gettext_lazy("by"), lambda row: who(row.actor)),
        exports.text(gettext_lazy("approved by"), lambda row: who(row.approved_by)),
        exports.text(gettext_lazy("declined by"), lambda row: who(row.declined_by)),
        exports.text(gettext_lazy("why it was declined"), lambda row: row.declined_note),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return admin_page.refunds_with_details(super().get_queryset(request).select_related("order"))

    def found(self, text: str) -> QuerySet[Refund]:
        return finding.refunds(text)

    def shown(self, request: HttpRequest, obj: Refund) -> dict[str, Any]:
        return {
            "row": admin_page.refund(obj),
            "order": order_link(obj.order_id, obj.order.number),
            "left": money(refunds.refundable(obj.order), obj.currency),
            "own": obj.actor == actor(request),
            "restocked": _restocked(obj),
        }

    @display(description=gettext_lazy("order"), ordering="order__number")
    def order_(self, refund: Refund) -> str:
        return order_link(refund.order_id, refund.order.number)

    @display(description=gettext_lazy("amount"), ordering="amount")
    def amount_(self, refund: Refund) -> str:
        return money(refund.amount, refund.currency)

    @display(description=gettext_lazy("reason"))
    def reason_(self, refund: Refund) -> str:
        return said.in_words(refund.reason)

    @display(description=gettext_lazy("by"), ordering="actor")
    def by(self, refund: Refund) -> str:
        return who(refund.actor)

    @display(description=gettext_lazy("approved by"), ordering="approved_by")
    def approved(self, refund: Refund) -> str:
        return who(refund.approved_by)

    @display(description=gettext_lazy("state"))
    def state(self, refund: Refund) -> str:
        return admin_page.refund_badge(refund)

    # --- deciding ---

    def offers(self, action: str, obj: Refund) -> bool:
        return obj.is_waiting

    @action(description=gettext_lazy("Approve"), url_path="approve", icon="check", permissions=[APPROVE],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self.wanted(request, object_id)
        if refund.is_waiting and refund.actor == actor(request):
            raise_final = _("You asked for it yourself: somebody else has to approve it. Nothing was changed.")
            return self.page(request, "approve", refund, lambda _data: _final(raise_final), title=_("Approve"),
                             explain=[raise_final], button=_("Approve"))  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            refunds.approve(refund, data["approval"], actor=actor(request))
            return _("Approved: %(what)s") % {"what": told(refund)}

        explain = [told(refund), *_lines(refund), *_stays(refund),
                   _("It is sent to the provider now, with both names.")]  # fmt: skip
        return self.page(request, "approve", refund, do, form=admin_forms.approve_form(refund), explain=explain,
                         title=_("Approve"), button=_("Approve"))  # fmt: skip

    @action(description=gettext_lazy("Decline"), url_path="decline", icon="close", permissions=[APPROVE])
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            refunds.decline(refund, data["note"], actor=actor(request))
            return _("Declined: %(why)s") % {"why": data["note"]}

        explain = [told(refund), _("Nothing is given back, and what it reserved is free again."), *_stays(refund)]
        return self.page(request, "decline", refund, do, form=admin_forms.Why, danger=True, explain=explain,
                         title=_("Decline"), button=_("Decline"))  # fmt: skip


def _final(words: str) -> str:
    raise Refused(words, final=True)


def told(refund: Refund) -> str:
    """What it would do, in one line."""
    return _("%(amount)s of order %(number)s: %(reason)s") % {
        "amount": money(refund.amount, refund.currency), "number": refund.order.number,
        "reason": said.in_words(refund.reason),
    }  # fmt: skip


def _restocked(refund: Refund) -> bool:
    return any(line.restock_id for line in refund.lines.all())


def _stays(refund: Refund) -> list[str]:
    """What whoever decides has to know of the goods."""
    words = _("Goods that are back went into stock when it was asked for; they stay there, whatever is decided.")
    return [words] if _restocked(refund) else []


def _lines(refund: Refund) -> list[str]:
    """What it is for, a line each."""
    rows = admin_page.refund(refund)["lines"]
    return [
        f"{row['quantity']} × {row['line'].partner_sku}: {row['amount']}"
        + (f" → {row['restock']}" if row["restock"] else "")
        for row in rows
    ]


class TroubleFilter(StateFilter):
    states = (
        ("open", gettext_lazy("needs somebody"), lambda: OPEN_PART | STUCK_PART),
        ("failed", gettext_lazy("failed"), lambda: OPEN_PART),
        ("stuck", gettext_lazy("stuck at the provider"), lambda: STUCK_PART),
        ("closed", gettext_lazy("closed"), lambda: Q(closed_at__isnull=False)),
    )


@admin.register(RefundPart)
class RefundPartAdmin(PaymentsAdmin):
    list_display = ("key", "order_", "account_", "amount_", "state", "why_", "closed_note_")
    list_filter = (TroubleFilter, "status", "attempt__account")
    list_select_related = ("refund", "attempt__order", "attempt__account")
    search_fields = ("key",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Number of the refund, the provider's number, or the order's")
    change_form_before_template = "admin/payments/refundpart/detail.html"
    actions_detail = ("try_again", "settle_by_hand", "leave")
    ordering = ("-pk",)
    exported = (
        exports.text(gettext_lazy("number"), lambda row: row.key),
        exports.text(gettext_lazy("order"), lambda row: row.attempt.order.number),
        exports.text(gettext_lazy("account"), lambda row: str(row.attempt.account)),
        exports.text(gettext_lazy("payment"), lambda row: row.attempt.number),
        exports.text(gettext_lazy("number at the provider"), lambda row: row.remote),
        exports.text(gettext_lazy("currency"), lambda row: row.attempt.currency),
        exports.text(gettext_lazy("amount"), lambda row: row.amount),
        exports.text(gettext_lazy("status"), lambda row: row.get_status_display()),
        exports.text(gettext_lazy("why"), lambda row: said.in_words(row.why)),
        exports.time(gettext_lazy("given back at"), lambda row: row.done_at),
        exports.text(gettext_lazy("what was done about it"), lambda row: said.in_words(row.closed_note)),
    )

    def found(self, text: str) -> QuerySet[RefundPart]:
        return finding.parts(text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefundPart]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def shown(self, request: HttpRequest, obj: RefundPart) -> dict[str, Any]:
        return {
            "row": admin_page.part_row(obj, obj.attempt.currency),
            "order": order_link(obj.attempt.order_id, obj.attempt.order.number),
            "refund": admin_page.link("refund", obj.refund_id, money(obj.refund.amount, obj.refund.currency)),
            "reason": said.in_words(obj.refund.reason),
        }

    @display(description=gettext_lazy("order"), ordering="attempt__order__number")
    def order_(self, part: RefundPart) -> str:
        return order_link(part.attempt.order_id, part.attempt.order.number)

    @display(description=gettext_lazy("account"), ordering="attempt__account")
    def account_(self, part: RefundPart) -> str:
        return str(part.attempt.account)

    @display(description=gettext_lazy("amount"), ordering="amount")
    def amount_(self, part: RefundPart) -> str:
        return money(part.amount, part.attempt.currency)

    @display(description=gettext_lazy("status"), ordering="status")
    def state(self, part: RefundPart) -> str:
        return admin_page.part_badge(part)

    @display(description=gettext_lazy("why"))
    def why_(self, part: RefundPart) -> str:
        return said.in_words(part.why)

    @display(description=gettext_lazy("what was done about it"))
    def closed_note_(self, part: RefundPart) -> str:
        return said.in_words(part.closed_note)

    # --- what is done about it ---

    def offers(self, action: str, obj: RefundPart) -> bool:
        return obj.needs_somebody and (action == "settle_by_hand" or obj.status == PartStatus.FAILED)

    @action(description=gettext_lazy("Try again"), url_path="try-again", icon="replay", permissions=[SETTLE],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        part = self.wanted(request, object_id)
        explain = [said.in_words(part.why), _("The provider is asked anew, under a new number.")]

        def do(_data: dict[str, Any]) -> str:
            again = aftercare.try_again(part.pk, actor=actor(request))
            return _("Tried again as %(number)s.") % {"number": again.key}

        return self.page(request, "try_again", part, do, explain=explain, title=_("Try again"),
                         button=_("Try again"))  # fmt: skip

    @action(description=gettext_lazy("Settled by hand"), url_path="by-hand", icon="account_balance",
            permissions=[SETTLE])  # fmt: skip
    def settle_by_hand(self, request: HttpRequest, object_id: str) -> HttpResponse:
        part = self.wanted(request, object_id)
        amount = money(part.amount, part.attempt.currency)
        explain = [_("You gave %(amount)s back in another way, say by transfer. It is booked as given back, by hand; "
                     "the provider is not asked any more.") % {"amount": amount}]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            aftercare.settle_by_hand(part.pk, data["note"], actor=actor(request))
            return _("Booked as given back by hand: %(note)s") % {"note": data["note"]}

        return self.page(request, "settle_by_hand", part, do, form=admin_forms.ByHand, explain=explain,
                         title=_("Settled by hand"), button=_("The money is back"))  # fmt: skip

    @action(description=gettext_lazy("Do not give it back"), url_path="leave", icon="block", permissions=[SETTLE])
    def leave(self, request: HttpRequest, object_id: str) -> HttpResponse:
        part = self.wanted(request, object_id)
        explain = [_("The provider refused it, and the money stays with us. The customer hears nothing by this.")]

        def do(data: dict[str, Any]) -> str:
            aftercare.leave(part.pk, data["note"], actor=actor(request))
            return _("Closed: %(note)s") % {"note": data["note"]}

        return self.page(request, "leave", part, do, form=admin_forms.Why, explain=explain, danger=True,
                         title=_("Do not give it back"), button=_("Do not give it back"))  # fmt: skip
