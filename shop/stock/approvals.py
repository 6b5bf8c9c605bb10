"""Large changes of stock need two people: one proposes, another decides. Small ones are written at once.

adjust(wish, person)    # the movements, or a Proposal: then nothing has moved
approve(pk, person, …)  # the movements, with both names
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from shop.customer.models import User
from shop.partner.models import StockRecord
from shop.stock import movements, pending, places
from shop.stock.models import Proposal, Reason
from shop.stock.movements import Move, NotThere
from shop.stock.proposal_models import Change, Decision

RIGHT = "stock.approve_stock"
NOTE = 255  # characters of a movement's note


class Decided(Exception):
    """Somebody has decided about it already."""


class OwnWork(Exception):
    """Who proposed or counted it cannot decide about it, whatever rights they have."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who does it: the user's id, and as audit rows name them."""

    pk: int
    actor: str


@dataclass(frozen=True, slots=True)
class Wish:
    """`quantity` signed units of `sku` at `warehouse_id`; to `destination_id` where they only go elsewhere."""

    sku: str
    warehouse_id: int
    quantity: int
    change: Change
    note: str
    destination_id: int | None = None
    found: int | None = None
    figure: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count came to; with a proposal, its difference is not written yet."""

    difference: int
    proposal: Proposal | None = None


def too_large(units: int, values: Mapping[str, Decimal]) -> bool:
    """Does a change of so many units, of this value in each currency, need a second person? 0 as a limit: never."""
    most_units, most_value = settings.WEFT_APPROVE_UNITS, settings.WEFT_APPROVE_VALUE
    by_units = bool(most_units) and abs(units) > most_units
    return by_units or (bool(most_value) and any(abs(value) > most_value for value in values.values()))


def prices(skus: Collection[str]) -> dict[str, tuple[Decimal, str]]:
    """SKU -> its price, tax included, and the currency; without those that have none."""
    records = StockRecord.objects.filter(partner_sku__in=skus, price__isnull=False)
    return {sku: (price, currency) for sku, price, currency in records.values_list(
        "partner_sku", "price", "price_currency")}  # fmt: skip


def waiting() -> QuerySet[Proposal]:
    """What somebody has to decide."""
    return Proposal.objects.filter(state=Decision.WAITING)


def may_approve() -> QuerySet[User]:
    """Staff who have the right."""
    label, _dot, codename = RIGHT.partition(".")
    right = Permission.objects.filter(codename=codename, content_type__app_label=label)
    has = Q(is_superuser=True) | Q(groups__permissions__in=right) | Q(user_permissions__in=right)
    return User.objects.filter(has, is_active=True, is_staff=True).distinct().order_by("email", "pk")


# --- proposing -------------------------------------------------------------------------------------------------------


def adjust(wish: Wish, person: Person) -> Proposal | None:
    """Write the change, or propose it where it is too large for one person. In the caller's transaction.

    Raises NotOurs, NotThere; the transaction must then roll back.
    """
    value = _value(wish)
    if not _too_large(wish, value):
        movements.by_staff(_moves(wish, actor=person.actor, note=wish.note))
        return None
    movements.refuse_owned([wish.warehouse_id])
    if movements.on_hand([wish.sku], wish.warehouse_id)[wish.sku] + wish.quantity < 0:
        raise NotThere(f"Fewer than 0 would be on hand: {wish.sku}.", [wish.sku])
    return _propose(wish, person, value)


def count(sku: str, warehouse_id: int, found: int, person: Person, note: str) -> Counted:
    """A count found `found` units: the difference to the figure at this moment is written, or proposed.

    In the caller's transaction. Raises CountWaits where another count of it is not decided yet, and NotOurs.
    """
    movements.refuse_owned([warehouse_id])
    figure = movements.on_hand([sku], warehouse_id)[sku]
    pending.refuse_another(sku, warehouse_id)
    wish = Wish(sku, warehouse_id, found - figure, Change.COUNT, note, found=found, figure=figure)
    if not _too_large(wish, value := _value(wish)):
        return Counted(movements.count(sku, warehouse_id, found, actor=person.actor, note=note))
    movements.note_counted([sku], warehouse_id)
    return Counted(wish.quantity, _propose(wish, person, value))


def _value(wish: Wish) -> tuple[Decimal, str] | None:
    """The change at the SKU's price, and the currency; None where there is no price."""
    priced = prices([wish.sku]).get(wish.sku)
    return None if priced is None else (priced[0] * wish.quantity, priced[1])


def _too_large(wish: Wish, value: tuple[Decimal, str] | None) -> bool:
    return too_large(wish.quantity, {} if value is None else {value[1]: value[0]})


def _propose(wish: Wish, person: Person, value: tuple[Decimal, str] | None) -> Proposal:
    return Proposal.objects.create(
        pool_id=wish.sku,
        warehouse_id=wish.warehouse_id,
        destination_id=wish.destination_id,
        change=wish.change,
        quantity=wish.quantity,
        found=wish.found,
        figure=wish.figure,
        value=value[0] if value else None,
        currency=value[1] if value else "",
        note=wish.note,
        proposer_id=person.pk,
        proposed_by=person.actor,
    )


def _moves(wish: Wish | Proposal, *, actor: str, note: str, document: str = "") -> list[Move]:
    sku = wish.sku if isinstance(wish, Wish) else wish.pool_id
    reason, note = Reason(wish.change), note[:NOTE]
    if wish.destination_id is None:
        return [Move(sku, wish.warehouse_id, wish.quantity, reason, document, actor, note)]
    return places.moves(sku, wish.warehouse_id, wish.destination_id, -wish.quantity, reason,
                        actor=actor, note=note, document=document)  # fmt: skip


# --- deciding --------------------------------------------------------------------------------------------------------


def approve(pk: int, person: Person, answer: str = "") -> Proposal:
    """Write the proposed movements, in a transaction of its own. Locks: the proposal, then pools and levels.

    Raises Decided, OwnWork, NotOurs, and NotThere where by now fewer than 0 would be on hand: then it still waits.
    """
    with transaction.atomic(durable=True):
        proposal = _decide(pk, person, Decision.APPROVED, answer)
        note = f"{name(proposal.proposed_by)}: {proposal.note}"
        movements.by_staff(_moves(proposal, actor=person.actor, note=note, document=proposal.document))
    return proposal


def refuse(pk: int, person: Person, answer: str) -> Proposal:
    """Nothing is written. Raises Decided, OwnWork."""
    with transaction.atomic(durable=True):
        return _decide(pk, person, Decision.REFUSED, answer)


def _decide(pk: int, person: Person, state: Decision, answer: str) -> Proposal:
    proposal = Proposal.objects.select_for_update().get(pk=pk)
    if proposal.state != Decision.WAITING:
        raise Decided
    if proposal.proposer_id == person.pk:
        raise OwnWork
    said: dict[str, Any] = {"state": state, "answer": answer, "decider_id": person.pk, "decided_by": person.actor}
    for field, value in said.items():
        setattr(proposal, field, value)
    proposal.decided_at = timezone.now()
    proposal.save()
    return proposal


def name(actor: str) -> str:
    """A person as a note names them, in any language."""
    return actor.removeprefix("staff:")
