"""`manage.py walkthrough`: orders through the running shop, its real ERP and a marketplace, as customer, staff, clerk.

Everything is done over HTTP; the database is only read, to see whether what should have happened did.
"""

from __future__ import annotations

import json
import re
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import F

from erp.local import clerk
from erp.local.market import Market, NoMarket
from erp.local.rpc import Refused
from erp.local.tryton_server import DATABASE, Home
from erp.local.visitor import Lost, Page, Visitor
from integrations.hub.models import Account, AccountState, Outgoing
from shop import invariants
from shop.order.models import Order, Status
from shop.partner.models import StockRecord
from shop.stock.models import Channel, Pool, Reading, Share

T = TypeVar("T")
QUANTITY = 2
BUYER = {
    "email": "walkthrough@example.test",
    "name": "林晓",
    "phone": "13800138000",
    "region": "广东省",
    "city": "深圳市",
    "district": "南山区",
    "street": "科技路 1 号",
    "postcode": "518057",
}


class Failed(Exception):
    """A step did not end as it should; the message is the plain reason."""


class Command(BaseCommand):
    help = (
        "Buy, pay, send to the ERP, ship there, cancel another order, and sell on the practice marketplace: over HTTP, "
        "each step with its time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=int, default=300, help="seconds to wait for the ERP and for each step")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = self.last = time.monotonic()
        self.patience = options["wait"]
        try:
            self.walk()
        except (Failed, Lost, NoMarket, Refused, clerk.NothingToShip) as error:
            raise CommandError(f"FAILED: {error}") from None
        except OSError as error:
            raise CommandError(f"FAILED: the shop at {settings.WEFT_SHOP_URL} does not answer ({error}).") from None
        self.stdout.write(f"All steps passed in {time.monotonic() - self.began:.1f} s.")

    def walk(self) -> None:
        """The whole walk."""
        logins = self.logins()
        self.erp = self.until("the ERP is active", self.active_erp)
        self.step(f"ERP: {self.erp.name} {self.erp.remote_version} is active")
        self.staff = self.log_in(logins["finance"])
        self.sales = self.log_in(logins["sales"])
        sku = self.choose_sku()
        self.buy_and_ship(sku)
        self.buy_and_cancel(sku)
        self.sell_on_the_market()

    def buy_and_ship(self, sku: str) -> None:
        """Guest's order, transfer confirmed, sale in the ERP, reading, shipment, and the goods gone here."""
        before = Pool.objects.get(sku=sku)
        order = self.buy(sku)
        self.step(
            f"order {order.number} placed as a guest: {QUANTITY} x {sku}, {order.total_incl_tax:.2f} {order.currency}"
        )
        self.confirm_payment(order)
        row = self.until("the ERP has the order", lambda: self.delivered(order))
        self.step(f"sale {self.numbers(row)} confirmed in {self.erp.name}, customer and order sent")
        reading = self.until("a reading after that", lambda: self.reading_after(row))
        free = Pool.objects.get(sku=sku).free
        self.expect(free == before.free - QUANTITY, f"available is {free}, not {before.free} - {QUANTITY}")
        self.step(f"reading #{reading.pk} applied ({reading.rows} rows): available {before.free} -> {free}")
        for parcel in self.ship(order):
            self.step(f"shipment {parcel.number} left {parcel.warehouse} in {self.erp.name}: {dict(parcel.goods)}")
        self.until("the shop knows the shipment", lambda: self.has_status(order, Status.SHIPPED))
        after = Pool.objects.get(sku=sku)
        expected = (before.on_hand - QUANTITY, before.reserved)
        self.expect((after.on_hand, after.reserved) == expected, f"on hand and reserved are not {expected} but {after}")
        self.step(f"order shipped; on hand {before.on_hand} -> {after.on_hand}, its hold is gone")

    def buy_and_cancel(self, sku: str) -> None:
        """Another order, cancelled after the ERP has it."""
        before = Pool.objects.get(sku=sku).free
        order = self.buy(sku)
        self.confirm_payment(order)
        row = self.until("the ERP has the order", lambda: self.delivered(order))
        self.step(f"order {order.number} placed and paid; sale {self.numbers(row)} in {self.erp.name}")
        self.staff_action(self.sales, order, "cancel", reason="walkthrough")
        self.until("the ERP has cancelled it", lambda: self.has_status(order, Status.CANCELLED))
        free = Pool.objects.get(sku=sku).free
        self.expect(free == before, f"available is {free}, not {before} again")
        self.step(f"cancelled in {self.erp.name} ({self.numbers(self.delivered(order))}) and here; its goods are free")

    def sell_on_the_market(self) -> None:
        """Somebody buys at the practice marketplace, while its lines are bad: of what is set aside, into the ERP."""
        market = Market()
        share = self.until("the market shows something that is set aside", self.offered_there)
        sku = share.pool_id
        market.faults(lose=1, delay=1, shuffle=2)
        sale = market.buy(sku, 1)
        self.step(f"order {sale['number']} at {share.channel}: 1 x {sku}, of {share.escrow} set aside for it")
        order = self.until("the shop has it", lambda: self.sold_there(share.channel, sale["number"]))
        self.expect(order.status == Status.PAID, f"order {order.number} is {order.status}, not paid")
        row = self.until("the ERP has the order", lambda: self.delivered(order))
        self.step(f"order {order.number} of that number here; sale {self.numbers(row)} in {self.erp.name}")
        wrong = [row for one in (invariants.I1, invariants.I2, invariants.I5) for row in invariants.broken(one)]
        self.expect(not wrong, f"it does not add up: {wrong}")
        self.step("stock adds up: what is promised and set aside is there")

    def offered_there(self) -> Share | None:
        """A share that is drained: the market shows what is set aside."""
        found = Share.objects.filter(is_guarded=True, is_drained=True, escrow__gt=0, shown=F("escrow"))
        return found.select_related("channel").order_by("-escrow", "pool").first()

    def sold_there(self, channel: Channel, number: str) -> Order | None:
        return Order.objects.filter(source_account=channel.source, external_number=number).first()

    # --- as a customer and as staff ----------------------------------------------------------------------------------

    def buy(self, sku: str) -> Order:
        """Buy as a guest, page by page."""
        visitor = Visitor(settings.WEFT_SHOP_URL)
        product = StockRecord.objects.select_related("product").get(partner_sku=sku).product
        page = visitor.open(product.get_absolute_url())
        page = visitor.send(page, page.form(to="/basket/add/"), quantity=str(QUANTITY))
        page = visitor.open("/checkout/")
        page = visitor.send(page, page.form(with_field="street"), **BUYER)
        page = visitor.send(page, page.form(with_field="token"), payment_method="bank_transfer")
        number = re.search(r"W\d{8}-[0-9A-Z]{8}", page.text)
        if "/checkout/pay/" not in page.url or number is None:
            raise Failed(f"the order was not placed; {page.url} says: {page.text[:300]}")
        return Order.objects.get(number=number.group())

    def log_in(self, login: dict[str, str]) -> Visitor:
        """A member of staff at the admin."""
        visitor = Visitor(settings.WEFT_SHOP_URL)
        page = visitor.open("/admin/login/?next=/admin/")
        page = visitor.send(page, page.form(with_field="password"), username=login["email"], password=login["password"])
        if "/login/" in page.url:
            raise Failed(f"{login['email']} cannot log in to the admin")
        return visitor

    def confirm_payment(self, order: Order) -> None:
        """The transfer has arrived: staff confirm it in the admin."""
        self.staff_action(self.staff, order, "confirm", reference="bank statement 42")
        self.expect(self.has_status(order, Status.PAID), f"order {order.number} is not paid")
        self.step(f"bank transfer for {order.number} confirmed by staff")

    def staff_action(self, visitor: Visitor, order: Order, action: str, **values: str) -> Page:
        """Open the order's page, follow its action, fill in its form."""
        page = visitor.open(f"/admin/order/order/by-number/{order.number}/")
        page = visitor.open(page.link(action))
        return visitor.send(page, page.form(with_field=next(iter(values))), **values)

    def ship(self, order: Order) -> list[clerk.Parcel]:
        """What a warehouse clerk does in the ERP."""
        home = Home.default()
        return clerk.ship(home.url(), DATABASE, home.passwords().clerk, order.number)

    # --- looking -----------------------------------------------------------------------------------------------------

    def logins(self) -> dict[str, dict[str, str]]:
        """The demo's generated logins, by group."""
        file = Path(settings.VAR) / "secrets" / "logins.json"
        if not file.exists():
            raise Failed(f"there is no {file}: run `make demo` first")
        return dict(json.loads(file.read_text()))

    def active_erp(self) -> Account | None:
        return Account.objects.filter(kind="erp", state=AccountState.ACTIVE).first()

    def choose_sku(self) -> str:
        """A product that one ERP warehouse has enough of, after a first reading."""
        self.until("a first reading of the ERP", lambda: Reading.objects.filter(finished_at__isnull=False).first())
        pools = Pool.objects.filter(shortage=0, on_hand__gte=F("reserved") + F("escrow") + 5 * QUANTITY)
        sold = StockRecord.objects.filter(product__is_public=True, partner_sku__in=pools.values("sku"))
        record = sold.filter(product__structure="standalone").order_by("partner_sku").first()
        if record is None:
            raise Failed("no product has enough stock; `make demo-reset` begins anew")
        return record.partner_sku

    def delivered(self, order: Order) -> Outgoing | None:
        row = Outgoing.objects.filter(account=self.erp, topic="erp.order", key=order.number).first()
        if row and row.parked_at:
            raise Failed(f"order {order.number} is parked: {row.parked_reason}")
        return row if row and not row.is_open else None

    def reading_after(self, row: Outgoing) -> Reading | None:
        finished = Reading.objects.filter(account=self.erp, finished_at__isnull=False)
        return finished.filter(started_at__gt=row.delivered_at).first()

    def has_status(self, order: Order, status: Status) -> bool:
        order.refresh_from_db()
        return order.status == status

    @staticmethod
    def numbers(row: Outgoing | None) -> str:
        return ", ".join(ref["number"] or ref["id"] for ref in row.refs) if row else "?"

    def until(self, what: str, look: Callable[[], T | None]) -> T:
        """Wait until `look` sees something."""
        deadline = time.monotonic() + self.patience
        while not (seen := look()):
            if time.monotonic() > deadline:
                raise Failed(f"waited {self.patience} s in vain until {what}")
            connection.close()
            time.sleep(0.3)
        return seen

    def expect(self, held: bool, otherwise: str) -> None:
        if not held:
            raise Failed(otherwise)

    def step(self, text: str) -> None:
        """One line with the time this step took."""
        now = time.monotonic()
        self.stdout.write(f"[{now - self.began:6.1f} s, +{now - self.last:5.1f}] {text}")
        self.stdout.flush()
        self.last = now
