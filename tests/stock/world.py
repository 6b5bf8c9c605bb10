"""A company and everything that may happen to its stock, for the state machine: Weft's own code on real PostgreSQL,
with doubles of what is not Weft: two channels that sell from their own figure, and an ERP that owns one warehouse.

Time stands still but for `pass_time`. Each thing that happens is a method; `wrong()` says what must not be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import F
from django.utils import timezone

from integrations.channels.base import Channel as Connector
from integrations.channels.base import ChannelLine, ChannelOrder, OrderPage
from integrations.hub import registry
from integrations.hub.errors import HubError, OutcomeUnknown, TryAgain
from integrations.hub.models import Account, Outgoing, Pause
from integrations.hub.sending import claims, drains
from integrations.hub.values import Done, Health, Lane
from shop import invariants
from shop.channels import orders as reading
from shop.channels import sales, tasks
from shop.fulfilment import shipping
from shop.fulfilment.shipping import Left, NothingToShip
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.stock import movements, readings, rebalancing
from shop.stock.holds import OutOfStock
from shop.stock.models import Channel, Hold, Level, Mode, Movement, Pool, Push, Reason, Share, Warehouse
from shop.stock.movements import Move
from shop.stock.readings import Begun, Figure
from tests import factories

OURS, THEIRS = "SZ", "HZ"
SKUS = ("A", "B")
BOUND = 100.0  # seconds after which nothing that was sent can arrive any more


class Crash(BaseException):
    """The worker dies here: nothing after it happens."""


@dataclass
class Message:
    """A figure on its way to a channel; it may still arrive `arrivals` times."""

    figures: dict[str, int]
    arrivals: int


@dataclass
class Shop:
    """What a channel knows. `line`: what happens to the next figure that is sent to it."""

    arrivals: int = 1
    line: str = "answered"
    figures: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sales: list[ChannelOrder] = field(default_factory=list)
    travelling: list[Message] = field(default_factory=list)

    def arrive(self, message: Message) -> None:
        self.figures |= message.figures
        message.arrivals -= 1
        if not message.arrivals:
            self.travelling.remove(message)

    def sell(self, sku: str) -> bool:
        if self.figures[sku] < 1:
            return False
        self.figures[sku] -= 1
        number = f"{len(self.sales) + 1}"
        line = ChannelLine(sku, sku, 1, Decimal("10.00"))
        self.sales.append(ChannelOrder(number, timezone.now(), "CNY", (line,), factories.ADDRESS))
        return True


class Relay(Connector):
    """Carries figures and orders between Weft and a `Shop`, over the line the test has chosen."""

    name = "relay"
    label = "Relay"
    arrivals = 1
    lands_within = timedelta(seconds=5)
    confirms = True
    skew = timedelta(0)
    batch = 50
    shops: ClassVar[dict[str, Shop]] = {}

    @property
    def shop(self) -> Shop:
        return self.shops[self.settings["shop"]]

    def health(self) -> Health:
        return Health()

    def offer(self, figures: Mapping[str, int]) -> Mapping[str, Done | HubError]:
        shop, message = self.shop, Message(dict(figures), self.arrivals or 1)
        line, shop.line = shop.line, "answered"
        if line == "refused":
            raise TryAgain("not reachable")
        if line == "crash before":
            raise Crash
        shop.travelling.append(message)
        if line in ("answered", "answer lost", "crash after"):
            shop.arrive(message)
        if line == "crash after":
            raise Crash
        if line != "answered":  # delayed, or its answer was lost
            raise OutcomeUnknown("no answer")
        return {sku: Done() for sku in figures}

    def orders(self, cursor: str) -> OrderPage:
        shop, after = self.shop, int(cursor or 0)
        return OrderPage(tuple(shop.sales[after:]), str(len(shop.sales)), False, timezone.now())


class Repeating(Relay):
    """On its way a call may be repeated once."""

    name = "repeating"
    arrivals = 2


@dataclass
class World:
    """Everything there is. `lost`: units that vanished, of each SKU: so many may be short, and no more."""

    erp: Account
    channels: list[Channel]
    shops: list[Shop]
    physical: dict[str, int]  # in the ERP's warehouse
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    shipped: list[tuple[str, str, int]] = field(default_factory=list)  # by the ERP, and not learned: order, sku, units
    readings: list[tuple[Begun, dict[str, int] | None]] = field(default_factory=list)

    # --- the own shop ---

    def buy(self, wanted: Mapping[str, int]) -> Order | None:
        try:
            return factories.order(wanted)
        except OutOfStock:
            return None

    def pay(self, number: str) -> None:
        lifecycle.confirm_payment(number, actor="test")

    def extend(self, number: str, hours: int) -> None:
        """A payment is under way; more than may be is refused."""
        order = Order.objects.get(number=number)
        with suppress(lifecycle.TooFar):
            lifecycle.extend_deadline(number, order.date_placed + timedelta(hours=hours), actor="test", reason="test")

    def cancel(self, number: str) -> None:
        lifecycle.cancel(number, actor="test")

    def expire(self) -> None:
        Order.objects.filter(status=Status.PENDING_PAYMENT).update(payment_deadline=timezone.now())
        lifecycle.expire_overdue()

    def ship_ours(self, number: str) -> None:
        """Refused where its goods are not: oversold in shared mode, or lost since."""
        with suppress(NothingToShip, movements.NotThere):
            shipping.ship(number, warehouse=Warehouse.objects.get(code=OURS), actor="test")

    # --- stock ---

    def receive(self, sku: str, units: int) -> None:
        movements.by_staff([Move(sku, Warehouse.objects.get(code=OURS).pk, units, Reason.RECEIPT, actor="test")])

    def lose(self, sku: str, units: int) -> None:
        """A count finds fewer, or something is dropped."""
        there = Level.objects.get(pool=sku, warehouse__code=OURS).on_hand
        units = min(units, there)
        if units:
            movements.by_staff([Move(sku, Warehouse.objects.get(code=OURS).pk, -units, Reason.DAMAGE, actor="test")])
        self.lost[sku] += units

    def count(self, sku: str, found: int) -> None:
        there = Level.objects.get(pool=sku, warehouse__code=OURS).on_hand
        movements.count(sku, Warehouse.objects.get(code=OURS).pk, found, actor="test", note="")
        self.lost[sku] += max(0, there - found)

    def take_back(self, number: str) -> None:
        """Goods of an order come back and go on the shelf again."""
        ours = Warehouse.objects.get(code=OURS).pk
        for line in Order.objects.get(number=number).lines.all():
            units = sum(line.parcel_lines.filter(warehouse=ours).values_list("quantity", flat=True))
            if units and not Movement.objects.filter(document=f"return:{line.pk}").exists():
                move = Move(line.partner_sku, ours, units, Reason.RETURNED, f"return:{line.pk}", "test")
                movements.by_staff([move])

    # --- the ERP ---

    def erp_ships(self, number: str) -> None:
        """It sends what is sourced there, as far as it has it; we hear of it later."""
        order = Order.objects.get(number=number)
        for line in order.lines.all():
            for part in line.sourcings.filter(warehouse__code=THEIRS):
                units = min(part.quantity, self.physical[line.partner_sku])
                if units and not any(n == number and s == line.partner_sku for n, s, _ in self.shipped):
                    self.physical[line.partner_sku] -= units
                    self.shipped.append((number, line.partner_sku, units))

    def learn(self, place: int) -> None:
        """News of a shipment, twice as news is."""
        number, sku, units = self.shipped[place]
        for _ in range(2):
            shipping.learn(self.erp, key=f"{number}-{sku}", number=f"OUT-{place}", order_number=number,
                           at=timezone.now(), left=[Left(sku, THEIRS, units)])  # fmt: skip

    def erp_adjusts(self, sku: str, units: int) -> None:
        self.physical[sku] = max(0, self.physical[sku] + units)
        if units < 0:
            self.lost[sku] += -units

    def begin_reading(self) -> None:
        self.readings.append((readings.start(self.erp), None))

    def answer_reading(self, place: int) -> None:
        self.readings[place] = (self.readings[place][0], dict(self.physical))

    def apply_reading(self, place: int) -> None:
        begun, said = self.readings.pop(place)
        assert said is not None
        readings.apply(begun, [Figure(sku, THEIRS, units) for sku, units in said.items()])

    # --- channels ---

    def rebalance(self) -> None:
        tasks.rebalance()

    def send(self, place: int, line: str) -> None:
        """Send what is due to one channel, over a line that behaves like this for its first call."""
        self.shops[place].line = line
        try:
            while claim := claims.claim(self.channels[place].account_id, tuple(Lane)):
                drains.work(claim)
        except Crash:
            return  # its lease goes on, and nobody settles
        finally:
            self.shops[place].line = "answered"

    def poll(self, place: int) -> None:
        reading.poll(self.channels[place])

    def hear(self, place: int, which: int) -> None:
        """News of one sale by itself: early, late, out of order or again."""
        shop = self.shops[place]
        sales.take(self.channels[place], shop.sales[which % len(shop.sales)], Relay.skew)

    def sell(self, place: int, sku: str) -> bool:
        return self.shops[place].sell(sku)

    def pass_time(self, seconds: float = BOUND) -> None:
        """What was written down lies further back; what was on its way is gone once it cannot arrive any more."""
        by = timedelta(seconds=seconds)
        Push.objects.update(started_at=F("started_at") - by, closes_at=F("closes_at") - by)
        Share.objects.update(live_at=F("live_at") - by, shown_at=F("shown_at") - by)
        Outgoing.objects.update(next_at=F("next_at") - by, lease_until=F("lease_until") - by)
        Pause.objects.update(until=F("until") - by)
        for shop in self.shops:
            shop.sales = [_earlier(sale, by) for sale in shop.sales]
            if seconds >= BOUND:
                shop.travelling.clear()

    def quiesce(self) -> None:
        """Nothing happens any more but what Weft does by itself, until that changes nothing."""
        for place in range(len(self.readings) - 1, -1, -1):
            if self.readings[place][1] is None:
                self.answer_reading(place)
            self.apply_reading(place)
        stands = ("escrow", "target", "wish", "shown", "live", "is_drained", "is_guarded")
        self.pass_time(2 * rebalancing.TELL_AGAIN.total_seconds())
        for _ in range(20):
            before = list(Share.objects.order_by("pk").values_list(*stands))
            self.pass_time()
            for place in range(len(self.shops)):
                self.rebalance()
                self.send(place, "answered")
                self.poll(place)
            if list(Share.objects.order_by("pk").values_list(*stands)) == before:
                return
        raise AssertionError(f"still moving: {list(Share.objects.values())}")

    # --- what must hold ---

    def unsettled(self) -> list[str]:
        """After `quiesce`: in shared mode (I15) the figure sent last is what is free, and the channel shows it; under
        guarantee what is set aside is what the channel shows."""
        found = []
        for share in Share.objects.select_related("pool", "channel"):
            place = next(n for n, channel in enumerate(self.channels) if channel.pk == share.channel_id)
            wanted = share.escrow if share.is_guarded else max(0, share.pool.free - share.channel.buffer)
            shows = self.shops[place].figures[share.pool_id]
            if shows != wanted or (not share.is_guarded and share.shown != wanted):
                found.append(f"{share}: {wanted} it should be, {share.shown} was sent last, it shows {shows}")
            if share.is_guarded and not share.is_drained:
                found.append(f"{share} is not drained")
        return found

    def wrong(self) -> list[str]:
        """What must never be, in words."""
        found = [str(row) for one in (invariants.I1, invariants.I2, invariants.I5) for row in invariants.broken(one)]
        for channel, shop in zip(self.channels, self.shops, strict=True):
            found += self._of_channel(channel, shop)
        for pool in Pool.objects.all():
            may = self.lost[pool.sku] + self._sold_unguarded(pool.sku)
            if pool.shortage > may:
                found.append(
                    f"{pool.sku}: {pool.shortage} short, though only {may} were lost or sold without guarantee"
                )
        return found + self._unheld()

    def _sold_unguarded(self, sku: str) -> int:
        """Units sold by channels in shared mode: these may oversell."""
        shared = [n for n, channel in enumerate(self.channels) if channel.mode == Mode.SHARED]
        return sum(1 for place in shared for sale in self.shops[place].sales if sale.lines[0].sku == sku)

    def _of_channel(self, channel: Channel, shop: Shop) -> list[str]:
        """Under guarantee: what it can still sell, or has sold unseen, is set aside."""
        told = Order.objects.filter(source_account=channel.source).values_list("external_number", flat=True)
        known, found = list(told), []
        if len(known) > len(shop.sales):
            found.append(f"{channel}: {len(known)} orders of {len(shop.sales)} sales")
        for share in Share.objects.filter(channel=channel, is_guarded=True):
            unseen = sum(1 for sale in shop.sales if sale.lines[0].sku == share.pool_id and sale.number not in known)
            may = shop.figures[share.pool_id] + unseen
            if may > share.escrow:
                found.append(f"{channel} may sell or has sold {may} {share.pool_id}, set aside are {share.escrow}")
        return found

    def _unheld(self) -> list[str]:
        """Orders that are to be shipped, and are not held whole."""
        waiting = Order.objects.filter(status__in=(Status.PENDING_PAYMENT, Status.PAID))
        held = dict(Hold.objects.filter(line__order__in=waiting).values_list("line", "quantity"))
        lines = [line for order in waiting for line in order.lines.select_related("order")]
        return [
            f"{line.order.number}: {line.quantity} {line.partner_sku}, held {held.get(line.pk, 0)}"
            for line in lines
            if held.get(line.pk, 0) != line.quantity
        ]

    def sold(self) -> dict[str, int]:
        """Units promised or gone, of each SKU, told or not."""
        units: dict[str, int] = defaultdict(int)
        for hold in Hold.objects.all():
            units[hold.pool_id] += hold.quantity - hold.released
        return units


def _earlier(sale: ChannelOrder, by: timedelta) -> ChannelOrder:
    at: datetime = sale.sold_at - by
    return ChannelOrder(sale.number, at, sale.currency, sale.lines, sale.ship_to, is_cancelled=sale.is_cancelled)


def make(
    monkeypatch: Any,
    *,
    stock: Mapping[str, tuple[int, int]] | None = None,
    modes: tuple[Mode, Mode] = (Mode.GUARANTEED, Mode.GUARANTEED),
    **channel: Any,
) -> World:
    """A new world. `stock`: SKU -> units in our own warehouse and in the ERP's."""
    for kind in (Relay, Repeating):
        monkeypatch.setitem(registry.connectors(), (kind.kind, kind.name), kind)
    factories.china()
    erp = factories.account("erp", "none")
    factories.warehouse(OURS)
    factories.warehouse(THEIRS, erp_account=erp, priority=2)
    there = stock or {sku: (4, 2) for sku in SKUS}
    for sku, (ours, theirs) in there.items():
        factories.stock(sku, **{OURS: ours, THEIRS: theirs})
    shops = [Shop(), Shop(arrivals=2)]
    Relay.shops = {"0": shops[0], "1": shops[1]}
    channels = [
        _channel(kind, str(place), there, mode=modes[place], **channel) for place, kind in enumerate((Relay, Repeating))
    ]
    return World(erp, channels, shops, {sku: theirs for sku, (_, theirs) in there.items()})


def _channel(kind: type[Relay], shop: str, stock: Mapping[str, Any], **fields: Any) -> Channel:
    account = factories.account("channel", kind.name, settings={"shop": shop})
    channel = Channel.objects.create(account=account, **fields)
    Share.objects.bulk_create(Share(channel=channel, pool_id=sku) for sku in stock)
    return channel
