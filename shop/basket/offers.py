"""Which offers take something off a basket: Oscar's rules, asked once per range instead of once per line and offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from oscar.apps.offer.applicator import Applicator as OscarApplicator

from shop.basket.models import Basket
from shop.offer.models import ConditionalOffer, Range
from shop.voucher.models import Voucher


class Applicator(OscarApplicator):
    def get_site_offers(self) -> QuerySet[ConditionalOffer]:
        return _with_ranges(super().get_site_offers())

    def get_basket_offers(self, basket: Basket, user: Any) -> list[ConditionalOffer]:
        if not basket.has_vouchers:
            return []
        offers = Prefetch("offers", _with_ranges(ConditionalOffer.objects.all()))
        prefetch_related_objects([basket], Prefetch("vouchers", Voucher.objects.prefetch_related(offers)))
        return super().get_basket_offers(basket, user)

    def apply_offers(self, basket: Basket, offers: Iterable[ConditionalOffer]) -> None:
        products = [line.product_id for line in basket.all_lines()]
        known: dict[int, Range] = {}
        for offer in offers:
            offer.condition = _settled(offer.condition, products, known)
            offer.benefit = _settled(offer.benefit, products, known)
        super().apply_offers(basket, offers)


def _with_ranges(offers: QuerySet[ConditionalOffer]) -> QuerySet[ConditionalOffer]:
    return offers.select_related("condition__range", "benefit__range")


def _settled(part: Any, products: list[int], known: dict[int, Range]) -> Any:
    """An offer's condition or benefit in the class of its type, its range knowing which of `products` are in it."""
    typed = part.proxy()
    if part.range and not part.range.proxy_class:
        if part.range_id not in known:
            inside = frozenset(part.range.all_products().filter(pk__in=products).values_list("pk", flat=True))
            part.range.contains_product = lambda product: product.pk in inside
            known[part.range_id] = part.range
        typed.range = known[part.range_id]
    return typed
