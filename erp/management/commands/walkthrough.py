"""`manage.py walkthrough`: orders through the running shop, its real ERP and a marketplace, as customer, staff, clerk.

Everything is done over HTTP; the database is read, to see whether what should have happened did. One thing is not
(`erp/local/paying.py`): the time to pay of one order is brought forward.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import F

from erp.local import buyer, clerk, paying
from erp.local.gateways import NoGateways
from erp.local.market import Market, NoMarket
from erp.local.rpc import Refused
from erp.local.visitor import Lost, Page, Visitor
from erp.local.walk import Failed, Walk
from integrations.hub.models import Account, AccountState, Outgoing
from shop import invariants
from shop.order.models import Order, Status
from shop.partner.models import StockRecord
from shop.stock.models import Channel, Pool, Reading, Share

QUANTITY = 2
ENOUGH = 10  # units of each product that all steps together may want


class Command(BaseCommand):
    help = (
        "Buy, pay, send to the ERP, ship there, cancel another order, pay with Alipay and WeChat Pay, in time and "
        "late, give money back, and sell on the practice marketplace: over HTTP, each step with its time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=int, default=300, help="seconds to wait for the ERP and for each step")

    def handle(self, *args: Any, **options: Any) -> None:
        self.walk = Walk(self.stdout, options["wait"])
        try:
            self.go()
        except (Failed, Lost, NoMarket, NoGateways, Refused, clerk.NothingToShip) as error:
            raise CommandError(f"FAILED: {error}") from None
        except OSError as error:
            raise CommandError(f"FAILED: the shop at {settings.WEFT_SHOP_URL} does not answer ({error}).") from None
        self.stdout.write(f"All steps passed in {self.walk.seconds:.1f} s.")

    def go(self) -> None:
        """The whole walk."""
        logins = self.logins()
        self.erp = self.walk.until("the ERP is active", self.active_erp)
        self.walk.step(f"ERP: {self.erp.name} {self.erp.remote_version} is active")
        self.staff = self.log_in(logins["finance"])
        self.sales = self.log_in(logins["sales"])
        sku, other = self.choose_skus()
        self.buy_and_ship(sku)
        self.buy_and_cancel(sku)
        paying.Paying(self.walk, self.sales, sku, other).go()
        self.sell_on_the_market()

    def buy_and_ship(self, sku: str) -> None:
        """Guest's order, transfer confirmed, sale in the ERP, reading, shipment, and the goods gone here."""
        before = Pool.objects.get(sku=sku)
        order = self.buy(sku)
        self.walk.step(
            f"order {order.number} placed as a guest: {QUANTITY} x {sku}, {order.total_incl_tax:.2f} {order.currency}"
        )
        self.confirm_payment(order)
        row = self.walk.until("the ERP has the order", lambda: self.walk.delivered(order))
        self.walk.step(f"sale {self.walk.numbers(row)} confirmed in {self.erp.name}, customer and order sent")
        reading = self.walk.until("a reading after that", lambda: self.reading_after(row))
        free = Pool.objects.get(sku=sku).free
        self.walk.expect(free == before.free - QUANTITY, f"available is {free}, not {before.free} - {QUANTITY}")
        self.walk.step(f"reading #{reading.pk} applied ({reading.rows} rows): available {before.free} -> {free}")
        for parcel in clerk.ship_here(order.number):
            self.walk.step(f"shipment {parcel.number} left {parcel.warehouse} in {self.erp.name}: {dict(parcel.goods)}")
        self.walk.until("the shop knows the shipment", lambda: self.walk.has_status(order, Status.SHIPPED))
        after = Pool.objects.get(sku=sku)
        expected = (before.on_hand - QUANTITY, before.reserved)
        self.walk.expect(
            (after.on_hand, after.reserved) == expected, f"on hand and reserved are not {expected} but {after}"
        )
        self.walk.step(f"order shipped; on hand {before.on_hand} -> {after.on_hand}, its hold is gone")

    def buy_and_cancel(self, sku: str) -> None:
        """Another order, cancelled after the ERP has it."""
        before = Pool.objects.get(sku=sku).free
        order = self.buy(sku)
        self.confirm_payment(order)
        row = self.walk.until("the ERP has the order", lambda: self.walk.delivered(order))
        self.walk.step(f"order {order.number} placed and paid; sale {self.walk.numbers(row)} in {self.erp.name}")
        self.staff_action(self.sales, order, "cancel", reason="walkthrough")
        self.walk.until("the ERP has cancelled it", lambda: self.walk.has_status(order, Status.CANCELLED))
        free = Pool.objects.get(sku=sku).free
        self.walk.expect(free == before, f"available is {free}, not {before} again")
        there = self.walk.numbers(self.walk.delivered(order))
        self.walk.step(f"cancelled in {self.erp.name} ({there}) and here; its goods are free")

    def sell_on_the_market(self) -> None:
        """Somebody buys at the practice marketplace, while its lines are bad: of what is set aside, into the ERP."""
        market = Market()
        share = self.walk.until("the market shows something that is set aside", self.offered_there)
        sku = share.pool_id
        market.faults(lose=1, delay=1, shuffle=2)
        sale = market.buy(sku, 1)
        self.walk.step(f"order {sale['number']} at {share.channel}: 1 x {sku}, of {share.escrow} set aside for it")
        order = self.walk.until("the shop has it", lambda: self.sold_there(share.channel, sale["number"]))
        self.walk.expect(order.status == Status.PAID, f"order {order.number} is {order.status}, not paid")
        row = self.walk.until("the ERP has the order", lambda: self.walk.delivered(order))
        self.walk.step(f"order {order.number} of that number here; sale {self.walk.numbers(row)} in {self.erp.name}")
        wrong = [row for one in (invariants.I1, invariants.I2, invariants.I5) for row in invariants.broken(one)]
        self.walk.expect(not wrong, f"it does not add up: {wrong}")
        self.walk.step("stock adds up: what is promised and set aside is there")

    def offered_there(self) -> Share | None:
        """A share that is drained: the market shows what is set aside."""
        found = Share.objects.filter(is_guarded=True, is_drained=True, escrow__gt=0, shown=F("escrow"))
        return found.select_related("channel").order_by("-escrow", "pool").first()

    def sold_there(self, channel: Channel, number: str) -> Order | None:
        return Order.objects.filter(source_account=channel.source, external_number=number).first()

    # --- as a customer and as staff ----------------------------------------------------------------------------------

    def buy(self, sku: str) -> Order:
        """As a guest, by bank transfer."""
        return buyer.buy({sku: QUANTITY}, "bank_transfer").order

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
        self.walk.expect(self.walk.has_status(order, Status.PAID), f"order {order.number} is not paid")
        self.walk.step(f"bank transfer for {order.number} confirmed by staff")

    def staff_action(self, visitor: Visitor, order: Order, action: str, **values: str) -> Page:
        """Open the order's page, follow its action, fill in its form."""
        page = visitor.open(f"/admin/order/order/by-number/{order.number}/")
        page = visitor.open(page.link(action))
        return visitor.send(page, page.form(with_field=next(iter(values))), **values)

    # --- looking -----------------------------------------------------------------------------------------------------

    def logins(self) -> dict[str, dict[str, str]]:
        """The demo's generated logins, by group."""
        file = Path(settings.VAR) / "secrets" / "logins.json"
        if not file.exists():
            raise Failed(f"there is no {file}: run `make demo` first")
        return dict(json.loads(file.read_text()))

    def active_erp(self) -> Account | None:
        return Account.objects.filter(kind="erp", state=AccountState.ACTIVE).first()

    def choose_skus(self) -> list[str]:
        """Two products of which there is enough, after a first reading of the ERP."""
        self.walk.until("a first reading of the ERP", lambda: Reading.objects.filter(finished_at__isnull=False).first())
        pools = Pool.objects.filter(shortage=0, on_hand__gte=F("reserved") + F("escrow") + ENOUGH)
        sold = StockRecord.objects.filter(product__is_public=True, partner_sku__in=pools.values("sku"))
        found = sold.filter(product__structure="standalone").order_by("partner_sku")[:2]
        if len(found) < 2:
            raise Failed("no two products have enough stock; `make demo-reset` begins anew")
        return [record.partner_sku for record in found]

    def reading_after(self, row: Outgoing) -> Reading | None:
        finished = Reading.objects.filter(account=self.erp, finished_at__isnull=False)
        return finished.filter(started_at__gt=row.delivered_at).first()
