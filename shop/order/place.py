"""Placing an order: the only writer of orders, for checkout, intake, API and replay. All or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation
from oscar.apps.order.signals import order_placed as oscar_order_placed

from integrations.hub import outgoing
from integrations.hub.values import Address
from shop import wiring
from shop.basket.models import Basket
from shop.fulfilment.shipping import record_history
from shop.order import kits
from shop.order.drafts import DraftLine as DraftLine
from shop.order.models import LineKind, Order, OrderStatusChange, PaymentMethod, ShippingAddress, Status
from shop.pricing.money import ZERO, exact, spread
from shop.pricing.tax import Taxed, split
from shop.stock import escrow, holds

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U


class CannotPlace(Exception):
    """The order cannot be placed as it stands; the message says what to do. Nothing was written."""


class BasketChanged(CannotPlace):
    """The basket was ordered already, or changed in another window."""


@dataclass(frozen=True, slots=True)
class SoldOn:
    """A channel (its id) that sold this already, at `at` by its clock, which may differ from ours by `skew`."""

    channel_id: int
    at: datetime
    skew: timedelta


@dataclass(frozen=True, slots=True)
class Draft:
    """An order about to be placed. `basket_id` is submitted with it. `email` or `user_id` says whose it is.

    A line of a kit's SKU is written as lines of its parts (`kits.explode`); it may have been exploded before.

    `order_discount` comes off the whole and is spread over the lines by the largest remainder, before tax.

    `shipped_from`, a warehouse's id, makes it history: paid, shipped from there and closed on the day it was placed.
    Such an order takes its goods off stock as any other, but nobody is told: no mail, no deadline, no outgoing work.

    `sold_on` makes it a channel's: sold and paid there, so its goods are held whatever is there.
    """

    currency: str
    lines: tuple[DraftLine, ...]
    ship_to: Address
    payment_method: PaymentMethod
    language: str
    email: str = ""
    user_id: int | None = None
    basket_id: int | None = None
    note: str = ""
    shipping_code: str = ""
    shipping_name: str = ""
    shipping_gross: Decimal = ZERO
    shipping_tax_code: str = ""
    shipping_tax_rate: Decimal = ZERO
    order_discount: Decimal = ZERO
    source_account: str = "web"
    external_number: str = ""
    buyer_reference: str = ""
    shipped_from: int | None = None
    sold_on: SoldOn | None = None
    placed_at: datetime | None = None
    is_test: bool = False


def new_number(at: datetime) -> str:
    """Date plus 40 random bits: unguessable, never reused, e.g. W20261122-7Q2M9K4D."""
    tail = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"W{timezone.localtime(at):%Y%m%d}-{tail}"


def place(draft: Draft, also: Callable[[Order], None] | None = None) -> Order:
    """Write the order with its lines, holds, audit and outgoing work, in one transaction of its own.

    `also(order)` runs inside it, for what must commit with the order (the use of an offer, say).

    Raises OutOfStock (naming SKUs and what is left), BasketChanged, TooFine or CannotPlace; then nothing is written.
    """
    _check(draft)
    at = draft.placed_at or timezone.now()
    with outgoing.recording():
        _submit_basket(draft)
        draft = _exploded(draft)
        taxed = _taxed(draft)
        order = _write_order(draft, taxed, at)
        lines = _write_lines(order, draft, taxed)
        _write_audit(order, draft)
        if also is not None:
            also(order)
        if not order.is_historical:
            _tell(order)
        goods = [line for line in lines if line.kind == LineKind.GOODS]
        _promise(draft, goods, order.payment_deadline)
        if order.status in (Status.ON_ACCOUNT, Status.PAID):
            wiring.order_released(order)  # what is not here yet is sourced when it is
        if draft.shipped_from is not None:
            record_history(order, goods, warehouse_id=draft.shipped_from)
    return order


def _promise(draft: Draft, goods: Sequence[WrittenLine], deadline: datetime | None) -> None:
    if sold := draft.sold_on:
        escrow.sold(goods, channel_id=sold.channel_id, at=sold.at, skew=sold.skew)
    else:
        holds.promise(goods, deadline=deadline)


def _tell(order: Order) -> None:
    wiring.order_placed(order)
    transaction.on_commit(lambda: _tell_oscar(order), robust=True)


def _check(draft: Draft) -> None:
    """Refuse what makes no sense, and amounts finer than the currency (TooFine)."""
    if not draft.lines:
        raise CannotPlace("The basket is empty.")
    for line in draft.lines:
        exact(line.unit_gross, draft.currency)
        if line.quantity <= 0:
            raise CannotPlace(f"{line.sku}: the quantity must be at least 1.")
        if not ZERO <= exact(line.discount, draft.currency) <= line.gross:
            raise CannotPlace(f"{line.sku}: the discount must lie between 0 and the price.")
    goods = sum((line.gross - line.discount for line in draft.lines), ZERO)
    if not ZERO <= exact(draft.order_discount, draft.currency) <= goods:
        raise CannotPlace("The discount must lie between 0 and the price of the goods.")
    if exact(draft.shipping_gross, draft.currency) < ZERO:
        raise CannotPlace("Shipping cannot cost less than 0.")


def _write_audit(order: Order, draft: Draft) -> None:
    """The first move; of history both moves it made, on the day it made them."""
    if not order.is_historical:
        OrderStatusChange.objects.create(order=order, old_status="", new_status=order.status, actor=_actor(draft))
        return
    moves = [("", Status.PAID), (Status.PAID, Status.SHIPPED)]
    OrderStatusChange.objects.bulk_create(
        OrderStatusChange(
            order=order, old_status=old, new_status=new, actor=_actor(draft), date_created=order.date_placed
        )
        for old, new in moves
    )


def _actor(draft: Draft) -> str:
    return f"customer:{draft.user_id}" if draft.user_id else draft.source_account


def _submit_basket(draft: Draft) -> None:
    if draft.basket_id is None:
        return
    basket = Basket.objects.select_for_update().get(pk=draft.basket_id)
    if basket.status != Basket.OPEN:
        raise BasketChanged("This basket was ordered already. Your orders show it.")
    ordered: dict[str, int] = {}
    for sku, quantity in _ordered(draft):
        ordered[sku] = ordered.get(sku, 0) + quantity
    stands: dict[str, int] = {}
    for sku, quantity in basket.lines.values_list("stockrecord__partner_sku", "quantity"):
        stands[sku] = stands.get(sku, 0) + quantity
    if stands != ordered:
        raise BasketChanged("The basket was changed meanwhile. Please look at it again.")
    Basket.objects.filter(pk=basket.pk).update(status=Basket.SUBMITTED, date_submitted=timezone.now())


def _ordered(draft: Draft) -> list[tuple[str, int]]:
    """SKU and number of all that was ordered, a kit as the one thing it is."""
    sold = {line.kit for line in draft.lines if line.kit}
    singles = [(line.sku, line.quantity) for line in draft.lines if not line.kit]
    return [*singles, *((kit.sku, kit.quantity) for kit in sold)]


def _exploded(draft: Draft) -> Draft:
    with translation.override(draft.language):
        return replace(draft, lines=kits.explode(draft.lines, draft.currency))


def _deadline(draft: Draft, at: datetime) -> datetime | None:
    if draft.payment_method == PaymentMethod.BANK_TRANSFER:
        return at + timedelta(hours=settings.WEFT_BANK_TRANSFER_HOURS)
    if draft.payment_method == PaymentMethod.ONLINE:
        return at + timedelta(minutes=settings.WEFT_PAYMENT_MINUTES)
    return None


def _is_settled(draft: Draft, total: Decimal) -> bool:
    """There is nothing to pay, so nobody waits for it."""
    return total == ZERO and draft.payment_method != PaymentMethod.ON_ACCOUNT


def _payment_method(draft: Draft, total: Decimal) -> PaymentMethod:
    """What costs nothing is paid in no way, whatever was chosen; what costs something has to be."""
    if draft.payment_method == PaymentMethod.NOTHING_DUE and total:
        raise CannotPlace("There is something to pay: choose how.")
    if _is_settled(draft, total) and draft.payment_method != PaymentMethod.ELSEWHERE:
        return PaymentMethod.NOTHING_DUE
    return draft.payment_method


def _first_status(draft: Draft, total: Decimal) -> Status:
    if draft.shipped_from is not None:
        return Status.SHIPPED
    if draft.sold_on is not None or _is_settled(draft, total):
        return Status.PAID
    return Status.ON_ACCOUNT if draft.payment_method == PaymentMethod.ON_ACCOUNT else Status.PENDING_PAYMENT


def _taxed(draft: Draft) -> list[Taxed]:
    """Each line's amount after its own and its share of the order's discount."""
    after = [line.gross - line.discount for line in draft.lines]
    shares = spread(draft.order_discount, after, draft.currency)
    return [
        split(amount - share, line.tax_rate, draft.currency)
        for amount, share, line in zip(after, shares, draft.lines, strict=True)
    ]


def _write_order(draft: Draft, taxed: list[Taxed], at: datetime) -> Order:
    shipping = split(draft.shipping_gross, draft.shipping_tax_rate, draft.currency)
    number = new_number(at)
    historical = draft.shipped_from is not None
    total = sum((t.gross for t in taxed), shipping.gross)
    settled = _is_settled(draft, total)
    address = _write_address(draft.ship_to)
    return Order.objects.create(
        number=number,
        source_account=draft.source_account,
        external_number=draft.external_number or number,
        site_id=settings.SITE_ID,
        basket_id=draft.basket_id,
        user_id=draft.user_id,
        guest_email=draft.email,
        currency=draft.currency,
        total_incl_tax=total,
        total_excl_tax=sum((t.net for t in taxed), shipping.net),
        shipping_incl_tax=shipping.gross,
        shipping_excl_tax=shipping.net,
        shipping_tax_code=draft.shipping_tax_code,
        shipping_tax_rate=draft.shipping_tax_rate,
        shipping_code=draft.shipping_code,
        shipping_method=draft.shipping_name,
        shipping_address=address,
        buyer_reference=draft.buyer_reference,
        status=_first_status(draft, total),
        payment_method=_payment_method(draft, total),
        payment_deadline=None if historical or settled else _deadline(draft, at),
        paid_at=at if historical or draft.sold_on or settled else None,
        is_historical=historical,
        language=draft.language,
        note=draft.note,
        date_placed=at,
        is_test=draft.is_test,
    )


def _write_address(address: Address) -> ShippingAddress:
    street = [*address.lines, "", ""]
    row = ShippingAddress(
        first_name=address.name,
        line1=street[0],
        line2=street[1],
        line3=address.district,
        line4=address.city,
        state=address.region,
        postcode=address.postcode,
        country_id=address.country,
        phone_number=address.phone,
    )
    ShippingAddress.objects.bulk_create([row])  # Oscar's save() reads the country for a search text nobody searches
    return row


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line just written: what stock and parcels need of it."""

    pk: int
    partner_sku: str
    quantity: int
    kind: LineKind
    in_kit: bool


# One statement for all lines: an order may have hundreds, and the ORM's own takes ten times as long.
_LINES = """
INSERT INTO order_line (order_id, product_id, stockrecord_id, partner_sku, kind, title, quantity, line_price_incl_tax,
    line_price_excl_tax, line_price_before_discounts_incl_tax, line_price_before_discounts_excl_tax,
    unit_price_incl_tax, unit_price_excl_tax, tax_code, tax_rate,
    kit_number, kit_sku, kit_title, kit_quantity, kit_product_id,
    partner_name, partner_line_reference, partner_line_notes, status)
SELECT %s, product, record, sku, kind, title, quantity, gross, net, gross_before, net_before, unit_gross, unit_net,
    tax_code, tax_rate, kit_number, kit_sku, kit_title, kit_quantity, kit_product, '', '', '', ''
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::int[], %s::numeric[], %s::numeric[],
    %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[], %s::numeric[], %s::smallint[], %s::text[],
    %s::text[], %s::int[], %s::bigint[]) WITH ORDINALITY
    AS u(product, record, sku, kind, title, quantity, gross, net, gross_before, net_before, unit_gross, unit_net,
         tax_code, tax_rate, kit_number, kit_sku, kit_title, kit_quantity, kit_product, place)
ORDER BY place
RETURNING id
"""


def _write_lines(order: Order, draft: Draft, taxed: list[Taxed]) -> list[WrittenLine]:
    """The lines in the draft's order; their ids rise with it."""
    before = [split(line.gross, line.tax_rate, draft.currency) for line in draft.lines]
    units = [split(line.unit_gross, line.tax_rate, draft.currency) for line in draft.lines]
    columns: list[list[Any]] = [
        [line.product_id for line in draft.lines],
        [line.stockrecord_id for line in draft.lines],
        [line.sku for line in draft.lines],
        [str(line.kind) for line in draft.lines],
        [line.title for line in draft.lines],
        [line.quantity for line in draft.lines],
        *_gross_and_net(taxed),
        *_gross_and_net(before),
        *_gross_and_net(units),
        [line.tax_code for line in draft.lines],
        [line.tax_rate for line in draft.lines],
        *_kits(draft.lines),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [order.pk, *columns])
        ids = [row[0] for row in cursor.fetchall()]
    return [
        WrittenLine(pk, line.sku, line.quantity, line.kind, line.kit is not None)
        for pk, line in zip(sorted(ids), draft.lines, strict=True)
    ]


def _kits(lines: Sequence[DraftLine]) -> list[list[Any]]:
    found = [line.kit for line in lines]
    return [
        [kit and kit.number for kit in found],
        [kit.sku if kit else "" for kit in found],
        [kit.title if kit else "" for kit in found],
        [kit and kit.quantity for kit in found],
        [kit and kit.product_id for kit in found],
    ]


def _gross_and_net(amounts: Sequence[Taxed]) -> tuple[list[Decimal], list[Decimal]]:
    return [amount.gross for amount in amounts], [amount.net for amount in amounts]


def _tell_oscar(order: Order) -> None:
    """For third-party Oscar plugins; nothing in Weft listens to it."""
    oscar_order_placed.send(sender=None, order=order, user=order.user)
