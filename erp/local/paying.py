"""The part of the walkthrough about payments: in time, with another way, too late, given back, and into the ERP.

A person does all of it in a browser and at the practice gateways, but for one thing: the time to pay of one order is
brought forward in the database (it would be half an hour).
"""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from erp.local import buyer, clerk
from erp.local.buyer import Bought
from erp.local.gateways import Gateways
from erp.local.visitor import Page, Visitor
from erp.local.walk import Failed, Walk
from integrations.hub.models import Account
from shop.order import lifecycle
from shop.order.models import Line, Order, Status
from shop.payments.models import Attempt, AttemptStatus, PartStatus, Refund
from shop.stock import holds
from shop.stock.models import Pool

ONLINE = "online"
PAID_PAGE = "Paid. Thank you!"


class Paying:
    """Buys `sku`, and `other` once, as guests who pay online; `staff` may give money back."""

    def __init__(self, walk: Walk, staff: Visitor, sku: str, other: str) -> None:
        self.walk, self.staff, self.sku, self.other = walk, staff, sku, other
        self.gateways = Gateways()
        self.phone = Visitor(self.gateways.url)

    def go(self) -> None:
        """All of it."""
        with_alipay = self.pay_with_alipay()
        paid = [with_alipay, self.pay_with_wechat(), self.switch(), self.pay_late()]
        self.close_the_loop([order for order in paid if order.status == Status.PAID])
        self.give_a_line_back(with_alipay)

    # --- paying ------------------------------------------------------------------------------------------------------

    def pay_with_alipay(self) -> Order:
        """At Alipay's page; the browser comes back."""
        bought = self._buy({self.sku: 1, self.other: 1})
        cashier = self._begin(bought, self.gateways.alipay, "page")
        back = self.gateways.pay(bought.visitor, cashier)
        self._settled(bought, back.url)
        self.walk.step(f"order {self._sum(bought.order)} paid with Alipay at its cashier; the buyer's page says so")
        return bought.order

    def pay_with_wechat(self) -> Order:
        """A code on the screen, scanned by a phone."""
        bought = self._buy({self.sku: 1})
        shown = self._begin(bought, self.gateways.wechatpay, "native")
        self.gateways.pay(self.phone, self.gateways.scan(self.phone, self._attempt(bought).action["qr"]))
        self._settled(bought, shown.url)
        self.walk.step(f"order {self._sum(bought.order)} paid with WeChat Pay: code scanned; the page noticed")
        return bought.order

    def switch(self) -> Order:
        """As far as Alipay's cashier, then WeChat Pay after all: the first one cannot be paid any more."""
        bought = self._buy({self.sku: 1})
        self._begin(bought, self.gateways.alipay, "page")
        left = self._attempt(bought)
        shown = self._begin(bought, self.gateways.wechatpay, "native")
        self.walk.until("Alipay has closed the payment that was left", lambda: self._is_closed(left))
        self.gateways.pay(self.phone, self.gateways.scan(self.phone, self._attempt(bought).action["qr"]))
        self._settled(bought, shown.url)
        captured = sorted(attempt.captured for attempt in bought.order.attempts.all())
        self.walk.expect(captured == [0, bought.order.total_incl_tax], f"paid was {captured}, not once")
        self.walk.step(f"order {self._sum(bought.order)}: Alipay left and closed there, paid once, with WeChat Pay")
        return bought.order

    def pay_late(self) -> Order:
        """A code of Alipay's cannot be closed before somebody scans it: paid after the order's time is over."""
        before = self._free()
        bought = self._buy({self.sku: 1})
        order = bought.order
        self._begin(bought, self.gateways.alipay, "qr")
        attempt = self._attempt(bought)
        self._bring_forward(order)
        self.walk.step(f"order {self._sum(order)} waits for Alipay; its time to pay brought forward in the database")
        self.walk.until("the order is expired", lambda: self.walk.has_status(order, Status.EXPIRED))
        self.walk.expect(self._free() == before, f"available is {self._free()}, not {before} again")
        self.walk.step(f"order {order.number} expired unpaid; its goods are free again: available {before}")
        self.gateways.pay(self.phone, self.gateways.scan(self.phone, attempt.action["qr"]))
        self.walk.until("the late money is noticed", lambda: self._is_advanced(attempt))
        order.refresh_from_db()
        self.walk.step(f"order {order.number} paid too late: {self._what_became(order, attempt, before)}")
        return order

    def _what_became(self, order: Order, attempt: Attempt, before: int) -> str:
        """The goods are promised again; or they are gone, and the money goes back."""
        if order.status == Status.PAID:
            self.walk.expect(self._free() == before - 1, f"available is {self._free()}, not {before} - 1")
            return "the goods were there still, and are promised to it again"
        self.walk.until("the late money went back", lambda: self._is_given_back(attempt))
        return "the goods are gone, and the money went back by itself"

    # --- the loop, and money back ------------------------------------------------------------------------------------

    def close_the_loop(self, orders: list[Order]) -> None:
        """All of them stand in the ERP, leave there, and the shop hears of it."""
        for order in orders:
            row = self.walk.until(f"the ERP has order {order.number}", lambda order=order: self.walk.delivered(order))
            parcels = clerk.ship_here(order.number)
            gone = ", ".join(f"{parcel.number} from {parcel.warehouse}" for parcel in parcels)
            self.walk.step(f"order {order.number} is sale {self.walk.numbers(row)} in the ERP; shipment {gone}")
        for order in orders:
            self.walk.until(
                "the shop knows the shipment", lambda order=order: self.walk.has_status(order, Status.SHIPPED)
            )
        self.walk.step(f"the shop knows that {len(orders)} orders paid online were shipped")

    def give_a_line_back(self, order: Order) -> None:
        """One of its lines, by staff. The goods stay out: where they lie an ERP books what comes back."""
        line = order.lines.get(partner_sku=self.other)
        amount = line.line_price_incl_tax
        attempt = order.attempts.get(advanced_at__isnull=False)
        refund = self._ask_back(order, line)
        self.walk.expect(refund.amount == amount, f"staff's form came to {refund.amount}, not {amount}")
        self.walk.expect(not refund.needs_approval, f"refund {refund.pk} waits for approval: approve it in the admin")
        self.walk.until("the provider has given it back", lambda: self._is_done(refund))
        told = self.gateways.trade(attempt.account.provider, attempt.number)["refunded"]
        self.walk.expect(
            Decimal(told) == amount * 100, f"the gateway gave {told} fen back, not {amount} {order.currency}"
        )
        attempt.refresh_from_db()
        self.walk.expect((attempt.refunded, attempt.refund_pending) == (amount, 0), f"the books say {attempt.refunded}")
        given = f"{amount:.2f} {order.currency} for {self.other} of order {order.number}"
        self.walk.step(f"{given} given back: asked for with staff's form, done by Alipay")

    def _ask_back(self, order: Order, line: Line) -> Refund:
        """Staff's form: all units of the line, no amount; it adds up, and the same is sent once more."""
        page = self.staff.open(f"/admin/order/order/by-number/{order.number}/")
        page = self.staff.open(page.link(f"/order/order/{order.pk}/refund"))
        units = {f"quantity_{line.pk}": str(line.quantity), "reason": f"{line.quantity} x {self.other}"}
        page = self.staff.send(page, page.form(with_field="seen"), **units)
        self.staff.send(page, page.form(with_field="checked"))
        refund = order.refunds.order_by("pk").last()
        if refund is None:
            raise Failed(f"staff could not give anything of order {order.number} back")
        return refund

    # --- at the shop -------------------------------------------------------------------------------------------------

    def _buy(self, goods: dict[str, int]) -> Bought:
        return buyer.buy(goods, ONLINE)

    def _begin(self, bought: Bought, account: Account, method: str) -> Page:
        """The button of this way to pay, on the order's page."""
        page = bought.visitor.open(bought.page.url)
        return bought.visitor.send(page, page.form(to="/pay/order/"), **{"with": f"{account.pk}:{method}"})

    def _settled(self, bought: Bought, page: str) -> None:
        self.walk.until(f"order {bought.order.number} is paid", lambda: self.walk.has_status(bought.order, Status.PAID))
        self.walk.until("the buyer's page says so", lambda: PAID_PAGE in bought.visitor.open(page).text)

    def _bring_forward(self, order: Order) -> None:
        """Its time is over now, and that of what it holds."""
        with lifecycle.locked(order.number) as locked:
            locked.payment_deadline = timezone.now()
            locked.save(update_fields=["payment_deadline"])
            holds.keep(locked.pk, until=locked.payment_deadline)

    # --- looking -----------------------------------------------------------------------------------------------------

    def _attempt(self, bought: Bought) -> Attempt:
        return bought.order.attempts.select_related("account").latest("pk")

    def _is_closed(self, attempt: Attempt) -> bool:
        """Here and there."""
        attempt.refresh_from_db()
        there = self.gateways.trade(attempt.account.provider, attempt.number).get("state")
        return attempt.status == AttemptStatus.CLOSED and there == "closed"

    def _is_advanced(self, attempt: Attempt) -> bool:
        attempt.refresh_from_db()
        self.walk.expect(not attempt.review, f"payment {attempt.number} needs review: {attempt.review}")
        return attempt.advanced_at is not None

    def _is_given_back(self, attempt: Attempt) -> bool:
        attempt.refresh_from_db()
        return attempt.captured == attempt.refunded

    def _is_done(self, refund: Refund) -> bool:
        parts = list(refund.parts.all())
        failed = [part.why for part in parts if part.status == PartStatus.FAILED or part.is_stuck]
        self.walk.expect(not failed, f"the refund failed: {', '.join(failed)}")
        return all(part.status == PartStatus.DONE for part in parts)

    def _free(self) -> int:
        return Pool.objects.get(sku=self.sku).free

    @staticmethod
    def _sum(order: Order) -> str:
        return f"{order.number} ({order.total_incl_tax:.2f} {order.currency})"
