"""Suppliers and prices. One stock record per SKU carries the price; figures live in `shop.stock`."""

from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from oscar.apps.partner.abstract_models import AbstractStockRecord

from shop.pricing.fields import MoneyField


class StockRecord(AbstractStockRecord):
    """Price of one SKU, gross. `partner_sku` is the SKU: unique regardless of case, and never edited (a trigger)."""

    price = MoneyField(_("Price"), blank=True, null=True)
    num_in_stock = None  # type: ignore[assignment]
    num_allocated = None  # type: ignore[assignment]

    class Meta(AbstractStockRecord.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(Upper("partner_sku"), name="sku_unique_in_any_case"),
            models.UniqueConstraint(fields=["product"], name="one_stock_record_per_product"),
            models.CheckConstraint(name="price_not_negative", condition=models.Q(price__gte=0)),
        ]

    def __str__(self) -> str:
        return self.partner_sku

    @property
    def net_stock_level(self) -> int:
        """Units that may be promised now."""
        from shop.stock.offered import Offered  # the app registry is not ready when this module loads

        return Offered.objects.get(record=self).free

    def allocate(self, quantity: int) -> None:
        raise NotImplementedError("Stock is promised by shop.stock.promise, never by Oscar's allocations.")

    consume_allocation = cancel_allocation = allocate


from oscar.apps.partner.models import *
