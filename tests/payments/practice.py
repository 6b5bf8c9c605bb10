"""The practice gateways beside a shop under test: accounts on them, notices caught on their way, the shop at rest."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.test import Client
from django.utils import timezone

from integrations.hub.incoming import refusals
from integrations.hub.models import Account, Incoming, Outgoing, Pause
from integrations.hub.models import Attempt as Sent
from integrations.sandbox.payments import payer
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import tasks
from shop.payments.models import OPEN_PART, Attempt, AttemptStatus, EntryKind, PartStatus, RefundPart
from tests import factories
from tests.hub.conftest import heed_due, send_due
from tests.sandbox.payments.conftest import Gateways

_PAYER = "|".join(re.escape(each) for each in payer.EVERYTHING)
SECRETS = {"private_key", "apiv3_key", "app_secret"}
ON_THEIR_WAY = ("PROCESSING", "ABNORMAL")


def account(gateways: Gateways, provider: str) -> Account:
    """An account on the practice gateway, as the merchant got it."""
    given = gateways.alipay if provider == "alipay" else _wechatpay(gateways)
    names = {"app_id", "seller_id", "private_key", "alipay_public_key", "gateway", "mchid", "appid", "serial", "url",
             "apiv3_key", "public_key_id", "public_key", "app_secret", "sign_in_url", "openid_url"}  # fmt: skip
    chosen = {name: value for name, value in given.items() if name in names}
    made = factories.account(
        "payments", provider, name=provider,
        settings={name: value for name, value in chosen.items() if name not in SECRETS},
    )  # fmt: skip
    made.credentials = {name: value for name, value in chosen.items() if name in SECRETS}
    made.save()
    return made


def _wechatpay(gateways: Gateways) -> dict[str, Any]:
    given = gateways.wechatpay
    return given | {
        "serial": given["serial_no"], "url": gateways.base,
        "sign_in_url": f"{gateways.base}/connect/oauth2/authorize",
        "openid_url": f"{gateways.base}/sns/oauth2/access_token",
    }  # fmt: skip


# --- notices ---------------------------------------------------------------------------------------------------------


@dataclass
class Letterbox:
    """Stands where the shop's door is, and keeps what is brought: path, headers, bytes. Nothing of it reaches the shop
    until `deliver`."""

    url: str = ""
    kept: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def take(self) -> tuple[str, dict[str, str], bytes]:
        return self.kept.pop()


@contextmanager
def letterbox() -> Iterator[Letterbox]:
    box = Letterbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            box.kept.append((self.path, headers, body))
            self.send_response(200)
            self.send_header("content-length", "7")
            self.end_headers()
            self.wfile.write(b"success")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_port}"
    yield box
    server.shutdown()
    server.server_close()
    thread.join()


def deliver(parcel: tuple[str, dict[str, str], bytes]) -> int:
    """Hand a notice in at the shop's real door; returns the status."""
    path, headers, body = parcel
    refusals.forget()
    sent = {name: value for name, value in headers.items() if name.startswith("wechatpay-")}
    answer = Client(raise_request_exception=False).post(path, body, content_type=headers["content-type"], headers=sent)
    return answer.status_code


# --- coming to rest --------------------------------------------------------------------------------------------------


def quiesce(accounts: Iterable[Account]) -> None:
    """All that workers do, again and again with due times brought forward, until twice nothing changes any more."""
    accounts, still = list(accounts), 0
    for _ in range(20):
        before = _state()
        hurry()
        for one in accounts:
            heed_due(one)
        tasks.close_overdue()
        tasks.look()
        lifecycle.expire_overdue()
        tasks.advance()
        for one in accounts:
            send_due(one)
        still = still + 1 if _state() == before else 0
        if still == 2:
            return
    raise AssertionError(f"it does not come to rest: {_state()}")


def hurry() -> None:
    """Whatever waits is due now."""
    past = timezone.now() - timedelta(seconds=1)
    Incoming.objects.filter(done_at=None).update(next_at=past, lease_until=None)
    Outgoing.objects.filter(account__kind="payments").update(next_at=past)
    Outgoing.objects.filter(account__kind="payments", lease_until__isnull=False).update(lease_until=past)
    Attempt.objects.filter(look_at__isnull=False).update(look_at=past, looked_at=None)
    Attempt.objects.filter(advance_at__isnull=False).update(advance_at=past)
    Pause.objects.all().delete()
    Sent.objects.update(started_at=F("started_at") - timedelta(hours=1))  # long enough to have arrived


def _state() -> list[Any]:
    open_ = Incoming.objects.filter(done_at=None, parked_at=None).count()
    wished = Outgoing.objects.filter(account__kind="payments", delivered=0, parked_at=None).count()
    attempts = Attempt.objects.order_by("pk").values_list(
        "status", "captured", "refunded", "refund_pending", "advanced_at", "review", "close_at"
    )
    parts = RefundPart.objects.order_by("pk").values_list("key", "status", "is_stuck")
    return [open_, wished, *attempts, *parts, *Order.objects.order_by("pk").values_list("status", flat=True)]


# --- what stands here, and there -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Books:
    """What a payment came to. Amounts in yuan; `refunds`: amount and state by our key."""

    captured: Decimal
    refunded: Decimal
    pending: Decimal
    refunds: dict[str, tuple[Decimal, str]]


def here(attempt: Attempt) -> Books:
    """By our rows; the entries have to say the same."""
    one = Attempt.objects.get(pk=attempt.pk)
    sums = {
        kind: sum((e.amount for e in one.entries.filter(kind=kind, currency=one.currency)), Decimal(0))
        for kind in EntryKind
    }
    assert (sums["captured"], sums["refunded"]) == (one.captured, one.refunded), "the entries say something else"
    words = {PartStatus.DONE: "SUCCESS", PartStatus.PENDING: "PROCESSING"}
    parts = one.parts.exclude(status=PartStatus.FAILED)
    refunds = {p.key: (p.amount, "ABNORMAL" if p.is_stuck else words[PartStatus(p.status)]) for p in parts}
    return Books(one.captured, one.refunded, one.refund_pending, refunds)


def there(gateways: Gateways, attempt: Attempt) -> Books:
    """By the gateway's own book."""
    trade = gateways.trade(attempt.account.provider, attempt.number)
    refunds = {r["name"]: (yuan(r["amount"]), r["state"]) for r in trade.get("refunds", []) if r["state"] != "CLOSED"}
    paid = yuan(trade["paid"]["total"]) if trade.get("paid_at") else Decimal(0)
    pending = sum((amount for amount, state in refunds.values() if state in ON_THEIR_WAY), Decimal(0))
    return Books(paid, yuan(trade.get("refunded", 0)), pending, refunds)


def status_there(gateways: Gateways, attempt: Attempt) -> AttemptStatus:
    """The status that the gateway's book means."""
    trade = gateways.trade(attempt.account.provider, attempt.number)
    if trade.get("paid_at"):
        return AttemptStatus.CAPTURED
    if not trade or not trade["remote"]:
        return AttemptStatus.ABSENT
    return AttemptStatus.CLOSED if trade["state"] == "closed" else AttemptStatus.OPEN


def yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def tells_of_the_payer() -> list[str]:
    """Tables in which anything stands of what the gateways tell of their payer."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT 1 FROM "{table}" t WHERE t::text ~ %s LIMIT 1', [_PAYER])
            found += [table] if cursor.fetchone() else []
    return found


def is_refund_failed() -> bool:
    """Is any refund on the worklist: refused, or stuck at the provider?"""
    return RefundPart.objects.filter(OPEN_PART | Q(is_stuck=True)).exists()
