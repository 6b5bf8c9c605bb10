"""What staff do to goods that stay ours and only change their place: set aside, hold, release, move."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from integrations.hub.desk.admin_pages import act, actor
from shop.stock import admin_forms, approvals, places
from shop.stock.admin_actions import ADJUST, StockActions, in_one, limits, person, proposed
from shop.stock.approvals import Wish
from shop.stock.models import SET_APART, Kind, Pool, Proposal, Warehouse
from shop.stock.proposal_models import Change

NOT_DAMAGED = [kind for kind in Kind.values if kind != Kind.DAMAGED]
NOT_APART = [kind for kind in Kind.values if kind not in SET_APART]


class PlaceActions(StockActions):
    """The actions of one SKU's page."""

    actions_detail = (
        *StockActions.actions_detail,
        {
            "title": gettext_lazy("Change place"),
            "icon": "move_down",
            "items": ["set_aside", "hold", "release", "move"],
        },
    )

    def offers(self, action: str, obj: Pool) -> bool:
        """The levels are read with the SKU."""
        there = {level.warehouse.kind for level in obj.levels.all() if level.on_hand > 0}
        return Kind.QUALITY in there if action == "release" else super().offers(action, obj)

    @action(description=gettext_lazy("Set aside as damaged"), url_path="set-aside", icon="broken_image",
            permissions=ADJUST)  # fmt: skip
    def set_aside(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [
            _("Damaged goods stay in their warehouse's figures, but cannot be sold: they go to a place of their own."),
            _("Where more is promised than is left, a shortage is opened."),
            *limits(),
        ]
        form = admin_forms.out_of(admin_forms.holding(pool, *NOT_DAMAGED))
        return act(self, request, pool, lambda data: _set_aside(request, pool, data), form=form, explain=explain,
                   title=_("Set aside as damaged"), button=_("Set aside"))  # fmt: skip

    @action(description=gettext_lazy("Quality hold"), url_path="quality-hold", icon="front_hand", permissions=ADJUST)
    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [
            _("Goods that have to be looked at first: they cannot be sold until they are released."),
            _("Where more is promised than is left, a shortage is opened."),
        ]
        form = admin_forms.out_of(admin_forms.holding(pool, *NOT_APART))
        return act(self, request, pool, lambda data: _held(request, pool, data), form=form, explain=explain,
                   title=_("Put on quality hold"), button=_("Put on hold"))  # fmt: skip

    @action(description=gettext_lazy("Release from quality hold"), url_path="release", icon="verified",
            permissions=ADJUST)  # fmt: skip
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [_("The goods are good: they go back on the shelf of their warehouse.")]
        form = admin_forms.out_of(admin_forms.holding(pool, Kind.QUALITY))
        return act(self, request, pool, lambda data: _released(request, pool, data), form=form, explain=explain,
                   title=_("Release from quality hold"), button=_("Release"))  # fmt: skip

    @action(description=gettext_lazy("Move"), url_path="move", icon="move_down", permissions=ADJUST)
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pool = self.wanted(request, object_id)
        explain = [
            _("To another warehouse, or to a place for goods on their way, at a supplier or at a marketplace."),
            _("Where more is promised than is left, a shortage is opened."),
        ]
        return act(self, request, pool, lambda data: _moved(request, pool, data), form=admin_forms.to_another(pool),
                   explain=explain, title=_("Move to another place"), button=_("Move"))  # fmt: skip


def _set_aside(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    source, units = data["warehouse"], data["quantity"]
    made: list[Warehouse] = []

    def do() -> Proposal | None:
        made.append(places.apart(source, Kind.DAMAGED))
        wish = Wish(pool.sku, source.pk, -units, Change.SET_ASIDE, data["note"], destination_id=made[0].pk)
        return approvals.adjust(wish, person(request))

    proposal = in_one([source], do)
    return proposed(proposal) if proposal else _went(pool, units, source, made[0])


def _held(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    source, units = data["warehouse"], data["quantity"]
    to = in_one([source], lambda: places.hold(pool.sku, source, units, actor=actor(request), note=data["note"]))
    return _went(pool, units, source, to)


def _released(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    source, units = data["warehouse"], data["quantity"]
    both = [source, places.home(source)]
    to = in_one(both, lambda: places.release(pool.sku, source, units, actor=actor(request), note=data["note"]))
    return _went(pool, units, source, to)


def _moved(request: HttpRequest, pool: Pool, data: dict[str, Any]) -> str:
    source, to, units = data["warehouse"], data["destination"], data["quantity"]
    said = {"actor": actor(request), "note": data["note"]}
    in_one([source, to], lambda: places.move(pool.sku, source, to, units, **said))
    return _went(pool, units, source, to)


def _went(pool: Pool, units: int, source: Warehouse, to: Warehouse) -> str:
    return _("%(units)d × %(sku)s: %(source)s → %(to)s") % {
        "units": units, "sku": pool.sku, "source": source, "to": to,
    }  # fmt: skip
