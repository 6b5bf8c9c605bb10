"""Payments in the admin: lists to look things up, worklists of what went wrong, and what can be done about each.

Nothing is edited: rows are written by the flow, and by the actions below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub import said
from integrations.hub.desk.admin_pages import Refused, ViewOnlyAdmin, act, actor, badge, too_late
from integrations.hub.files import exports
from shop.order import finding
from shop.payments import admin_forms, admin_page, aftercare, disputes, flow, refunds, strays, watching
from shop.payments.aftercare import Settled
from shop.payments.disputes import CannotDispute, Closed
from shop.payments.models import (
    OPEN_PART,
    OPEN_REVIEW,
    STUCK_PART,
    WAITING_REFUND,
    Attempt,
    Dispute,
    DisputeStatus,
    Entry,
    PartStatus,
    Refund,
    RefundPart,
    Stray,
)
from shop.payments.refunds import CannotRefund
from shop.pricing.money import TooFine
from shop.pricing.templatetags.prices import money
from shop.said import who

REFUND, APPROVE, SETTLE = (f"payments.{name}" for name in ("refund_payment", "approve_refund", "settle_payment"))


def order_link(order_id: int, number: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:order_order_change", args=[order_id]), number)


def refusing(do: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """What the services refuse, as words for the person who asked."""

    def done(data: dict[str, Any]) -> str:
        try:
            return do(data)
        except (Settled, Closed):
            raise Refused(_("Somebody did something about it meanwhile. Nothing was changed."), final=True) from None
        except (CannotRefund, CannotDispute, TooFine) as refusal:
            raise Refused(said.in_words(str(refusal))) from None

    return done


class PaymentsAdmin(ViewOnlyAdmin):
    """The pages of one thing are drawn by their template, from what `shown` returns."""

    draws_itself = True

    def shown(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        shown = self.shown(request, obj) if obj else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})

    def page(
        self, request: HttpRequest, name: str, obj: Any, do: Callable[[dict[str, Any]], str], **page: Any
    ) -> HttpResponse:
        """The page of the action `name`."""
        if not self.offers(name, obj):
            return too_late(self, request, obj)
        return act(self, request, obj, refusing(do), **page)


# --- payments --------------------------------------------------------------------------------------------------------


class StateFilter(admin.SimpleListFilter):
    """The states of a worklist; `choices_` are (value, words, rows)."""

    title = gettext_lazy("state")
    parameter_name = "state"
    states: tuple[tuple[str, Any, Callable[[], Q]], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, words) for value, words, _rows in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = {value: rows for value, _words, rows in self.states}.get(self.value() or "")
        return queryset.filter(rows()) if rows else queryset


class ReviewFilter(StateFilter):
    states = (
        ("review", gettext_lazy("needs review"), lambda: OPEN_REVIEW),
        ("reviewed", gettext_lazy("reviewed"), lambda: Q(reviewed_at__isnull=False)),
        ("untold", gettext_lazy("order not told yet"), lambda: Q(advance_at__isnull=False)),
        ("on_its_way", gettext_lazy("money on its way back"), lambda: Q(refund_pending__gt=0)),
    )


@admin.register(Attempt)
class AttemptAdmin(PaymentsAdmin):
    list_display = ("number", "order_", "account", "method", "created_at", "total_", "captured_", "refunded_", "state")
    list_filter = (ReviewFilter, "status", "account", "created_at")
    list_select_related = ("order", "account")
    search_fields = ("number",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Our number, the provider's number, or the order's")
    change_form_before_template = "admin/payments/attempt/detail.html"
    actions_detail = ("ask_now", "review", "give_all_back", "enter_dispute")
    exported = (
        exports.text(gettext_lazy("number"), lambda row: row.number),
        exports.text(gettext_lazy("order"), lambda row: row.order.number),
        exports.text(gettext_lazy("account"), lambda row: str(row.account)),
        exports.text(gettext_lazy("method"), lambda row: row.method),
        exports.text(gettext_lazy("number at the provider"), lambda row: row.remote),
        exports.text(gettext_lazy("status"), lambda row: row.get_status_display()),
        exports.time(gettext_lazy("created at"), lambda row: row.created_at),
        exports.time(gettext_lazy("paid at"), lambda row: row.paid_at),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("total"), lambda row: row.total),
        exports.text(gettext_lazy("paid"), lambda row: row.captured),
        exports.text(gettext_lazy("on its way back"), lambda row: row.refund_pending),
        exports.text(gettext_lazy("given back"), lambda row: row.refunded),
        exports.text(gettext_lazy("lost in disputes"), lambda row: row.disputed),
        exports.text(gettext_lazy("needs review"), lambda row: said.in_words(row.review)),
        exports.text(gettext_lazy("what was done about it"), lambda row: row.review_note),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        attempts = super().get_queryset(request)
        match = request.resolver_match
        of_one = match is not None and "object_id" in match.kwargs
        return admin_page.with_details(attempts) if of_one else attempts

    def found(self, text: str) -> QuerySet[Attempt]:
        ways = [
            Attempt.objects.filter(number=text.upper()),
            Attempt.objects.exclude(remote="").filter(remote=text),
            Attempt.objects.filter(order__in=finding.numbered(text)),
        ]
        first, *others = [way.order_by().values("pk") for way in ways]
        return Attempt.objects.filter(pk__in=first.union(*others))

    def shown(self, request: HttpRequest, obj: Attempt) -> dict[str, Any]:
        own = Refund.objects.filter(parts__attempt=obj).distinct()
        return {
            "row": admin_page.payment(obj),
            "order": order_link(obj.order_id, obj.order.number),
            "refunds": [admin_page.refund(one) for one in admin_page.refunds_with_details(own)],
        }

    @display(description=gettext_lazy("order"), ordering="order__number")
    def order_(self, attempt: Attempt) -> str:
        return order_link(attempt.order_id, attempt.order.number)

    @display(description=gettext_lazy("total"), ordering="total")
    def total_(self, attempt: Attempt) -> str:
        return money(attempt.total, attempt.currency)

    @display(description=gettext_lazy("paid"), ordering="captured")
    def captured_(self, attempt: Attempt) -> str:
        return money(attempt.captured, attempt.currency) if attempt.captured else ""

    @display(description=gettext_lazy("given back"), ordering="refunded")
    def refunded_(self, attempt: Attempt) -> str:
        return money(attempt.refunded, attempt.currency) if attempt.refunded else ""

    @display(description=gettext_lazy("status"), ordering="status")
    def state(self, attempt: Attempt) -> str:
        return admin_page.attempt_badges(attempt)

    # --- what is done about it ---

    def offers(self, action: str, obj: Attempt) -> bool:
        match action:
            case "review":
                return obj.needs_review
            case "give_all_back":
                return obj.needs_review and obj.refundable > 0
            case "enter_dispute":
                return obj.captured > obj.disputed
        return True

    @action(description=gettext_lazy("Ask the provider now"), url_path="ask", icon="sync", permissions=[SETTLE])
    def ask_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        attempt = self.wanted(request, object_id)
        explain = [_("The provider is asked how the payment stands, and what it says is written down.")]
        return self.page(request, "ask_now", attempt, lambda _data: _ask(attempt), explain=explain,
                         title=_("Ask the provider now"), button=_("Ask the provider now"))  # fmt: skip

    @action(description=gettext_lazy("Close the review"), url_path="review", icon="task_alt", permissions=[SETTLE],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        attempt = self.wanted(request, object_id)
        explain = [
            said.in_words(attempt.review),
            _("Nothing moves by this. If the order is to be paid with it, confirm the payment on the order's page; if "
              "not, give the money back."),
        ]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            aftercare.review(attempt.pk, data["note"], actor=actor(request))
            return _("Reviewed: %(note)s") % {"note": data["note"]}

        return self.page(request, "review", attempt, do, form=admin_forms.Done, explain=explain,
                         title=_("Close the review"), button=_("Close the review"))  # fmt: skip

    @action(description=gettext_lazy("Give all of it back"), url_path="give-back", icon="currency_exchange",
            permissions=[REFUND])  # fmt: skip
    def give_all_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        attempt = self.wanted(request, object_id)
        explain = [_("%(amount)s go back to where they came from, and the review is closed.")
                   % {"amount": money(attempt.refundable, attempt.currency)}]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            refund = aftercare.give_all_back(attempt.pk, data["note"], actor=actor(request))
            return admin_page.requested(refund)

        return self.page(request, "give_all_back", attempt, do, form=admin_forms.Why, explain=explain, danger=True,
                         title=_("Give all of it back"), button=_("Give it back"))  # fmt: skip

    @action(description=gettext_lazy("Enter a dispute"), url_path="dispute", icon="gavel", permissions=[SETTLE])
    def enter_dispute(self, request: HttpRequest, object_id: str) -> HttpResponse:
        attempt = self.wanted(request, object_id)
        explain = [_("The payer, or their bank, wants money back by way of the provider. Until it is decided nothing "
                     "of this payment is given back by us, lest it goes back twice.")]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            disputes.enter(attempt.pk, actor=actor(request), **data)
            return _("The dispute is entered. Refunds of this payment are blocked.")

        return self.page(request, "enter_dispute", attempt, do, form=admin_forms.dispute_form(attempt),
                         explain=explain, title=_("Enter a dispute"), button=_("Enter the dispute"))  # fmt: skip


def _ask(attempt: Attempt) -> str:
    with flow.locked(attempt.pk) as (_order, locked):
        flow.look_soon(locked)
    seen = watching.look(attempt.pk)
    attempt.refresh_from_db()
    if seen:
        return _("Asked. It stands as: %(status)s.") % {"status": attempt.get_status_display()}
    if attempt.look_error:
        words = _("It could not be seen: %(why)s It is asked again by itself.")
        raise Refused(words % {"why": said.in_words(attempt.look_error)}, final=True)
    raise Refused(_("It was asked a moment ago. Try again in some seconds."), final=True)


@admin.register(Entry)
class EntryAdmin(ViewOnlyAdmin):
    """The ledger: every movement of money, with how we know of it."""

    list_display = ("at", "order_", "payment_", "kind", "amount_", "source_", "recorded_at")
    list_filter = ("kind", "attempt__account", "at")
    list_select_related = ("attempt__order",)
    search_fields = ("refund_key",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Number of the payment or of the refund, the provider's number, or the order's")
    fields = readonly_fields = ("at", "order_", "payment_", "kind", "amount_", "source_", "refund_key", "recorded_at")
    ordering = ("-pk",)
    exported = (
        exports.time(gettext_lazy("at"), lambda row: row.at),
        exports.text(gettext_lazy("order"), lambda row: row.attempt.order.number),
        exports.text(gettext_lazy("payment"), lambda row: row.attempt.number),
        exports.text(gettext_lazy("number at the provider"), lambda row: row.attempt.remote),
        exports.text(gettext_lazy("kind"), lambda row: row.get_kind_display()),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("amount"), lambda row: row.amount),
        exports.text(gettext_lazy("source"), lambda row: admin_page.source(row.source)),
        exports.text(gettext_lazy("refund"), lambda row: row.refund_key),
        exports.time(gettext_lazy("recorded at"), lambda row: row.recorded_at),
    )

    def found(self, text: str) -> QuerySet[Entry]:
        of_attempts = admin.site.get_model_admin(Attempt).found(text)
        of_parts = RefundPart.objects.filter(key=text.upper())
        wanted = of_attempts.order_by().values("pk").union(of_parts.order_by().values("attempt"))
        return Entry.objects.filter(attempt__in=wanted)

    @display(description=gettext_lazy("order"), ordering="attempt__order__number")
    def order_(self, entry: Entry) -> str:
        return order_link(entry.attempt.order_id, entry.attempt.order.number)

    @display(description=gettext_lazy("payment"))
    def payment_(self, entry: Entry) -> str:
        return admin_page.link("attempt", entry.attempt_id, entry.attempt.number)

    @display(description=gettext_lazy("amount"), ordering="amount")
    def amount_(self, entry: Entry) -> str:
        return money(entry.amount, entry.currency)

    @display(description=gettext_lazy("source"))
    def source_(self, entry: Entry) -> str:
        return admin_page.source(entry.source)


# --- refunds ---------------------------------------------------------------------------------------------------------


class WaitingFilter(StateFilter):
    states = (
        ("waiting", gettext_lazy("waits for approval"), lambda: WAITING_REFUND),
        ("declined", gettext_lazy("declined"), lambda: Q(declined_at__isnull=False)),
    )


@admin.register(Refund)
class RefundAdmin(PaymentsAdmin):
    list_display = ("created_at", "order_", "amount_", "reason_", "by", "is_automatic", "approved", "state")
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
        ways = [
            RefundPart.objects.filter(key=text.upper()).values("refund"),
            RefundPart.objects.exclude(remote="").filter(remote=text).values("refund"),
            Refund.objects.filter(order__in=finding.numbered(text)).order_by().values("pk"),
        ]
        return Refund.objects.filter(pk__in=ways[0].union(*ways[1:]))

    def shown(self, request: HttpRequest, obj: Refund) -> dict[str, Any]:
        return {
            "row": admin_page.refund(obj),
            "order": order_link(obj.order_id, obj.order.number),
            "left": money(refunds.refundable(obj.order), obj.currency),
            "own": obj.actor == actor(request),
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

        return self.page(request, "approve", refund, do, form=admin_forms.approve_form(refund),
                         explain=[told(refund), *_lines(refund), _("It is sent to the provider now, with both names.")],
                         title=_("Approve"), button=_("Approve"))  # fmt: skip

    @action(description=gettext_lazy("Decline"), url_path="decline", icon="close", permissions=[APPROVE])
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            refunds.decline(refund, data["note"], actor=actor(request))
            return _("Declined: %(why)s") % {"why": data["note"]}

        return self.page(request, "decline", refund, do, form=admin_forms.Why, danger=True,
                         explain=[told(refund), _("Nothing is given back, and what it reserved is free again.")],
                         title=_("Decline"), button=_("Decline"))  # fmt: skip


def _final(words: str) -> str:
    raise Refused(words, final=True)


def told(refund: Refund) -> str:
    """What it would do, in one line."""
    return _("%(amount)s of order %(number)s: %(reason)s") % {
        "amount": money(refund.amount, refund.currency), "number": refund.order.number,
        "reason": said.in_words(refund.reason),
    }  # fmt: skip


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
        ways = [
            RefundPart.objects.filter(key=text.upper()),
            RefundPart.objects.exclude(remote="").filter(remote=text),
            RefundPart.objects.filter(attempt__in=admin.site.get_model_admin(Attempt).found(text)),
        ]
        first, *others = [way.order_by().values("pk") for way in ways]
        return RefundPart.objects.filter(pk__in=first.union(*others))

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


# --- money without an order ------------------------------------------------------------------------------------------


class StrayFilter(StateFilter):
    states = (
        ("open", gettext_lazy("open"), lambda: Q(pk__in=strays.listed().order_by().values("pk"))),
        ("closed", gettext_lazy("closed"), lambda: Q(closed_at__isnull=False)),
    )


@admin.register(Stray)
class StrayAdmin(PaymentsAdmin):
    list_display = ("number", "account", "remote", "captured_", "refunded_", "paid_at", "first_seen_at", "state")
    list_filter = (StrayFilter, "account")
    list_select_related = ("account",)
    search_fields = ("=number", "=remote")
    search_help_text = gettext_lazy("Number, or the provider's number")
    change_form_before_template = "admin/payments/stray/detail.html"
    actions_detail = ("close",)
    exported = (
        exports.text(gettext_lazy("number"), lambda row: row.number),
        exports.text(gettext_lazy("account"), lambda row: str(row.account)),
        exports.text(gettext_lazy("number at the provider"), lambda row: row.remote),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("paid"), lambda row: row.captured),
        exports.text(gettext_lazy("given back"), lambda row: row.refunded),
        exports.time(gettext_lazy("paid at"), lambda row: row.paid_at),
        exports.time(gettext_lazy("first seen at"), lambda row: row.first_seen_at),
        exports.time(gettext_lazy("closed at"), lambda row: row.closed_at),
        exports.text(gettext_lazy("what was done about it"), lambda row: row.closed_note),
    )

    def shown(self, request: HttpRequest, obj: Stray) -> dict[str, Any]:
        return {"stray": obj, "badge": self.state(obj)}

    @display(description=gettext_lazy("paid"), ordering="captured")
    def captured_(self, stray: Stray) -> str:
        return money(stray.captured, stray.currency)

    @display(description=gettext_lazy("given back"), ordering="refunded")
    def refunded_(self, stray: Stray) -> str:
        return money(stray.refunded, stray.currency) if stray.refunded else ""

    @display(description=gettext_lazy("state"))
    def state(self, stray: Stray) -> str:
        return badge(_("closed")) if stray.closed_at else badge(_("open"), "danger")

    def offers(self, action: str, obj: Stray) -> bool:
        return obj.closed_at is None

    @action(description=gettext_lazy("Close"), url_path="close", icon="task_alt", permissions=[SETTLE],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stray = self.wanted(request, object_id)
        explain = [_("Nothing moves by this. Look the payment up on the provider's own pages and give it back there, "
                     "or find out which order it was meant for and confirm that order's payment by hand.")]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            aftercare.close_stray(stray.pk, data["note"])
            return _("Closed: %(note)s") % {"note": data["note"]}

        return self.page(request, "close", stray, do, form=admin_forms.Done, explain=explain, title=_("Close"),
                         button=_("Close"))  # fmt: skip


# --- disputes --------------------------------------------------------------------------------------------------------


class DisputeFilter(StateFilter):
    states = (
        ("open", gettext_lazy("open"), lambda: Q(status=DisputeStatus.OPEN)),
        ("urgent", gettext_lazy("evidence due soon"), lambda: Q(pk__in=disputes.urgent().order_by().values("pk"))),
    )


@admin.register(Dispute)
class DisputeAdmin(PaymentsAdmin):
    list_display = ("opened_on", "order_", "payment_", "amount_", "evidence", "reason", "state", "note")
    list_filter = (DisputeFilter, "status", "opened_on")
    list_select_related = ("attempt__order", "attempt__account")
    search_fields = ("attempt__number",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Our number, the provider's number, or the order's")
    change_form_before_template = "admin/payments/dispute/detail.html"
    actions_detail = ("close",)
    exported = (
        exports.text(gettext_lazy("opened on"), lambda row: row.opened_on.isoformat()),
        exports.text(gettext_lazy("order"), lambda row: row.attempt.order.number),
        exports.text(gettext_lazy("payment"), lambda row: row.attempt.number),
        exports.text(gettext_lazy("currency"), lambda row: row.attempt.currency),
        exports.text(gettext_lazy("amount"), lambda row: row.amount),
        exports.text(
            gettext_lazy("evidence due on"), lambda row: row.evidence_due_on.isoformat() if row.evidence_due_on else ""
        ),
        exports.text(gettext_lazy("reason"), lambda row: row.reason),
        exports.text(gettext_lazy("status"), lambda row: row.get_status_display()),
        exports.text(gettext_lazy("entered by"), lambda row: who(row.actor)),
        exports.text(gettext_lazy("closed by"), lambda row: who(row.closed_by)),
        exports.text(gettext_lazy("how it ended"), lambda row: row.note),
    )

    def found(self, text: str) -> QuerySet[Dispute]:
        return Dispute.objects.filter(attempt__in=admin.site.get_model_admin(Attempt).found(text))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def shown(self, request: HttpRequest, obj: Dispute) -> dict[str, Any]:
        return {
            "dispute": obj,
            "amount": self.amount_(obj),
            "badge": self.state(obj),
            "order": self.order_(obj),
            "payment": self.payment_(obj),
            "by": who(obj.actor),
            "closed_by": who(obj.closed_by),
        }

    @display(description=gettext_lazy("order"), ordering="attempt__order__number")
    def order_(self, dispute: Dispute) -> str:
        return order_link(dispute.attempt.order_id, dispute.attempt.order.number)

    @display(description=gettext_lazy("payment"))
    def payment_(self, dispute: Dispute) -> str:
        return admin_page.link("attempt", dispute.attempt_id, dispute.attempt.number)

    @display(description=gettext_lazy("amount"), ordering="amount")
    def amount_(self, dispute: Dispute) -> str:
        return money(dispute.amount, dispute.attempt.currency)

    @display(description=gettext_lazy("evidence due on"), ordering="evidence_due_on")
    def evidence(self, dispute: Dispute) -> str:
        due = dispute.evidence_due_on
        if due is None:
            return ""
        is_near = dispute.status == DisputeStatus.OPEN and due <= timezone.localdate() + disputes.NEAR
        return format_html('<span class="{}">{}</span>', "weft-bad" if is_near else "", due.isoformat())

    @display(description=gettext_lazy("status"), ordering="status")
    def state(self, dispute: Dispute) -> str:
        return admin_page.dispute_badge(dispute)

    def offers(self, action: str, obj: Dispute) -> bool:
        return obj.status == DisputeStatus.OPEN

    @action(description=gettext_lazy("Close the dispute"), url_path="close", icon="gavel", permissions=[SETTLE],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = self.wanted(request, object_id)
        explain = [_("Lost: the amount is booked as gone, and cannot be given back once more. Otherwise nothing moves, "
                     "and refunds are possible again.")]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            status = DisputeStatus(data["status"])
            disputes.close(dispute.pk, status, data["note"], actor=actor(request))
            return _("The dispute is closed: %(status)s.") % {"status": status.label}

        return self.page(request, "close", dispute, do, form=admin_forms.Ended, explain=explain,
                         title=_("Close the dispute"), button=_("Close the dispute"))  # fmt: skip
