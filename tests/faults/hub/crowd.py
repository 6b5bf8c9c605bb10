"""A company in the middle of everything: whatever a task could find to do is there to be done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.utils import timezone

from erp import orders as erp_orders
from erp.base import (
    Changes,
    Customer,
    Erp,
    OrderDone,
    OrderState,
    SalesOrder,
    Shipment,
    ShippedLine,
    StockLevel,
    Target,
)
from integrations.hub.health import flows, objectives
from integrations.hub.incoming import receiving
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.values import Done, Health, Inbound, Ref, Verified
from integrations.sandbox.market import Market, Site, load
from shop.api.models import AccessToken, digest
from shop.channels import tasks
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod
from shop.payments.models import Attempt as Payment
from shop.payments.models import Stray
from shop.stock import movements
from shop.stock.models import Hold, Reason
from shop.stock.movements import Move
from tests import factories
from tests.api.conftest import api_client
from tests.channels.conftest import made, settle, share
from tests.faults.hub import business
from tests.hub.probe import Probe
from tests.hub.remote import Remote
from tests.payments.conftest import attempt_of
from tests.payments.till import Till


class PaperErp(Erp):
    """An ERP on paper: takes every document and keeps what it was told; what it did is written down beforehand."""

    name = "paper"
    label = "Paper"
    told: ClassVar[list[tuple[str, str, str]]] = []
    shipments: ClassVar[tuple[Shipment, ...]] = ()
    levels: ClassVar[tuple[StockLevel, ...]] = ()

    def health(self) -> Health:
        return Health(version="1")

    def ensure_customer(self, customer: Customer) -> Done:
        self.told.append(("customer", customer.key, customer.name))
        return Done(refs=(Ref(f"C-{customer.key}"),))

    def ensure_order(self, order: SalesOrder) -> OrderDone:
        self.told.append(("order", order.number, str(order.target)))
        state = OrderState.CANCELLED if order.target is Target.CANCELLED else OrderState.CONFIRMED
        return OrderDone(refs=(Ref(f"S-{order.number}"),), state=state)

    def stock(self, warehouses: Iterable[str]) -> Iterator[StockLevel]:
        yield from (level for level in self.levels if level.warehouse in set(warehouses))

    def changes(self, cursor: str | None) -> Changes:
        return Changes(self.shipments, "1")


@dataclass
class Outside:
    """The remotes of the company, as they were when it was made; `again` makes them so."""

    market: Site
    remote: Remote
    folder: Path
    sold: dict[str, Any] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

    def keep(self) -> None:
        self.sold = self.market.market.dump()

    def again(self) -> None:
        file = self.folder / "market.json"
        file.write_text(json.dumps(self.sold), encoding="utf-8")
        self.market.market = load(file)
        self.market.faults = dict.fromkeys(self.market.faults, 0)
        self.shown.clear()
        right = self.market.market.show
        self.market.market.show = lambda figures: (self.shown.append(str(sorted(figures.items()))), right(figures))[1]  # type: ignore[method-assign]
        self.remote.things.clear()
        self.remote.puts.clear()
        self.remote.errands.clear()
        self.remote.errands["by-hand"] = 1  # what somebody ticked off is there
        PaperErp.told.clear()
        for letter in (self.folder / "mail").glob("*.eml"):
            letter.unlink()

    def journals(self) -> dict[str, Any]:
        """What each remote was made to do, in any order."""
        return {
            "figures": sorted(self.shown),
            "things": sorted(self.remote.puts.items()),
            "errands": sorted(self.remote.errands.items()),
            "erp": sorted(PaperErp.told),
            "letters": len(list((self.folder / "mail").glob("*.eml"))),
        }


def company(outside: Outside, patch: pytest.MonkeyPatch) -> None:
    """Fill the database, and bring the remotes to where its work begins."""
    factories.china()
    for sku in ("CHAIR-1", "DESK-1", "LAMP-1"):
        factories.product(sku)
    erp = factories.account("erp", "paper", name="paper", active_since=timezone.now() - timedelta(hours=1))
    Account.objects.filter(pk=erp.pk).update(created_at=timezone.now() - timedelta(hours=1))
    factories.account("messages", "file", name="mail", settings={"folder": str(outside.folder / "mail")})
    probe = factories.account("probe", "probe", name="probe", settings={"url": outside.remote.url})
    factories.account("probe", "probe", name="new", settings={"url": outside.remote.url}, state="starting")
    factories.warehouse("ERP", erp_account=erp)
    factories.stock("CHAIR-1", SZ=40, ERP=10)
    factories.stock("DESK-1", SZ=40)
    _a_channel(outside)
    _orders_of_every_kind(patch)
    _goods_that_were_waited_for()
    _an_erp_that_did_something(patch)
    for number in range(3):
        AccessToken.objects.create(
            client=api_client(f"client-{number}"), digest=digest(f"token-{number}"), scopes=[],
            expires_at=timezone.now() + timedelta(hours=number - 1),
        )  # fmt: skip
    _payments()
    business.found()
    business.change(["thing-1", "thing-2"])
    for topic in ("fault.look", "fault.safe", "fault.never"):
        business.order(topic, probe, [f"{topic}-1", f"{topic}-2"])
    _what_came_in(probe)
    _what_was_long_ago(probe)
    factories.account("probe", "probe", name="troubled", problem="refused", state="paused")
    _flows_that_do_not_become_late_by_themselves()


def _flows_that_do_not_become_late_by_themselves() -> None:
    """What is in time now stays so while the cases run, however slow the machine is."""
    for flow in (flow for flow in flows.measure() if not flow.is_late):
        objectives.change(Account.objects.get(pk=flow.account.id), flow.name, objectives.LONGEST, by="test")


def _payments() -> None:
    """One that was paid a moment ago, one whose time is over, one of which its order has not heard."""
    account = factories.account("payments", "till", name="till")
    paid, late, booked = (
        attempt_of(factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ONLINE), account) for _ in range(3)
    )
    Till.book.pay(paid.number)
    Till.book.pay("OF-NOBODY")
    Stray.objects.create(account=account, number="OF-NOBODY", currency="CNY", captured=1)
    Stray.objects.update(first_seen_at=timezone.now() - timedelta(minutes=2))
    Order.objects.filter(pk=late.order_id).update(payment_deadline=timezone.now() - timedelta(minutes=1))
    Payment.objects.exclude(pk=paid.pk).update(look_at=None)
    Payment.objects.filter(pk=booked.pk).update(
        status="captured", captured=booked.total, paid_at=timezone.now(), advance_at=timezone.now()
    )


def _what_came_in(account: Account) -> None:
    """A message about an errand that waits to be heeded; and an errand that somebody did by hand."""
    body = json.dumps([{"kind": "errand", "key": "heard", "facts": {}}]).encode()
    receiving.receive(account, Probe, Inbound({"content-type": "application/json"}, body), Verified("evt-1"))
    business.order("fault.look", account, ["by-hand"])
    Outgoing.objects.filter(key="by-hand").update(delivered=1, delivered_at=timezone.now(), is_unconfirmed=True)


def _what_was_long_ago(account: Account) -> None:
    then = timezone.now() - timedelta(days=40)
    row = Outgoing.objects.create(
        account=account, topic="test.thing", key="old", subject="thing:old", lane=4, delivered=1, delivered_at=then
    )
    for _ in range(3):
        Attempt.objects.create(outgoing=row, lease_token="0" * 32, revision=1, outcome="done", finished_at=then)
    Attempt.objects.filter(outgoing=row).update(started_at=then)


def _a_channel(outside: Outside) -> None:
    """It shows its share, has sold some of it and taken one back, and more has come since."""
    channel = made(outside.market)
    share(channel, "CHAIR-1")
    share(channel, "DESK-1")
    settle(channel)
    for sku in ("CHAIR-1", "CHAIR-1", "DESK-1"):
        assert outside.market.market.buy(sku)
    outside.market.market.cancel("M-000002")
    place = factories.warehouse("SZ").pk
    for sku in ("DESK-1", "CHAIR-1"):
        with transaction.atomic():
            movements.record([Move(sku, place, 30, Reason.RECEIPT)])
        if sku == "DESK-1":
            assert tasks.rebalance() > 0  # planned and not told yet


def _orders_of_every_kind(patch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        factories.order()
    over = factories.order({"CHAIR-1": 2}), factories.order({"DESK-1": 1})
    late = timezone.now() - timedelta(minutes=1)
    Order.objects.filter(pk__in=[order.pk for order in over]).update(payment_deadline=late)
    Hold.objects.filter(line__order__in=over).update(deadline=late)
    paid = [factories.order({"CHAIR-1": 1}) for _ in range(4)]
    for order in paid:
        lifecycle.confirm_payment(order.number, actor="test")
    with patch.context() as crash:  # between the two transactions of a cancellation
        crash.setattr(lifecycle, "finish_cancelling", lambda number: False)
        for order in paid[:2]:
            lifecycle.cancel(order.number, actor="test")
    Outgoing.objects.filter(topic__in=[erp_orders.ORDER, erp_orders.CUSTOMER], key__contains=paid[3].number).delete()


def _goods_that_were_waited_for() -> None:
    factories.presale("LAMP-1", cap=10)
    for _ in range(2):
        factories.order({"LAMP-1": 2})
    with transaction.atomic():
        movements.record([Move("LAMP-1", factories.warehouse("SZ").pk, 3, Reason.RECEIPT)])


def _an_erp_that_did_something(patch: pytest.MonkeyPatch) -> None:
    """It has shipped one order from its warehouse, and counted."""
    shipped = factories.order({"CHAIR-1": 1})
    lifecycle.confirm_payment(shipped.number, actor="test")
    line = ShippedLine("move-1", "CHAIR-1", "ERP", 1)
    shipment = Shipment("ship-1", "CS-1", shipped.number, timezone.now(), (line,))
    patch.setattr(PaperErp, "shipments", (shipment,))
    patch.setattr(PaperErp, "levels", (StockLevel("CHAIR-1", "ERP", 9), StockLevel("DESK-1", "ERP", 4)))


def a_market(folder: Path, key: str) -> Site:
    return Site(("127.0.0.1", 0), Market(), key)
