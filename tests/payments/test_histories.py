"""The histories of payments at both practice gateways, their notices in every order, each also twice.

Real connectors, the real door, real PostgreSQL; the gateways are a process of their own. Each order is played anew:
started, paid, given back over the wire. While notices come in, a look shows the final truth, the truth as it was when
the notice was written (the gateway's own bytes, kept then), or fails. In the end our books are the gateway's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import permutations, product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.http import Door, Reply
from integrations.hub.incoming import addresses
from integrations.hub.models import Account, Incoming
from integrations.hub.values import Money
from integrations.payments.base import Payments, Refund
from shop import invariants
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import refunds, starting, tasks, topics, watching
from shop.payments.models import Attempt, RefundPart
from shop.stock.models import Pool
from tests import factories
from tests.hub.conftest import heed_due, send_due
from tests.payments.practice import (
    Letterbox,
    account,
    deliver,
    here,
    hurry,
    is_refund_failed,
    letterbox,
    quiesce,
    status_there,
    tells_of_the_payer,
    there,
)
from tests.sandbox.payments.conftest import Gateways, fetch, keys
from tests.savepoints import taken_back

__all__ = ["keys"]
pytestmark = pytest.mark.django_db

METHODS = {"alipay": ("qr", "page"), "wechatpay": ("native", "h5")}
FINAL, THEN, FAILING = "final", "then", "failing"
MODES = (FINAL, THEN, FAILING)
FAULTS = ("lose", "error", "html_503", "limited")
Parcel = tuple[str, dict[str, str], bytes]
Run = tuple[tuple[int, ...], str, bool]  # notices by number, mode, each twice


class Line:
    """The way out, as it is; what was answered to reads can be kept, and be answered again."""

    def __init__(self) -> None:
        self.request = Door.request
        self.kept: dict[str, Reply] | None = None
        self.again: dict[str, Reply] = {}

    def __call__(self, door: Door, method: str, url: str, **given: Any) -> Reply:
        asked = _asked(method, url, given)
        if asked in self.again:
            return self.again[asked]
        reply = self.request(door, method, url, **given)
        if self.kept is not None and not given.get("writes", True):
            self.kept[asked] = reply
        return reply


def _asked(method: str, url: str, given: dict[str, Any]) -> str:
    parts = urlsplit(url)
    called = parse_qs(parts.query).get("method", [""])[0]
    return f"{method} {parts.path} {called} {given.get('body') if called else ''}"


@dataclass
class Play:
    """One history being played: what is done there and here, and the notices that this brings."""

    gateways: Gateways
    box: Letterbox
    account: Account
    line: Line
    mode: str
    order: Order
    names: list[str] = field(default_factory=list)
    then: dict[str, dict[str, Reply]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)  # refunds made there, and of which trade
    is_anothers: bool = False

    @property
    def provider(self) -> str:
        return self.account.provider

    def begin(self, which: int = 0) -> Attempt:
        """A buyer chooses a way to pay, and has it before them."""
        attempt = starting.begin(self.order, self.account, METHODS[self.provider][which], payer_ip="203.0.113.9")
        if self.provider == "alipay" and which:
            fetch(attempt.action["redirect"])
        self.gateways.ask("decline", self._named(attempt))
        return attempt

    def _named(self, attempt: Attempt) -> dict[str, str]:
        return {"provider": self.provider, "number": attempt.number}

    def pay(self, attempt: Attempt, **otherwise: Any) -> None:
        self.gateways.pay(self.provider, attempt.number, **otherwise)
        self.note()

    def close_there(self, attempt: Attempt) -> None:
        self.gateways.ask("close", self._named(attempt))
        self.note()

    def look(self, attempt: Attempt) -> None:
        """A beat asks before any notice is in."""
        hurry()
        assert watching.look(attempt.pk)
        tasks.advance()

    def give_back(self, amount: str, *, lost: bool = True) -> RefundPart:
        """Staff give money back; what the provider answers gets lost, where anything is to go wrong."""
        with lifecycle.locked(self.order.number) as order:
            part = refunds.request(order, Decimal(amount), actor="staff:li", reason="刮花了").parts.get()
        if lost and self.mode != FINAL:
            self.gateways.ask("faults", {f"{self.provider}.refund": {"cut": 1}})
        send_due(self.account)
        self.note()
        return part

    def give_back_there(self, attempt: Attempt, amount: str) -> None:
        """Another of the merchant's systems gives money back, under a number of its own."""
        key = f"OFFICE-{attempt.number[:9].lower()}_{len(self.others)}"
        self.others[key] = attempt.number
        money, total = Money(Decimal(amount), "CNY"), Money(attempt.total, "CNY")
        remote: Payments = registry.connect(self.account)
        remote.refund(Refund(key, attempt.number, money, total, "样品", addresses.ours(self.account)))
        self._end(attempt, key, "SUCCESS")

    def end(self, part: RefundPart, state: str) -> None:
        """How WeChat Pay's refund went; Alipay's are done at once."""
        self._end(part.attempt, part.key, state)

    def _end(self, attempt: Attempt, key: str, state: str) -> None:
        if self.provider == "wechatpay":
            self.gateways.ask("refund", {**self._named(attempt), "name": key, "state": state})
        self.note()

    def over(self, minutes: float = 6) -> None:
        """The time to pay is over, so long ago that nobody waits for the provider any more."""
        Order.objects.filter(pk=self.order.pk).update(payment_deadline=timezone.now() - timedelta(minutes=minutes))

    def note(self) -> None:
        """Which notices that brought, and what the gateway answers at this moment."""
        mine = set(Attempt.objects.values_list("number", flat=True))
        names = [one["name"] for one in self.gateways.notices() if one["number"] in mine]
        new = [name for name in names if name not in self.names]
        if new and self.mode == THEN:
            self.line.kept = {}
            remote: Payments = registry.connect(self.account)
            for attempt in Attempt.objects.all():
                remote.look(attempt.number)
            for part in RefundPart.objects.select_related("attempt", "refund"):
                remote.look_refund(topics.asked(part))
            for key, number in self.others.items():
                remote.look_made_there(key, number)
            self.then |= dict.fromkeys(new, self.line.kept)
            self.line.kept = None
        self.names += new

    def parcel(self, name: str) -> Parcel:
        """Its bytes, signed now; each time it is sent they are others."""
        self.gateways.ask("notices", {"release": [name]})
        return self.box.take()

    def hear(self, name: str, parcel: Parcel) -> None:
        """It comes in, and a worker heeds it. One for another merchant is refused at the door."""
        self.line.again = self.then.get(name, {})
        assert deliver(parcel) in ((401,) if self.is_anothers else (200, 204))
        hurry()
        heed_due(self.account)
        self.line.again = {}


@dataclass(frozen=True)
class History:
    """What happens, and how the order stands in the end. `failed`: a refund waits for a person."""

    play: Callable[[Play], None]
    ends: Status
    review: str = ""
    failed: bool = False
    needs_notices: bool = False  # what only they tell of is not seen before
    providers: Sequence[str] = ("alipay", "wechatpay")


def expired_unpaid(play: Play) -> None:
    attempt = play.begin()
    play.over()
    play.close_there(attempt)


def paid(play: Play) -> None:
    play.pay(play.begin())


def wholly_refunded(play: Play) -> None:
    attempt = play.begin()
    play.pay(attempt)
    play.look(attempt)
    play.end(play.give_back("113.00"), "SUCCESS")


def refunded_in_parts(play: Play) -> None:
    attempt = play.begin()
    play.pay(attempt)
    play.look(attempt)
    first, second = play.give_back("13.00"), play.give_back("50.00")
    play.end(second, "SUCCESS")
    play.end(first, "SUCCESS")


def refunded_there(play: Play) -> None:
    """In part on the provider's own pages, and then from here."""
    attempt = play.begin()
    play.pay(attempt)
    play.look(attempt)
    play.give_back_there(attempt, "20.00")
    play.end(play.give_back("13.00"), "SUCCESS")


def refunded_there_and_whole(play: Play) -> None:
    """Of Alipay the trade itself says at last that all of it is back."""
    attempt = play.begin()
    play.pay(attempt)
    play.look(attempt)
    play.give_back_there(attempt, "13.00")
    play.give_back_there(attempt, "100.00")


def refund_failed(play: Play) -> None:
    attempt = play.begin()
    play.pay(attempt)
    play.look(attempt)
    if play.provider == "alipay":
        play.gateways.ask("faults", {"alipay.refund": {"not_enough": 1}})
    play.end(play.give_back("13.00", lost=play.provider != "alipay"), "ABNORMAL")


def refund_settled_by_hand(play: Play) -> None:
    """WeChat Pay: in the merchant platform. Alipay: its account is topped up, it is asked for again."""
    refund_failed(play)
    part = RefundPart.objects.get()
    if play.provider == "alipay":
        RefundPart.objects.update(closed_at=timezone.now(), closed_note="topped up")
        play.give_back("13.00")
    play.end(part, "SUCCESS")


def paid_late(play: Play) -> None:
    """The order expired while the provider could not be reached; the goods are still there."""
    attempt = play.begin()
    _expired_here(play)
    play.pay(attempt)


def paid_late_goods_gone(play: Play) -> None:
    attempt = play.begin()
    _expired_here(play)
    factories.order({"CHAIR-1": 3})
    play.pay(attempt)


def _expired_here(play: Play) -> None:
    play.over()
    play.gateways.ask("faults", {f"{play.provider}.{name}": {"lose": 9} for name in ("close", "query")})
    hurry()
    tasks.close_overdue()
    assert tasks.look() == 0
    assert lifecycle.expire_overdue() == 1
    play.gateways.ask("faults", {"clear": True})


def both_paid(play: Play) -> None:
    """Another way is chosen, and both pages are open: of both payments the earlier counts."""
    first = play.begin()
    second = play.begin(1)
    play.pay(second)
    play.pay(first)


def another_total(play: Play) -> None:
    play.pay(play.begin(), total=11299)


def another_currency(play: Play) -> None:
    play.pay(play.begin(), currency="USD")


def another_payee(play: Play) -> None:
    play.is_anothers = True
    play.pay(play.begin(), payee="1600000000")


HISTORIES = [
    History(expired_unpaid, Status.EXPIRED),
    History(paid, Status.PAID),
    History(wholly_refunded, Status.PAID),
    History(refunded_in_parts, Status.PAID),
    History(refunded_there, Status.PAID, needs_notices=True),
    History(refunded_there_and_whole, Status.PAID, needs_notices=True),
    History(refund_failed, Status.PAID, failed=True),
    History(refund_settled_by_hand, Status.PAID),
    History(paid_late, Status.PAID),
    History(paid_late_goods_gone, Status.EXPIRED),
    History(both_paid, Status.PAID),
    History(another_total, Status.PENDING_PAYMENT, review="paid 112.99 of 112.99, due were 113"),
    History(another_currency, Status.PENDING_PAYMENT, review="paid in USD instead of CNY"),
    # Alipay names the payee in notices only, and those of another seller are refused at the door.
    History(another_payee, Status.PENDING_PAYMENT, review="paid to 1600000000 instead of", providers=("wechatpay",)),
]
CASES = [pytest.param(one, each, id=f"{one.play.__name__}-{each}") for one in HISTORIES for each in one.providers]


@pytest.fixture
def gateways(keys: Path, tmp_path: Path, settings: Any) -> Iterator[Gateways]:
    shutil.copytree(keys, tmp_path / "keys")
    started = Gateways(tmp_path / "keys")
    started.ask("notices", {"hold": True})
    started.ask("refunds", {"by_hand": True})
    settings.WEFT_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{started.port}"})
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # the test itself is one
    yield started
    started.stop()


@pytest.fixture
def box(settings: Any) -> Iterator[Letterbox]:
    with letterbox() as made:
        settings.WEFT_SHOP_URL = made.url
        yield made


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    made = Line()
    monkeypatch.setattr(Door, "request", lambda door, method, url, **given: made(door, method, url, **given))
    return made


@pytest.mark.parametrize(("history", "provider"), CASES)
def test_our_books_are_the_providers(
    history: History, provider: str, gateways: Gateways, box: Letterbox, line: Line
) -> None:
    shop = account(gateways, provider)
    addresses.ours(shop)
    factories.china()
    factories.product()
    factories.stock(SZ=3)
    runs: list[Run] = [((), FINAL, False)]  # the first one shows how many notices there are
    for at, (told, mode, twice) in enumerate(runs):
        with taken_back():
            play = Play(gateways, box, shop, line, mode, factories.order(payment_method=PaymentMethod.ONLINE))
            history.play(play)
            if at == 0:
                runs += _runs(len(play.names))
            _hear(play, told, twice=twice, fault=FAULTS[at % len(FAULTS)])
            quiesce([shop])
            if told or not history.needs_notices:
                _agrees(play, history)


def _runs(notices: int) -> list[Run]:
    """Every order, each notice twice, in one of the modes. The long form: every order in every mode, once and twice."""
    assert notices <= 6, "more than 720 orders"
    orders = list(permutations(range(notices)))
    if settings.WEFT_DEEP:
        return list(product(orders, MODES, (False, True)))
    return [(orders[at % len(orders)], MODES[at % len(MODES)], True) for at in range(max(len(orders), len(MODES)))]


def _hear(play: Play, told: Sequence[int], *, twice: bool, fault: str) -> None:
    """The notices in this order, and then perhaps all of them once more, backwards."""
    names = [play.names[place] for place in told]
    names += reversed(names) if twice else []
    parcels = [play.parcel(name) for name in names]
    if play.mode == FAILING:
        operations = [f"{play.provider}.{name}" for name in ("query", "refund_query")]
        play.gateways.ask("faults", {name: {fault: 99} for name in operations})
    for name, parcel in zip(names, parcels, strict=True):
        play.hear(name, parcel)
    play.gateways.ask("faults", {"clear": True})


def _agrees(play: Play, history: History) -> None:
    """Every fact here is the gateway's; only what has to wait for a person does."""
    for _ in range(3):  # what was given back by itself is on its way at WeChat Pay
        under_way = [p for p in RefundPart.objects.filter(status="pending", is_stuck=False).select_related("attempt")]
        for part in under_way:
            play.end(part, "SUCCESS")
        quiesce([play.account])
    for attempt in Attempt.objects.select_related("account"):
        books = there(play.gateways, attempt)
        for (
            key
        ) in play.others:  # they are in the sum; one by one where the provider told of each before it told the sum
            books.refunds.pop(key, None)
        assert here(attempt) == books
        assert attempt.status == status_there(play.gateways, attempt)
    order = Order.objects.get(pk=play.order.pk)
    assert order.status == history.ends
    kept = sum(a.captured - a.refunded for a in order.attempts.all())
    assert (order.status == Status.PAID) == (order.paid_at is not None)
    assert Pool.objects.get().reserved == (
        3 if history.play is paid_late_goods_gone else order.status != Status.EXPIRED
    )
    reviews = [one.review for one in order.attempts.all() if one.review]
    assert len(reviews) == bool(history.review) and all(one.startswith(history.review) for one in reviews), reviews
    assert is_refund_failed() is history.failed
    assert tells_of_the_payer() == [], "what the provider says of its payer is not ours to keep"
    assert not Incoming.objects.filter(done_at=None).exists(), "nothing waits for anybody"
    assert {one.id: found for one in invariants.registered() if (found := invariants.broken(one))} == {}
    if history.play in (paid, paid_late, both_paid):
        assert kept == Decimal("113.00")
    if history.play in (wholly_refunded, refunded_there_and_whole, paid_late_goods_gone):
        assert kept == 0
