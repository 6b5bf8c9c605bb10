"""What a payment costs: the statements of its two transactions, and the CPU of taking a provider's signed notice."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.hub import MESSAGES, Remote, Say, compared
from bench.rows import Row, judged
from bench.web import Web
from integrations.hub.incoming import addresses
from integrations.hub.models import Account, AccountState
from integrations.hub.values import Money
from integrations.payments.base import Observed, TradeStatus
from shop.order.models import Order, PaymentMethod
from shop.payments import flow, numbers
from shop.payments.models import Attempt
from tests import factories

LINES = (1, 10, 50)
MONEY, ADVANCE = 8, 12  # statements, at most
APP, SELLER = "2021000000000001", "2088000000000001"


def measure(say: Say) -> list[Row]:
    return [*_settle(say), _notify(say)]


# --- statements ------------------------------------------------------------------------------------------------------


def _settle(say: Say) -> list[Row]:
    """Orders of 1, 10 and 50 lines, with accounts of an ERP and of mail that hear of them."""
    till = _account("payments", "alipay", "till")
    for kind, provider in (("erp", "tryton"), ("messages", "file")):
        _account(kind, provider, kind)
    _paid(till, 2)  # warm
    found = {lines: _paid(till, lines) for lines in LINES}
    for lines, counts in found.items():
        say(f"{lines} lines: {counts[0]} statements for the money, {counts[1]} to move the order")
    return [_row(name, [found[lines][at] for lines in LINES], most) for at, (name, most) in enumerate(
        [("payments.settle", MONEY), ("payments.advance", ADVANCE)])]  # fmt: skip


def _row(name: str, counts: list[int], most: int) -> Row:
    note = f"BEGIN and COMMIT included; {', '.join(map(str, counts))} for {', '.join(map(str, LINES))} lines"
    same = len(set(counts)) == 1
    return judged(name, "statements", max(counts), None, on="measured", most=most, note=note, also=same)


def _paid(till: Account, lines: int) -> tuple[int, int]:
    order = _order(lines)
    attempt = Attempt.objects.create(
        order=order, account=till, number=numbers.new_number(), method="page", currency=order.currency,
        total=order.total_incl_tax, status="open", expires_at=order.payment_deadline,
        watched_until=order.payment_deadline,
    )  # fmt: skip
    money = Money(order.total_incl_tax, order.currency)
    seen = Observed(attempt.number, TradeStatus.CAPTURED, "T", money, captured=money, paid_at=timezone.now())
    counts = (_count(partial(_money, attempt, seen)), _count(partial(flow.advance, attempt.pk)))
    if Order.objects.get(pk=order.pk).status != "paid":
        raise RuntimeError(f"order {order.number} is not paid")
    return counts


def _money(attempt: Attempt, seen: Observed) -> None:
    with flow.locked(attempt.pk) as (order, locked):
        flow.settle(order, locked, seen, began=timezone.now(), source="bench")


def _count(work: Callable[[], object]) -> int:
    """Of the transaction: workers are woken after its COMMIT."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries].index("COMMIT") + 1


def _order(lines: int) -> Order:
    wanted = {f"PAY-{lines}-{number}": 1 for number in range(lines)}
    for sku in wanted:
        factories.product(sku)
        factories.stock(sku, SZ=100)
    return factories.order(wanted, unit="1.00", payment_method=PaymentMethod.ONLINE, email="buyer@example.test")


# --- notices ---------------------------------------------------------------------------------------------------------


class Alipay(Remote):
    """Sends notices as Alipay does: a form, signed with RSA2."""

    key: rsa.RSAPrivateKey

    def message(self, event: str) -> tuple[bytes, dict[str, str]]:
        form = {
            "notify_id": event, "notify_type": "trade_status_sync", "notify_time": "2026-11-22 10:00:00",
            "app_id": APP, "seller_id": SELLER, "charset": "utf-8", "version": "1.0",
            "out_trade_no": "A" * 26, "trade_no": "2026112222001499019683036965",
            "trade_status": "TRADE_SUCCESS", "subject": "Order W20261122-7Q2M9K", "total_amount": "412.00",
            "receipt_amount": "412.00", "buyer_pay_amount": "412.00", "gmt_create": "2026-11-22 09:59:00",
            "gmt_payment": "2026-11-22 10:00:00",
        }  # fmt: skip
        text = "&".join(f"{name}={form[name]}" for name in sorted(form))
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        signed = {**form, "sign": base64.b64encode(signature).decode(), "sign_type": "RSA2"}
        return urlencode(signed).encode(), {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def _notify(say: Say) -> Row:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    Alipay.key = key
    accounts = [_account("payments", "alipay", f"bench {number}", key) for number in range(MESSAGES)]
    paths = [urlsplit(addresses.make(account)).path for account in accounts]
    with (
        tempfile.TemporaryDirectory(prefix="weft-bench-") as folder,
        Web("payments", "bench.bare_hub.wsgi", dict(os.environ), Path(folder)) as web,
    ):
        web.wait("/robots.txt")
        bare = Alipay(web, accounts, ["/hooks/bare/"] * MESSAGES)
        return compared("payments.notify", Alipay(web, accounts, paths), bare, say)


def _account(kind: str, provider: str, name: str, key: rsa.RSAPrivateKey | None = None) -> Account:
    account = Account(kind=kind, provider=provider, name=name, state=AccountState.ACTIVE)
    if key is not None:
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        public = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
        account.settings = {"app_id": APP, "seller_id": SELLER, "alipay_public_key": public}
        account.credentials = {"private_key": private}
    account.save()
    return account
