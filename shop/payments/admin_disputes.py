"""Disputes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub.desk.admin_pages import actor
from integrations.hub.files import exports
from shop.payments import admin_forms, admin_page, disputes, finding
from shop.payments.admin_base import SETTLE, PaymentsAdmin, StateFilter, order_link
from shop.payments.models import (
    Dispute,
    DisputeStatus,
)
from shop.pricing.templatetags.prices import money
from shop.said import who


class DisputeFilter(StateFilter):
    states = (
        ("open", gettext_lazy("open"), lambda: Q(status=DisputeStatus.OPEN)),
        ("urgent", gettext_lazy("evidence due soon"), lambda: Q(pk__in=disputes.urgent().order_by().values("pk"))),
    )


@admin.register(Dispute)
class DisputeAdmin(PaymentsAdmin):
    list_display = ("opened_on", "order_and_payment", "amount_", "evidence", "reason", "state", "note")
    list_filter = (DisputeFilter, "status", "opened_on")
    list_select_related = ("attempt__order", "attempt__account")
    search_fields = ("attempt__number",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Our number, the provider's number, or the order's")
    change_form_before_template = "admin/payments/dispute/detail.html"
    actions_detail = ("move_evidence", "close")
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
        return Dispute.objects.filter(attempt__in=finding.attempts(text))

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

    @display(description=gettext_lazy("order"), ordering="attempt__order__number")
    def order_and_payment(self, dispute: Dispute) -> str:
        return format_html('{}<span class="weft-second">{}</span>', self.order_(dispute), self.payment_(dispute))

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

    @action(description=gettext_lazy("Move the evidence date"), url_path="evidence", icon="event", permissions=[SETTLE])
    def move_evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = self.wanted(request, object_id)
        explain = [_("The day until which the provider takes evidence, as it says by now.")]

        def do(data: dict[str, Any]) -> str:
            disputes.move_evidence(dispute.pk, data["due_on"], actor=actor(request))
            return _("Evidence is due on %(day)s.") % {"day": data["due_on"].isoformat()}

        return self.page(request, "move_evidence", dispute, do, explain=explain,
                         form=admin_forms.evidence_form(dispute), title=_("Move the evidence date"),
                         button=_("Move the evidence date"))  # fmt: skip

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
