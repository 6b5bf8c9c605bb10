"""Our orders and customers as whole ERP documents. Set-based: a handful of queries for any number of orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from decimal import Decimal

from django.db.models import Prefetch

from erp.base import Customer, OrderLine, SalesOrder, Target
from integrations.hub.values import Address
from shop.fulfilment.models import Sourcing
from shop.order.models import Line, LineKind, Order, ShippingAddress, Status
from shop.pricing.money import spread
from shop.stock.models import Waiting

SHIPPING_SKU = "SHIPPING"
RELEASED = (Status.PAID, Status.ON_ACCOUNT, Status.PARTLY_SHIPPED, Status.SHIPPED)


def orders(numbers: Collection[str]) -> dict[str, Order]:
    """The orders with all that a document needs, in six queries."""
    lines = Line.objects.order_by("pk").prefetch_related(
        Prefetch("sourcings", Sourcing.objects.select_related("warehouse").order_by("warehouse__priority", "pk")),
        Prefetch("waiting", Waiting.objects.select_related("presale__supply__warehouse").order_by("pk")),
    )
    found = (
        Order.objects.filter(number__in=list(numbers))
        .select_related("user", "shipping_address")
        .prefetch_related(Prefetch("lines", lines))
    )
    return {order.number: order for order in found}


def target(order: Order) -> Target:
    """What the ERP should make of it: everything that is not released (any more) is to be cancelled.

    So is the rest of an order of which a part had left before it was cancelled.
    """
    if order.status == Status.PARTLY_SHIPPED and order.needs_return:
        return Target.CANCELLED
    return Target.CONFIRMED if order.status in RELEASED else Target.CANCELLED


def customer_key(order: Order) -> str:
    """Accounts are one customer for ever; a guest is a customer of their own for each order."""
    return f"user:{order.user_id}" if order.user_id else f"guest:{order.number}"


def customer(order: Order) -> Customer:
    """The customer as this order shows them."""
    address = address_of(order.shipping_address)
    user = order.user
    return Customer(
        key=customer_key(order),
        name=(user.name if user else "") or (address.name if address else "") or order.email or order.number,
        email=order.email,
        phone=(user.phone if user else "") or (address.phone if address else ""),
        language=order.language,
        address=address,
    )


def address_of(row: ShippingAddress | None) -> Address | None:
    """Our address columns as an address: line1-2 street, line3 district, line4 city."""
    if row is None:
        return None
    return Address(
        name=row.first_name or row.last_name,
        lines=tuple(filter(None, (row.line1, row.line2))),
        district=row.line3,
        city=row.line4,
        region=row.state,
        postcode=row.postcode or "",
        country=row.country_id,
        phone=str(row.phone_number or ""),
    )


def sales_order(order: Order) -> SalesOrder:
    """The whole order. A line that leaves from several warehouses is one document line for each."""
    address = address_of(order.shipping_address)
    if address is None:
        raise ValueError(f"order {order.number} has no address")
    lines = [part for line in order.lines.all() for part in _parts(line, order.currency)]
    return SalesOrder(
        number=order.number,
        target=target(order),
        placed_at=order.date_placed,
        customer=customer(order),
        ship_to=address,
        bill_to=address,
        currency=order.currency,
        lines=(*lines, *_shipping(order)),
        net=order.total_excl_tax,
        tax=order.total_incl_tax - order.total_excl_tax,
        gross=order.total_incl_tax,
        payment_method=order.payment_method,
        note=order.note,
    )


def _parts(line: Line, currency: str) -> Iterable[OrderLine]:
    """A line by warehouse. Gross and net are each spread over the parts by quantity, so that they still add up.

    Shipping and fee lines have none; the ERP gets them as the service it sells shipping under.
    """
    is_goods = line.kind == LineKind.GOODS
    sources = _sources(line)
    weights = [Decimal(quantity) for _, quantity in sources]
    grosses = spread(line.line_price_incl_tax, weights, currency)
    nets = spread(line.line_price_excl_tax, weights, currency)
    for (warehouse, quantity), gross, net in zip(sources, grosses, nets, strict=True):
        yield OrderLine(
            key=f"{line.pk}:{warehouse}",
            kind="goods" if is_goods else "shipping",
            sku=line.partner_sku if is_goods else SHIPPING_SKU,
            name=line.title,
            quantity=quantity,
            net=net,
            tax=gross - net,
            gross=gross,
            tax_code=line.tax_code or "",
            tax_rate=line.tax_rate,
            warehouse=warehouse,
        )


def _sources(line: Line) -> list[tuple[str, int]]:
    """Units by warehouse. What is still to come leaves from where it is to arrive, before and after it has."""
    units: Counter[str] = Counter()
    for source in line.sourcings.all():
        units[source.warehouse.code] += source.quantity
    for waiting in line.waiting.all():
        units[waiting.presale.supply.warehouse.code] += waiting.open + waiting.shipped
    return [(code, count) for code, count in units.items() if count] or [("", line.quantity)]


def _shipping(order: Order) -> Iterable[OrderLine]:
    if not order.shipping_incl_tax:
        return
    yield OrderLine(
        key="shipping",
        kind="shipping",
        sku=SHIPPING_SKU,
        name=order.shipping_method,
        quantity=1,
        net=order.shipping_excl_tax,
        tax=order.shipping_incl_tax - order.shipping_excl_tax,
        gross=order.shipping_incl_tax,
        tax_code=order.shipping_tax_code or "",
        tax_rate=order.shipping_tax_rate,
        warehouse="",
    )
