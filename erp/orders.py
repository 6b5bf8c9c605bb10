"""The two state topics of an ERP: the customer, then the order (its cancellation included)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from erp import documents
from erp.base import Customer, Erp, OrderDone, OrderState, SalesOrder, Target
from integrations.hub import outgoing
from integrations.hub.errors import HubError
from integrations.hub.models import Account, Outgoing
from integrations.hub.topics import State
from integrations.hub.values import Absent, Done, Lane, NotReady, Unneeded
from shop.order import lifecycle
from shop.order.models import Order

CUSTOMER, ORDER = "erp.customer", "erp.order"


class CustomerTopic(State):
    """Keyed by our customer key. A guest's is built from their order, an account's from their latest one."""

    name = CUSTOMER
    label = gettext_lazy("customer")
    lane = Lane.ORDERS
    kind = "erp"
    by_hand = True

    def subject(self, key: str) -> str:
        kind, _, rest = key.partition(":")
        return f"order:{rest}" if kind == "guest" else f"customer:{rest}"

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        accounts = outgoing.accounts("erp")
        return {key: accounts for key in keys}

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Customer | Absent]:
        guests = [key.partition(":")[2] for key in keys if key.startswith("guest:")]
        users = [int(key.partition(":")[2]) for key in keys if key.startswith("user:")]
        latest = (
            Order.objects.filter(user__in=users).order_by("user_id", "-date_placed").distinct("user_id")
        ).values_list("number", flat=True)
        found = documents.orders([*guests, *latest])
        docs = {doc.key: doc for doc in map(documents.customer, found.values())}
        return {key: docs.get(key, Absent()) for key in keys}

    def deliver(self, remote: Erp, docs: Mapping[str, Any]) -> Mapping[str, Done | HubError]:
        return {key: _answer(remote.ensure_customer, doc) for key, doc in docs.items() if isinstance(doc, Customer)}


class OrderTopic(State):
    """Keyed by our order number. Waits for its customer; what the ERP answers finishes a cancellation here."""

    name = ORDER
    label = gettext_lazy("order")
    lane = Lane.ORDERS
    kind = "erp"
    by_hand = True
    acts_on_goods = True

    def subject(self, key: str) -> str:
        return f"order:{key}"

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        accounts = outgoing.accounts("erp")
        return {key: accounts for key in keys}

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, SalesOrder | Absent | NotReady | Unneeded]:
        found = documents.orders(keys)
        told = outgoing.attempted_keys(ORDER, account, keys)
        customers = _delivered_customers(account, [documents.customer_key(order) for order in found.values()])
        docs: dict[str, SalesOrder | Absent | NotReady | Unneeded] = {}
        for number, order in found.items():
            customer = documents.customer_key(order)
            if documents.target(order) is Target.CANCELLED and number not in told:
                docs[number] = Unneeded()
            elif customer not in customers:
                docs[number] = NotReady(CUSTOMER, customer)
            else:
                docs[number] = documents.sales_order(order)
        return docs

    def deliver(self, remote: Erp, docs: Mapping[str, Any]) -> Mapping[str, Done | HubError]:
        return {key: _answer(remote.ensure_order, doc) for key, doc in docs.items()}

    def worked(self, doc: Any, done: Done) -> Done:
        """What was to be cancelled is cancelled there."""
        if isinstance(doc, SalesOrder) and doc.target is Target.CANCELLED:
            return OrderDone(done.refs, done.facts, done.warnings, OrderState.CANCELLED)
        return done

    def settle(self, account: Account, key: str, done: Done) -> None:
        """The ERP's answer to a cancellation. Where several ERPs were told, each must have answered."""
        if not isinstance(done, OrderDone):
            return
        order = Order.objects.select_for_update(of=("self",), no_key=True).get(number=key)
        if done.state is OrderState.SHIPPED:
            lifecycle.refuse_cancellation(order, actor=account.name, reason="the ERP had shipped it already")
        elif done.state is OrderState.CANCELLED and not _others_open(account, key):
            lifecycle.acknowledge_cancellation(order, actor=account.name)


def _answer(ensure: Any, doc: Any) -> Done | HubError:
    try:
        done: Done = ensure(doc)
    except HubError as error:
        return error
    return done


def _delivered_customers(account: Account, keys: Collection[str]) -> set[str]:
    rows = Outgoing.objects.filter(account=account, topic=CUSTOMER, key__in=list(keys), delivered__gt=0)
    return set(rows.values_list("key", flat=True))


def _others_open(account: Account, number: str) -> bool:
    rows = Outgoing.objects.filter(outgoing.ATTEMPTED, topic=ORDER, key=number).exclude(account=account)
    return any(row.is_open for row in rows)
