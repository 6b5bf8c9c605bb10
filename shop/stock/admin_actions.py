"""What staff do to stock of warehouses that are ours: receive, count, correct, write off. Pages of their own.

Large changes are not written but proposed: `approvals`. What only changes its place: `admin_moves`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant

from integrations.hub.desk.admin_pages import Refused, StaffAdmin, act, actor
from shop.pricing.templatetags.prices import money
from shop.stock import admin_forms, approvals, movements
from shop.stock.admin_links import document_name
from shop.stock.approvals import Person, Wish
from shop.stock.models import Kind, Pool, Proposal, Reason, Warehouse
from shop.stock.movements import Move, NotOurs, NotThere
from shop.stock.pending import CountWaits
from shop.stock.proposal_models import Change

ADJUST = ["stock.adjust_stock"]


class StockActions(StaffAdmin):
    """The actions of the stock board, and of one SKU's page where units come and go."""

    actions_list = ("receive_sku",)
    actions_detail: tuple[Any, ...] = ("receive", "count", "correct", "write_off")

    @action(description=gettext_lazy("Receive goods"), url_path="receive", icon="input", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def receive_sku(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return act(self, request, None, lambda data: _received(request, data["sku"], data), form=admin_forms.Receipt,
                   title=_("Receive goods"), button=_("Received"))  # fmt: skip

    @action(description=gettext_lazy("Receive goods"), url_path="receive", icon="input", permissions=ADJUST,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        return act(self, request, pool, lambda data: _received(request, pool.sku, data), form=admin_forms.Adjustment,
                   title=_("Receive goods"), button=_("Received"))  # fmt: skip

    @action(description=gettext_lazy("Count"), url_path="count", icon="checklist", permissions=ADJUST)
    def count(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [_("Say what is on the shelf, reserved goods included. The difference becomes a movement.")]
        return act(self, request, pool, lambda data: _counted(request, pool, data), form=admin_forms.Found,
                   explain=[*explain, *limits()], title=_("Count"), button=_("Counted"))  # fmt: skip

    @action(description=gettext_lazy("Correct"), url_path="correct", icon="exposure", permissions=ADJUST)
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [_("The figure changes by these units, up or down, with the reason. To set it, count instead.")]
        return act(self, request, pool, lambda data: _corrected(request, pool, data), form=admin_forms.Correction,
                   explain=[*explain, *limits()], title=_("Correct the figure"), button=_("Correct"))  # fmt: skip

    @action(description=gettext_lazy("Write off"), url_path="write-off", icon="delete_forever", permissions=ADJUST)
    def write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [
            _("For what is beyond saving, on the shelf or set aside as damaged: the units leave the figures for good."),
            _("Where more is promised than is left, a shortage is opened."),
            *limits(),
        ]
        form = admin_forms.out_of(admin_forms.holding(pool), Kind.DAMAGED)
        return act(self, request, pool, lambda data: _written_off(request, pool, data), form=form, explain=explain,
                   title=_("Write off"), button=_("Write off"), danger=True)  # fmt: skip


def limits() -> list[str]:
    """From when on a second person is needed."""
    units, value = settings.WEFT_APPROVE_UNITS, settings.WEFT_APPROVE_VALUE
    if not units and not value:
        return []
    if not value:
        return [_("More than %(units)d units wait for a second person's approval.") % {"units": units}]
    worth = money(value, settings.OSCAR_DEFAULT_CURRENCY)
    if not units:
        return [_("Goods worth more than %(value)s wait for a second person's approval.") % {"value": worth}]
    words = _("More than %(units)d units, or goods worth more than %(value)s, wait for a second person's approval.")
    return [words % {"units": units, "value": worth}]


def person(request: HttpRequest) -> Person:
    """Who asks, as the services want to know it."""
    user: Any = request.user
    return Person(user.pk, actor(request))


def _received(request: HttpRequest, sku: str, data: dict[str, Any]) -> str:
    warehouse, units = data["warehouse"], data["quantity"]
    move = Move(sku, warehouse.pk, units, Reason.RECEIPT, actor=actor(request), note=data["note"])
    in_one([warehouse], lambda: movements.by_staff([move]))
    return moved(sku, warehouse, units)


def _counted(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    warehouse = data["warehouse"]
    counted = in_one(
        [warehouse],
        lambda: approvals.count(pool.sku, warehouse.pk, data["quantity"], person(request), data["note"]),
    )
    if counted.proposal:
        return proposed(counted.proposal)
    if not counted.difference:
        return _("The count agrees: nothing to change.")
    return _("Counted: %(difference)s") % {"difference": f"{counted.difference:+d}"}


def _corrected(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    sign, reason = admin_forms.CORRECTIONS[data["what"]]
    return adjusted(request, pool, data, Wish(pool.sku, data["warehouse"].pk, sign * data["quantity"],
                                              Change(reason), data["note"]))  # fmt: skip


def _written_off(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    wish = Wish(pool.sku, data["warehouse"].pk, -data["quantity"], Change.DAMAGE, data["note"])
    return adjusted(request, pool, data, wish)


def adjusted(request: HttpRequest, pool: Pool, data: dict[str, Any], wish: Wish) -> str:
    """Write or propose it; returns what to say."""
    proposal = in_one([data["warehouse"]], lambda: approvals.adjust(wish, person(request)))
    return proposed(proposal) if proposal else moved(pool.sku, data["warehouse"], wish.quantity)


def moved(sku: str, warehouse: Warehouse, units: int) -> str:
    return _("%(sku)s at %(warehouse)s: %(units)s") % {"sku": sku, "warehouse": warehouse, "units": f"{units:+d}"}


def proposed(proposal: Proposal) -> str:
    words = _("Too large for one person: it waits as #%(number)d for somebody who may approve it. Nothing has moved.")
    return words % {"number": proposal.pk}


def in_one(places: list[Warehouse], service: Callable[[], Any]) -> Any:
    """One business transaction; what it refuses in the words of the page. `places`: from where, and where to."""
    try:
        with transaction.atomic(durable=True):
            return service()
    except NotOurs:
        owned = next(place for place in places if place.erp_account_id)
        raise Refused(not_ours(owned)) from None
    except NotThere:
        words = _("Fewer than 0 would be on hand at %(warehouse)s. Count it first. Nothing was changed.")
        raise Refused(words % {"warehouse": places[0]}) from None
    except CountWaits as waits:
        words = _("A count of it waits for a decision already: %(document)s. Decide that first. Nothing was changed.")
        raise Refused(words % {"document": document_name(waits.document)}) from None


def not_ours(warehouse: Warehouse) -> str:
    return _(
        "%(account)s owns the figures of %(warehouse)s. Change them there; Weft reads them back within minutes. "
        "Nothing was changed."
    ) % {"account": warehouse.erp_account, "warehouse": warehouse}
