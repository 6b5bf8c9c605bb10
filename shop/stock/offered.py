"""How many of a SKU may be promised: the one place where shop, lists, API and admin ask.

The figures are those of the database's view `stock_offered`, one row for each stock record. Of a SKU with stock: what
is free in its pool, less what presales have promised of it already. Of a kit: as many as its parts make. The view is
only looked at; what is promised is decided again, under lock, by `stock_promise`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

JOIN = "LEFT JOIN stock_offered offered ON offered.record_id = record.id"  # for statements that are written out


# Of the pool `p`, what the own shop may give: what lies in warehouses closed for it is as good as set aside.
OWN_FREE = "stock_free(p.on_hand, p.reserved, p.escrow + stock_closed(p.sku, NULL), p.shortage)"

# As the view, for SKUs that stand in no catalogue too.
_LEFT = f"""
SELECT p.sku, greatest(
    {OWN_FREE} - coalesce(stock_waited(p.sku), 0), (
        SELECT s.cap - s.promised FROM stock_presale s
        WHERE s.sku = p.sku AND s.closed_at IS NULL AND s.ships_on >= stock_today()), 0)
FROM stock_pool p WHERE p.sku = ANY(%s)
"""


def left(skus: Collection[str]) -> dict[str, int]:
    """The largest quantity that one line could have of each of these SKUs; those without a pool are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [list(skus)])
        return dict(cursor.fetchall())


class Kind(models.TextChoices):
    """Why goods are sold before they are here."""

    PRESALE = "presale", _("presale")
    BACKORDER = "backorder", _("backorder")


class Offered(models.Model):
    """What may be promised of one stock record's SKU: `free` at once, `room` from what is still to come.

    A line goes wholly one way or the other, so `most` is the greater of the two. `ahead` is what is known beyond the
    free units, as the database wrote it; the properties below read it.
    """

    record = models.OneToOneField(
        "partner.StockRecord", on_delete=models.DO_NOTHING, primary_key=True, related_name="+", db_column="record_id"
    )
    sku = models.CharField(max_length=64, db_collation="C")
    free = models.BigIntegerField()
    ahead = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "stock_offered"

    def __str__(self) -> str:
        return f"{self.free} {self.sku}"

    @cached_property
    def _ahead(self) -> dict[str, Any]:
        return json.loads(self.ahead) if self.ahead else {}

    @property
    def room(self) -> int:
        """Units that may be promised from an open presale."""
        return int(self._ahead.get("room", 0))

    @property
    def most(self) -> int:
        """The largest quantity one line may have."""
        return max(self.free, self.room)

    @property
    def kind(self) -> str:
        """Of the open presale (`Kind`), or empty."""
        return str(self._ahead.get("kind", "")) if self.room else ""

    @property
    def ships_on(self) -> date | None:
        """By when what is promised from `room` leaves."""
        return self._day("ships_on") if self.room else None

    @property
    def expected_on(self) -> date | None:
        """When more arrives that was promised to nobody, where nothing is free and nothing sold ahead."""
        return self._day("expected_on") if self.most <= 0 else None

    @property
    def is_kit(self) -> bool:
        return bool(self._ahead.get("is_kit"))

    def _day(self, name: str) -> date | None:
        written = self._ahead.get(name)
        return date.fromisoformat(written) if written else None
