"""What happens when, in the shop. One function per piece of news, one line per rule.

Called by `order/place.py`, `order/lifecycle.py` and `fulfilment/shipping.py` inside their business transaction: what
is wished for here commits with the news, or not at all. The floor above hears the signals (`erp/wiring.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy

from integrations.hub import hearing, said, topics
from integrations.hub.health import readers
from integrations.hub.reading import windows
from integrations.hub.workers import beats
from shop import news_invariants, quiet, signals, symptoms
from shop import said as sentences
from shop.channels import readers as channel_readers
from shop.channels.figures import FigureTopic
from shop.customer import passwords
from shop.fulfilment import sourcing
from shop.mail import letters
from shop.mail.letters import Event
from shop.order.models import Order, Status
from shop.stock import presales
from shop.stock.models import Channel

if TYPE_CHECKING:
    from shop.fulfilment.models import Parcel
    from shop.payments.models import Refund


def order_placed(order: Order) -> None:
    letters.write(order, Event.PLACED)


def order_released(order: Order) -> None:
    """Paid, of no charge, or accepted on account."""
    sourcing.source(order)
    if order.status == Status.PAID and order.total_incl_tax:
        letters.write(order, Event.PAID)
    signals.order_released.send(Order, order=order)


def order_withdrawn(order: Order) -> None:
    """Released before, now being cancelled: others may still ship it."""
    signals.order_withdrawn.send(Order, order=order)


def order_cancelled(order: Order) -> None:
    """Cancelled for good, or expired unpaid."""
    letters.write(order, Event.CANCELLED)


def order_refunded(order: Order, refund: Refund) -> None:
    """All of a refund was given back."""
    letters.write(order, Event.REFUNDED, str(refund.pk))


def order_shipped(order: Order, parcel: Parcel) -> None:
    letters.write(order, Event.SHIPPED, str(parcel.pk))
    signals.order_shipped.send(Order, order=order, parcel=parcel)


def connect() -> None:
    """Once, from `ShopConfig.ready`: topics, beats, subject links and examinations of the shop."""
    from shop.channels.windows import OrdersByDate  # places orders, whose wiring this is
    from shop.order import lifecycle  # moves them
    from shop.payments import flow, strays, watching  # has them moved
    from shop.payments import invariants as payment_invariants
    from shop.payments.news import RefundNews, TradeNews
    from shop.payments.topics import RefundTopic

    urgent = settings.WEFT_URGENT_CLUSTER

    symptoms.register()
    news_invariants.register()
    payment_invariants.register()
    quiet.register()
    said.register(sentences.SENTENCES)
    topics.register(letters.Mail())
    topics.register(passwords.PasswordMail())
    topics.register(FigureTopic())
    topics.register(RefundTopic())
    hearing.register(TradeNews())
    hearing.register(RefundNews())
    readers.register(channel_readers.ORDERS)
    readers.register(channel_readers.BY_DATE)
    windows.register(OrdersByDate())
    topics.register_subject("order", lambda number: f"/admin/order/order/by-number/{number}/", gettext_lazy("order"))
    topics.register_subject("customer", lambda pk: f"/admin/customer/user/{pk}/change/", gettext_lazy("customer"))
    beats.register("shop.expire", seconds=30, task="shop.tasks.expire_overdue", work=lifecycle.overdue)
    beats.register("shop.cancel", seconds=60, task="shop.tasks.finish_cancellations", work=lifecycle.cancelling)
    beats.register("channels.poll", seconds=15, task="shop.channels.tasks.poll", work=Channel.objects.all)
    beats.register("channels.by-date", seconds=3600, task="shop.channels.tasks.poll_by_date")
    beats.register("channels.rebalance", seconds=30, task="shop.channels.tasks.rebalance", work=Channel.objects.all)
    beats.register("channels.demand", seconds=3600, task="shop.channels.tasks.count_demand")
    beats.register("payments.look", seconds=15, task="shop.payments.tasks.look", cluster=urgent, work=watching.due)
    beats.register("payments.close", seconds=15, task="shop.payments.tasks.close_overdue", work=watching.overdue)
    beats.register("payments.advance", seconds=15, task="shop.payments.tasks.advance", work=flow.due_to_advance)
    beats.register("payments.strays", seconds=60, task="shop.payments.tasks.recheck", work=strays.due)
    beats.register("shop.fill", seconds=30, task="shop.tasks.fill_waiting", work=presales.fillable)
    beats.register("shop.tokens", seconds=3600, task="shop.tasks.prune_tokens")
