"""News from the shop to the floors above. Sent with `send` inside the transaction that made the news, so that what a
receiver writes commits or rolls back with it. Receivers stand in `erp/wiring.py`."""

from django.dispatch import Signal

order_placed = Signal()  # order
order_released = Signal()  # order: paid, or accepted on account; the back office may act on it
order_cancelled = Signal()  # order: cancelling or cancelled after it was released
order_shipped = Signal()  # order, parcel
