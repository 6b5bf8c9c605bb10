"""News from the shop to the floor above. Sent with `send` inside the transaction that made the news, so that what a
receiver writes commits or rolls back with it. Sent from `shop/wiring.py`, received in `erp/wiring.py`."""

from django.dispatch import Signal

order_released = Signal()  # order: paid, or accepted on account; the back office may act on it
order_withdrawn = Signal()  # order: was released, is being cancelled
order_shipped = Signal()  # order, parcel
