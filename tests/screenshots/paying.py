"""Payments of the company: paid and given back in part, unlike what was due, in dispute, and refunds that went wrong.

What the provider would have said is written down by the flow, as it would have been said.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Account, AccountState, Outgoing
from integrations.hub.values import Money
from integrations.payments.base import Observed, RefundSeen, RefundStatus, TradeStatus
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import disputes, flow, numbers, refund_lines, refunds, schedule
from shop.payments.models import Attempt, AttemptStatus, RefundPart, Stray
from shop.payments.refund_lines import Wanted
from shop.stock.models import Warehouse
from tests.connectors.payments.alipay import said
from tests.connectors.payments.wechatpay import platform

ACTOR = "staff:sales@weijian.example"


# The buyers' pages of one order: what each is called, and the way, what the browser was given, and what of it is over.
TILL: dict[str, tuple[str, dict[str, Any]]] = {
    "code": ("qr", {"qr": "https://qr.alipay.com/bax03431ljhokirwl38f00a7"}),
    "way": ("page", {"redirect": "https://openapi.alipay.com/gateway.do?method=alipay.trade.page.pay"}),
    "stale": ("qr", {"qr": "https://qr.alipay.com/bax03431", "until": "2026-01-01T00:00:00+00:00"}),
    "wechat": ("jsapi", {"js": {"appId": "wx8888888888888888"}}),
}


def make(bought: Callable[..., Order], ship: Callable[[Order], Order], staff: Client) -> None:
    """`bought`: an order of so many lines that waits for online payment; `ship`: all of it leaves."""
    now = timezone.now()
    alipay, wechat = (
        Account.objects.create(kind="payments", provider=provider, name=name, state=AccountState.ACTIVE, checked_at=now,
                               active_since=now - timedelta(days=20), settings=known, credentials=secrets)
        for provider, name, known, secrets in (
            ("alipay", "支付宝", *_filled_in(said.KEY_MODE)), ("wechatpay", "微信支付", *_filled_in(platform.SETTINGS))
        )
    )  # fmt: skip
    _at_the_till(bought(1, hours=0), alipay, wechat)
    _switched_and_given_back(bought(3), alipay, wechat, ship, staff)
    _other_amount(bought(1), wechat)
    _refused(bought(1), alipay, RefundStatus.FAILED, "收款账户已注销")
    _refused(bought(2), wechat, RefundStatus.STUCK, "")
    _to_approve(bought(2), alipay)
    _disputed(bought(2), wechat)
    _begun(bought(1), alipay, "qr", AttemptStatus.OPEN)
    Stray.objects.create(account=wechat, number="7QK2M4XHT5ZB6C3DYFNVRA9PWE", remote="4200002411202611228834120957",
                         currency="CNY", captured=Decimal("268.00"), paid_at=now - timedelta(hours=3))  # fmt: skip


def _filled_in(form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What of an account's form is open, and what is secret."""
    secret = {"private_key", "apiv3_key", "app_secret"}
    return ({k: v for k, v in form.items() if k not in secret}, {k: v for k, v in form.items() if k in secret})


def _at_the_till(order: Order, alipay: Account, wechat: Account) -> None:
    """Somebody is about to pay it, and tried everything."""
    for name, (method, action) in TILL.items():
        attempt = _begun(order, wechat if name == "wechat" else alipay, method, AttemptStatus.OPEN)
        Attempt.objects.filter(pk=attempt.pk).update(action=action)


def _begun(order: Order, account: Account, method: str, status: AttemptStatus) -> Attempt:
    until = order.payment_deadline or timezone.now()
    return Attempt.objects.create(
        order=order, account=account, number=numbers.new_number(), method=method, currency=order.currency,
        total=order.total_incl_tax, status=status, expires_at=until, watched_until=until + schedule.WATCH,
        looked_at=timezone.now(),
    )  # fmt: skip


def _paid(order: Order, account: Account, method: str, more: str = "0") -> Attempt:
    """The provider says that what was due was paid, and `more`."""
    attempt = _begun(order, account, method, AttemptStatus.OPEN)
    amount = Money(order.total_incl_tax + Decimal(more), order.currency)
    seen = Observed(
        attempt.number, TradeStatus.CAPTURED, f"20261122220014{attempt.pk:014}", amount, captured=amount,
        paid_at=timezone.now(), facts={"payer_total": f"{amount.amount:.2f}"},
    )  # fmt: skip
    with flow.locked(attempt.pk) as (locked, one):
        flow.settle(locked, one, seen, began=flow.moment(), source=f"{account.name}: notice")
    flow.advance(attempt.pk)
    return Attempt.objects.get(pk=attempt.pk)


def _switched_and_given_back(
    order: Order, alipay: Account, wechat: Account, ship: Callable[[Order], Order], staff: Client
) -> None:
    """Begun with one provider, paid at the other, shipped; one unit is back, by the form itself."""
    _begun(order, alipay, "page", AttemptStatus.CLOSED)
    attempt = _paid(order, wechat, "native")
    ship(Order.objects.get(pk=order.pk))
    line = order.lines.earliest("pk")
    address = reverse("admin:order_order_refund", args=[order.pk])
    place = Warehouse.objects.get(code="SZ").pk
    form = {f"quantity_{line.pk}": 1, f"amount_{line.pk}": "20.00", "reason": "收到时有划痕", "seen": "0",
            "checked": "20.00"}  # fmt: skip
    if order.parcels.filter(lines__line=line).exists():
        form[f"restock_{line.pk}"] = place
    answer = staff.post(address, form)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    _answered(attempt.parts.get(), RefundStatus.DONE, "")


def _answered(part: RefundPart, status: RefundStatus, why: str) -> None:
    """The hub sent it, and the provider says so."""
    now = timezone.now()
    seen = RefundSeen(part.key, status, Money(part.amount, part.refund.currency), f"5030{part.pk:020}", now, why)
    with flow.locked(part.attempt_id) as (order, attempt):
        refunds.settle_part(part, order, attempt, seen, source=f"{attempt.account.name}: refund")
    Outgoing.objects.filter(topic=refunds.TOPIC, key=part.key).update(delivered=1, delivered_at=now)


def _other_amount(order: Order, account: Account) -> None:
    _paid(order, account, "jsapi", "-0.50")


def _refused(order: Order, account: Account, status: RefundStatus, why: str) -> None:
    _paid(order, account, "page" if account.provider == "alipay" else "h5")
    with lifecycle.locked(order.number) as locked:
        refund = refunds.request(locked, Decimal("15.00"), actor=ACTOR, reason="少发一件")
    _answered(refund.parts.get(), status, why)


def _to_approve(order: Order, account: Account) -> None:
    """Of a unit, above the limit."""
    _paid(order, account, "wap")
    one = refund_lines.proposal(order)[0]
    wanted = [Wanted(one.line.pk, 1, one.amount_of(1))]
    with override_settings(WEFT_REFUND_LIMIT=Decimal(1)), lifecycle.locked(order.number) as locked:
        refunds.request(locked, wanted[0].amount, actor=ACTOR, reason="客户不想要了", lines=wanted)


def _disputed(order: Order, account: Account) -> None:
    attempt, today = _paid(order, account, "native"), timezone.localdate()
    disputes.enter(
        attempt.pk, attempt.captured, opened_on=today - timedelta(days=5), evidence_due_on=today + timedelta(days=2),
        reason="投诉单 200000020261117：未收到货", actor=ACTOR,
    )  # fmt: skip
