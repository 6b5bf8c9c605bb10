"""Large changes of stock that wait for a second person, and what became of earlier ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, badge, too_late
from integrations.hub.files import exports
from shop.pricing.templatetags.prices import money
from shop.said import who
from shop.stock import approvals, finding
from shop.stock.admin_actions import not_ours, person
from shop.stock.admin_ledgers import PlaceFilter, SkuFilter
from shop.stock.admin_links import pool_link, rows_link
from shop.stock.models import Level, Pool, Proposal
from shop.stock.movements import NotOurs, NotThere
from shop.stock.proposal_models import Decision

APPROVE = [approvals.RIGHT]
COLOURS = {Decision.WAITING: "warning", Decision.APPROVED: "success", Decision.REFUSED: ""}
NAMED = 8  # people who may approve


class Yes(Confirm):
    answer = forms.CharField(
        label=gettext_lazy("Note"), max_length=255, required=False, widget=UnfoldAdminTextInputWidget()
    )


class No(Confirm):
    answer = forms.CharField(label=gettext_lazy("Why"), max_length=255, widget=UnfoldAdminTextInputWidget())


@admin.register(Proposal)
class ProposalAdmin(ViewOnlyAdmin):
    list_display = ("proposed_at", "sku", "place", "change", "signed", "worth", "by", "note", "shown_state", "decider_")
    list_filter = (SkuFilter, "state", "change", ("warehouse", PlaceFilter), "proposed_at")
    list_select_related = ("warehouse",)
    search_fields = ("=pool__sku",)
    search_help_text = gettext_lazy("SKU")
    draws_itself = True
    change_form_before_template = "admin/stock/proposal/detail.html"
    actions_detail = ("approve", "refuse")
    exported = (
        exports.time(gettext_lazy("proposed at"), lambda row: row.proposed_at),
        exports.text(gettext_lazy("SKU"), lambda row: row.pool_id),
        exports.text(gettext_lazy("warehouse"), lambda row: str(row.warehouse)),
        exports.text(gettext_lazy("what"), lambda row: row.get_change_display()),
        exports.text(gettext_lazy("quantity"), lambda row: row.quantity),
        exports.text(gettext_lazy("value"), lambda row: row.value),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("proposed by"), lambda row: who(row.proposed_by)),
        exports.text(gettext_lazy("note"), lambda row: row.note),
        exports.text(gettext_lazy("state"), lambda row: row.get_state_display()),
        exports.text(gettext_lazy("decided by"), lambda row: who(row.decided_by)),
        exports.time(gettext_lazy("decided at"), lambda row: row.decided_at),
        exports.text(gettext_lazy("answer"), lambda row: row.answer),
    )

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, proposal: Proposal) -> str:
        return pool_link(proposal.pool_id)

    @display(description=gettext_lazy("warehouse"), ordering="warehouse")
    def place(self, proposal: Proposal) -> str:
        return str(proposal.warehouse)

    @display(description=gettext_lazy("quantity"), ordering="quantity")
    def signed(self, proposal: Proposal) -> str:
        return f"{proposal.quantity:+d}"

    @display(description=gettext_lazy("value"), ordering="value")
    def worth(self, proposal: Proposal) -> str:
        return money(proposal.value, proposal.currency) if proposal.value is not None else ""

    @display(description=gettext_lazy("proposed by"), ordering="proposed_by")
    def by(self, proposal: Proposal) -> str:
        return who(proposal.proposed_by)

    @display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, proposal: Proposal) -> str:
        return state_badge(proposal)

    @display(description=gettext_lazy("decided by"), ordering="decided_by")
    def decider_(self, proposal: Proposal) -> str:
        return who(proposal.decided_by)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        proposal = self.get_object(request, unquote(object_id))
        shown = page(request, proposal) if proposal else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})

    # --- deciding ---

    def offers(self, action: str, obj: Proposal) -> bool:
        return obj.state == Decision.WAITING

    @action(description=gettext_lazy("Approve"), url_path="approve", icon="check", permissions=APPROVE,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal = self.wanted(request, object_id)
        explain = [told(proposal), _("It is written now, with both names.")]
        return self._page(request, proposal, lambda data: _approve(request, proposal, data["answer"]), form=Yes,
                          explain=explain, title=_("Approve"), button=_("Approve"))  # fmt: skip

    @action(description=gettext_lazy("Refuse"), url_path="refuse", icon="close", permissions=APPROVE)
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal = self.wanted(request, object_id)
        explain = [told(proposal), _("Nothing is written. Who proposed it sees why.")]
        return self._page(request, proposal, lambda data: _refuse(request, proposal, data["answer"]), form=No,
                          explain=explain, title=_("Refuse"), button=_("Refuse"), danger=True)  # fmt: skip

    def _page(
        self, request: HttpRequest, proposal: Proposal, do: Callable[[dict[str, Any]], str], **shown: Any
    ) -> HttpResponse:
        if not self.offers("", proposal):
            return too_late(self, request, proposal)
        return act(self, request, proposal, do, **shown)


def _approve(request: HttpRequest, proposal: Proposal, answer: str) -> str:
    try:
        approvals.approve(proposal.pk, person(request), answer)
    except NotOurs:
        raise Refused(not_ours(proposal.warehouse)) from None
    except NotThere:
        words = _("By now fewer than 0 would be on hand at %(warehouse)s: %(now)d are there. It still waits; nothing "
                  "was changed. Have it counted again and refuse this one.")  # fmt: skip
        raise Refused(words % {"warehouse": proposal.warehouse, "now": _now(proposal)}) from None
    except (approvals.Decided, approvals.OwnWork) as refusal:
        raise Refused(str(_REFUSALS[type(refusal)]), final=True) from None
    return _("Approved and written: %(what)s") % {"what": told(proposal)}


def _refuse(request: HttpRequest, proposal: Proposal, answer: str) -> str:
    try:
        approvals.refuse(proposal.pk, person(request), answer)
    except (approvals.Decided, approvals.OwnWork) as refusal:
        raise Refused(str(_REFUSALS[type(refusal)]), final=True) from None
    return _("Refused: %(why)s") % {"why": answer}


_REFUSALS: dict[type[Exception], Any] = {
    approvals.Decided: gettext_lazy("Somebody has decided about it already. Nothing was changed."),
    approvals.OwnWork: gettext_lazy("You proposed it yourself: somebody else has to decide. Nothing was changed."),
}


def told(proposal: Proposal) -> str:
    """What it would do, in one line."""
    words = _("%(what)s: %(units)s × %(sku)s at %(warehouse)s") % {
        "what": proposal.get_change_display(), "units": f"{proposal.quantity:+d}", "sku": proposal.pool_id,
        "warehouse": proposal.warehouse,
    }  # fmt: skip
    return f"{words} → {proposal.destination}" if proposal.destination else words


def state_badge(proposal: Proposal) -> str:
    return badge(proposal.get_state_display(), COLOURS[Decision(proposal.state)])


def _now(proposal: Proposal) -> int:
    found = Level.objects.filter(pool=proposal.pool_id, warehouse=proposal.warehouse_id).first()
    return found.on_hand if found else 0


def page(request: HttpRequest, proposal: Proposal) -> dict[str, Any]:
    """What the template of a proposal's page shows."""
    waits = proposal.state == Decision.WAITING
    others = approvals.may_approve().exclude(pk=proposal.proposer_id)[:NAMED] if waits else []
    title = Pool.objects.filter(sku=proposal.pool_id).annotate(title=finding.titles()).values_list("title", flat=True)
    return {
        "proposal": proposal,
        "sku": pool_link(proposal.pool_id),
        "title": title[0],
        "signed": f"{proposal.quantity:+d}",
        "state": state_badge(proposal),
        "value": money(proposal.value, proposal.currency) if proposal.value is not None else "–",
        "now": rows_link("movement", _now(proposal), sku=proposal.pool_id, warehouse__id__exact=proposal.warehouse_id),
        "proposed_by": who(proposal.proposed_by),
        "decided_by": who(proposal.decided_by),
        "waits": waits,
        "own": proposal.proposer_id == request.user.pk,
        "others": [str(user) for user in others],
        "moved": _moved(proposal),
    }


def _moved(proposal: Proposal) -> str:
    """A link to its movements, once there are some."""
    approved = proposal.state == Decision.APPROVED
    return rows_link("movement", _("its movements"), q=proposal.document) if approved else ""
