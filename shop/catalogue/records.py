"""A product's stock record: its SKU, price and supplier. There is at most one, and its SKU is never edited."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Count
from django.utils.translation import gettext as _

from shop.catalogue.models import Product
from shop.partner.models import Partner, StockRecord
from shop.pricing.money import quantise
from shop.stock.models import Pool

SKU_LENGTH = Pool._meta.pk.max_length


def usual_partner() -> Partner | None:
    """The supplier most SKUs come from, for those nobody says otherwise of."""
    return Partner.objects.annotate(n=Count("stockrecords")).order_by("-n", "pk").first()


def taken(sku: str, *, record: int | None = None, product: int | None = None) -> bool:
    """Is this SKU another stock record's, or the code of another product with variants? Capitals make no difference."""
    records = StockRecord.objects.filter(partner_sku__iexact=sku).exclude(pk=record)
    return records.exists() or Product.objects.filter(code__iexact=sku).exclude(pk=product).exists()


def record_of(product: Product) -> StockRecord | None:
    """The stock record of a product, as `attach_records` left it, else as it was prefetched, else asked for."""
    if hasattr(product, "record"):
        return product.record
    return next(iter(product.stockrecords.all()), None) if product.pk else None


def price_change(record: StockRecord | None, price: Decimal | None, currency: str) -> str:
    """What a price becomes, in words that stay the same in every language but for the first."""
    before = (record.price, record.price_currency) if record else (None, currency)
    if before == (price, currency) or (before[0] is None and price is None):
        return ""
    old, new = (_amount(*pair) for pair in (before, (price, currency)))
    kept = currency if before[1] == currency or before[0] is None else f"{before[1]} -> {currency}"
    words = _("price %(old)s -> %(new)s %(currency)s") % {"old": old, "new": new, "currency": kept}
    return f"{words} ({record.partner_sku})" if record else words


def _amount(price: Decimal | None, currency: str) -> str:
    return "–" if price is None else str(quantise(price, currency))


def plain_price(record: StockRecord) -> Decimal | None:
    """With the currency's decimals; a finer one, which is not for sale, as it stands."""
    if record.price is None:
        return None
    rounded = quantise(record.price, record.price_currency)
    return rounded if rounded == record.price else record.price.normalize()
