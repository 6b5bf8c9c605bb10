"""What is read from sales channels, and how old it may get."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy

from integrations.hub.health.readers import Reader

BY_DATE = Reader(
    "channel", "orders.by-date", gettext_lazy("orders of the channel, by date"), timedelta(hours=2, minutes=30)
)
ORDERS = Reader("channel", "orders", gettext_lazy("orders of the channel"), timedelta(seconds=60))
