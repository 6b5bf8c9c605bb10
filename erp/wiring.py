"""What happens when, in the back office. One receiver per piece of news from the shop, one line per rule.

Receivers run inside the transaction that made the news: what they wish for commits with it.
"""

from __future__ import annotations

from typing import Any

from erp import documents, feedback, invariants, orders, symptoms
from erp import said as sentences
from erp.accounts import erp_accounts
from integrations.hub import outgoing, said, topics
from integrations.hub.health import readers
from integrations.hub.workers import beats
from shop import signals
from shop.order.models import Order


def order_released(sender: type, *, order: Order, **_: Any) -> None:
    """Paid, or accepted on account -> customer and order in the ERP."""
    if order.is_historical or order.is_test:
        return
    outgoing.ensure(orders.CUSTOMER, [documents.customer_key(order)])
    outgoing.ensure(orders.ORDER, [order.number])


def order_withdrawn(sender: type, *, order: Order, **_: Any) -> None:
    """Being cancelled -> cancelled there."""
    if order.is_historical or order.is_test:
        return
    outgoing.ensure(orders.ORDER, [order.number])


def connect() -> None:
    """Once, from `ErpConfig.ready`."""
    invariants.register()
    symptoms.register()
    said.register(sentences.SENTENCES)
    topics.register(orders.CustomerTopic())
    topics.register(orders.OrderTopic())
    readers.register(feedback.READER)
    signals.order_released.connect(order_released, dispatch_uid="erp.order_released")
    signals.order_withdrawn.connect(order_withdrawn, dispatch_uid="erp.order_withdrawn")
    beats.register("erp.poll", seconds=15, task="erp.tasks.poll", work=erp_accounts)
    beats.register("erp.missing", seconds=60, task="erp.tasks.ensure_missing", work=erp_accounts)
