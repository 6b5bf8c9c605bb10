"""Payments and their movements: lists to look things up, and what can be done about a payment that needs review."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub import said
from integrations.hub.desk.admin_pages import Refused, ViewOnlyAdmin, actor
from integrations.hub.files import exports
from shop.payments import admin_forms, admin_page, aftercare, disputes, finding, flow, watching
from shop.payments.admin_base import REFUND, SETTLE, PaymentsAdmin, StateFilter, order_link
from shop.payments.models import (
    OPEN_REVIEW,
    Attempt,
    Entry,
    Refund,
    RefundPart,
)
from shop.pricing.templatetags.prices import money


class ReviewFilter(StateFilter):
    states = (
        ("review", gettext_lazy("needs review"), lambda: OPEN_REVIEW),
        ("reviewed", gettext_lazy("reviewed"), lambda: Q(reviewed_at__isnull=False)),
        ("untold", gettext_lazy("order not told yet"), lambda: Q(advance_at__isnull=False)),
        ("on_its_way", gettext_lazy("money on its way back"), lambda: Q(refund_pending__gt=0)),
    )


@admin.register(Attempt)
class AttemptAdmin(PaymentsAdmin):
    list_display = ("number", "order_", "account_", "created", "total_", "captured_", "state")
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
        return finding.attempts(text)

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

    @display(description=gettext_lazy("account"), ordering="account")
    def account_(self, attempt: Attempt) -> str:
        return format_html('{}<code class="weft-second">{}</code>', attempt.account, attempt.method)

    @display(description=gettext_lazy("created at"), ordering="created_at")
    def created(self, attempt: Attempt) -> str:
        return date_format(timezone.localtime(attempt.created_at), "m-d H:i")

    @display(description=gettext_lazy("total"), ordering="total")
    def total_(self, attempt: Attempt) -> str:
        return money(attempt.total, attempt.currency)

    @display(description=gettext_lazy("paid"), ordering="captured")
    def captured_(self, attempt: Attempt) -> str:
        if not attempt.captured:
            return ""
        paid = money(attempt.captured, attempt.currency)
        if not attempt.refunded:
            return paid
        back = _("given back: %(amount)s") % {"amount": money(attempt.refunded, attempt.currency)}
        return format_html('{}<span class="weft-second">{}</span>', paid, back)

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

    list_display = ("at", "order_", "payment_", "kind", "amount_", "source_")
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
        of_attempts = finding.attempts(text)
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
