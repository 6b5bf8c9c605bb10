"""A request for an order, checked, priced and placed: once for each Idempotency-Key, whatever is lost or repeated.

While a request is worked on, its key is locked on the database connection; the lock goes with the connection, so a
killed process leaves none behind. The key is written in the order's own transaction: there is never an order without
its key, nor a key without its order. What was refused leaves nothing, and the key is free again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models.functions import Upper
from django.utils.translation import gettext as _
from django.utils.translation import override

from shop.api.models import Client, PlacedRequest
from shop.api.problems import Problem, pointed
from shop.api.wanted import Wanted
from shop.customer import addresses
from shop.order import kits
from shop.order.models import Order, PaymentMethod
from shop.order.place import CannotPlace, Draft, DraftLine, place
from shop.partner.models import StockRecord
from shop.partner.strategy import Strategy
from shop.payments import starting
from shop.pricing.money import ZERO, TooFine
from shop.shipping.repository import Repository
from shop.stock.holds import OutOfStock

KEY_PATTERN = r"^[!-~]{1,255}$"

OF_PRODUCT = ("parent", "is_public", *(f"title_{code.replace('-', '_')}" for code, _name in settings.LANGUAGES))
READ = [
    f"product__{prefix}{name}"
    for prefix in ("", "parent__")
    for name in (*OF_PRODUCT, "tax_class__code", "tax_class__rate")
]


@dataclass(frozen=True, slots=True)
class Placed:
    """`is_replayed`: by an earlier request with this key."""

    order: Order
    is_replayed: bool


def place_once(client: Client, key: str | None, body: Any) -> Placed:
    """The order of this key: placed now, or by an earlier request. Raises Problem; then nothing was written."""
    if not key or not re.match(KEY_PATTERN, key):
        said = _("The header Idempotency-Key is needed: 1 to 255 visible characters, new for each order.")
        raise Problem("invalid-request", said, errors=[{"pointer": "", "detail": said}])
    wanted = _fingerprint(body)
    with _only_one(f"{client.pk}:{key}"):
        known = PlacedRequest.objects.select_related("order__shipping_address").filter(client=client, key=key).first()
        if known is None:
            return _place(client, key, wanted, body)
        if known.fingerprint != wanted:
            raise Problem("key-used")
        return Placed(known.order, is_replayed=True)


def _fingerprint(body: Any) -> str:
    """The same for the same content, however it is spaced and ordered."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Nobody else may be in here with this name. Raises Problem where somebody is."""
    number = int.from_bytes(hashlib.sha256(f"api order {name}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise Problem("in-progress", headers={"Retry-After": "1"})
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _place(client: Client, key: str, fingerprint: str, body: Any) -> Placed:
    serializer = Wanted(data=body)
    if not serializer.is_valid():
        raise Problem("invalid-order", errors=list(pointed(serializer.errors)))
    draft = _draft(client, serializer.validated_data)

    def note(order: Order) -> None:
        PlacedRequest.objects.create(client=client, key=key, fingerprint=fingerprint, order=order)

    try:
        return Placed(place(draft, also=note), is_replayed=False)
    except OutOfStock as gone:
        exploded = kits.explode(draft.lines, draft.currency)
        named = sorted(kits.short_of(exploded, gone.short), key=lambda short: short.sku)
        short = [{"sku": one.sku, "available": one.available} for one in named]
        raise Problem("out-of-stock", short=short) from None
    except (CannotPlace, TooFine) as refusal:
        raise Problem("invalid-order", str(refusal)) from None
    except IntegrityError:
        before = Order.objects.filter(source_account=client.source, external_number=draft.external_number).first()
        if before is None or not draft.external_number:
            raise
        raise Problem("ordered-before", order=before.number) from None


def _draft(client: Client, data: dict[str, Any]) -> Draft:
    method = PaymentMethod(data["payment_method"])
    if method == PaymentMethod.ON_ACCOUNT and not client.may_buy_on_account:
        said = _("The shop does not let you buy on account. Use bank_transfer, or ask the shop.")
        raise _invalid("/payment_method", said)
    with override(data["language"]):
        lines, currency = _priced(data["lines"])
        goods = sum((line.gross for line in lines), ZERO)
        shipping = Repository().get_available_shipping_methods(None)[0]
        fee = shipping.fee(goods, currency)
        name = str(shipping.name)
    total = goods + fee
    if method == PaymentMethod.ONLINE and total and not starting.may_pay_online(currency, total):
        raise _invalid("/payment_method", _("This sum cannot be paid online here. Use bank_transfer."))
    if data.get("expected_total", total) != total:
        raise Problem("price-changed", total=str(total), currency=currency)
    return Draft(
        currency=currency,
        lines=lines,
        ship_to=addresses.to_ship(data["ship_to"]),
        payment_method=method,
        language=data["language"],
        email=data.get("email", ""),
        note=data.get("note", ""),
        shipping_code=shipping.code,
        shipping_name=name,
        shipping_gross=fee,
        shipping_tax_code=shipping.tax_class.code,
        shipping_tax_rate=shipping.tax_class.rate,
        source_account=client.source,
        external_number=data.get("external_number", ""),
    )


def _invalid(pointer: str, said: str) -> Problem:
    return Problem("invalid-order", errors=[{"pointer": pointer, "detail": said}])


def _priced(wanted: list[dict[str, Any]]) -> tuple[tuple[DraftLine, ...], str]:
    """The lines at the shop's prices, and their currency; all that cannot be had is named at once."""
    records = _records({line["sku"] for line in wanted})
    strategy, lines, errors = Strategy(), [], []
    for position, line in enumerate(wanted):
        record = records.get(line["sku"].upper())
        price = strategy.pricing_policy(record.product, record) if record else None
        if record is None or price is None or not price.exists:
            said = _("%(sku)s is not for sale.") % {"sku": line["sku"]}
            errors.append({"pointer": f"/lines/{position}/sku", "detail": said})
            continue
        lines.append((record, price, line["quantity"]))
    if errors:
        raise Problem("invalid-order", errors=errors)
    currencies = sorted({price.currency for _record, price, _quantity in lines})
    if len(currencies) > 1:
        said = _("An order has one currency; these goods have %(all)s. Order them apart.") % {
            "all": ", ".join(currencies)
        }
        raise _invalid("/lines", said)
    return tuple(_line(*line) for line in lines), currencies[0]


def _records(skus: set[str]) -> dict[str, StockRecord]:
    """By SKU in capitals, of what is public, with product and tax."""
    found = (
        StockRecord.objects.annotate(upper=Upper("partner_sku"))
        .filter(upper__in=[sku.upper() for sku in skus], product__is_public=True)
        .select_related("product__tax_class", "product__parent__tax_class")
        .only("partner_sku", "price", "price_currency", *READ)
    )
    return {record.upper: record for record in found if not record.product.parent or record.product.parent.is_public}


def _line(record: StockRecord, price: Any, quantity: int) -> DraftLine:
    return DraftLine(
        sku=record.partner_sku,
        title=record.product.get_title(),
        quantity=quantity,
        unit_gross=price.incl_tax,
        discount=ZERO,
        tax_code=price.tax_code,
        tax_rate=price.tax_rate,
        product_id=record.product_id,
        stockrecord_id=record.pk,
    )
