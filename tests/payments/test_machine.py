"""Everything that may happen to money, in any order, on real PostgreSQL and at a strict provider in memory.

After each step all invariants hold, and no refund goes back twice. In the end, once everything that is due was done,
the provider's book and ours are equal. `make test` runs the same examples every time, `make test-deep` new ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from integrations.hub import outgoing, registry
from integrations.hub.errors import HubError, OutcomeUnknown, TryAgain
from integrations.hub.hearing import Hearing
from integrations.hub.models import Outgoing
from integrations.hub.values import Hint
from integrations.payments.base import REFUND, TRADE, RefundStatus, TradeStatus
from shop import invariants
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import aftercare, disputes, flow, numbers, refunds, starting, tasks, watching
from shop.payments.models import (
    OPEN_PART,
    OPEN_REVIEW,
    WAITING_REFUND,
    Attempt,
    AttemptStatus,
    DisputeStatus,
    EntryKind,
    PartStatus,
    Refund,
    RefundPart,
)  # fmt: skip
from shop.payments.news import RefundNews, TradeNews
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold
from tests import factories
from tests.hub.conftest import send_due
from tests.payments.practice import hurry, quiesce
from tests.payments.till import Strict, Till

pytestmark = pytest.mark.django_db

GROUPS = 2  # so that several workers share the work
EXAMPLES, STEPS = (400, 60) if settings.WEFT_DEEP else (10, 30)
WHICH = st.integers(0, 9)
AMOUNT = st.sampled_from(("13.00", "50.00", "61.00", "113.00"))
LINE = st.sampled_from(("answered", "lost", "unreachable"))
ZERO = Decimal(0)
LETTERS = str.maketrans("0123456789", "ABCDEFGHIJ")


class Killed(BaseException):
    """The process dies here: nothing catches it, and what was not committed is gone."""


@dataclass
class News:
    """What the provider tells, however often it is heard."""

    hearing: Hearing
    hint: Hint
    is_heard: bool = False


class Paying(RuleBasedStateMachine):
    """Buyers, staff, workers and a provider, and a bad network between them all."""

    patch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.block: Any = transaction.atomic()
        self.block._from_testcase = True
        self.block.__enter__()
        self.book = Strict()
        self.patch.setattr(Till, "book", self.book)
        self.account = factories.account("payments", "till", name="till")
        factories.product()
        factories.stock(SZ=4)
        self.news: list[News] = []
        self.flight: list[tuple[News, Any]] = []  # questions whose answer is not written yet
        self.bugs: list[str] = []
        # Ours are random, and rows are locked in their order: the same example must go the same way again.
        made = itertools.count()
        self.patch.setattr(numbers, "new_number", lambda: f"N{next(made):025}".translate(LETTERS))
        self.lies: set[int] = set()  # refunds of which the provider said that they had failed, and did them
        for module in (flow, watching):
            self.patch.setattr(module.log, "exception", lambda text, *given: self.bugs.append(text % given))

    def teardown(self) -> None:
        try:
            self.comes_to_rest()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @initialize(is_paid=st.sampled_from((True, True, False)), refunds_go_to=st.sampled_from(tuple(RefundStatus)))
    def begin(self, is_paid: bool, refunds_go_to: RefundStatus) -> None:
        """Mostly money is there already: most of what can go wrong begins with it."""
        self.book.refund_to = refunds_go_to
        if is_paid:
            order = factories.order(payment_method=PaymentMethod.ONLINE)
            self.book.pay(starting.begin(order, self.account, "page").number)
            hurry()
            tasks.look()

    # --- the buyer ---

    @precondition(lambda self: Order.objects.count() < 3)
    @rule()
    def buy(self) -> None:
        with suppress(OutOfStock):
            factories.order(payment_method=PaymentMethod.ONLINE)

    @precondition(lambda self: not Order.objects.filter(payment_method=PaymentMethod.BANK_TRANSFER).exists())
    @rule(units=st.integers(1, 3))
    def somebody_else_buys(self, units: int) -> None:
        with suppress(OutOfStock):
            factories.order({"CHAIR-1": units})

    @precondition(lambda self: online().exists())
    @rule(which=WHICH, method=st.sampled_from(("page", "page", "qr")), line=LINE)
    def choose(self, which: int, method: str, line: str) -> None:
        """A way to pay, perhaps another one than before."""
        with self.network(line), suppress(starting.CannotPay):
            starting.begin(pick(online(), which), self.account, method)

    @precondition(lambda self: self.payable())
    @rule(which=WHICH, amount=st.sampled_from((*["113.00"] * 9, "112.99")), is_told=st.booleans())
    def pay(self, which: int, amount: str, is_told: bool) -> None:
        numbers = self.payable()
        number = numbers[which % len(numbers)]
        self.book.pay(number, amount)
        if is_told:  # otherwise its notice is lost for ever
            self.news.append(News(TradeNews(), Hint(TRADE, number)))

    def payable(self) -> list[str]:
        """Nobody pays what is closed or paid there; a QR code makes its trade when it is scanned."""
        found = []
        for attempt in Attempt.objects.order_by("pk"):
            status = self.book.seen(attempt.number).status
            if status is TradeStatus.OPEN or (status is TradeStatus.ABSENT and attempt.action.get("qr")):
                found.append(attempt.number)
        return found

    # --- time ---

    @precondition(lambda self: online().filter(status=Status.PENDING_PAYMENT, payment_deadline__isnull=False).exists())
    @rule(which=WHICH, minutes=st.sampled_from((1, 6)))
    def time_is_over(self, which: int, minutes: int) -> None:
        over(pick(online().filter(status=Status.PENDING_PAYMENT, payment_deadline__isnull=False), which), minutes)

    @precondition(lambda self: lifecycle.overdue().exists())
    @rule()
    def expire(self) -> None:
        lifecycle.expire_overdue()

    @precondition(lambda self: watching.overdue().exists())
    @rule()
    def close_overdue(self) -> None:
        tasks.close_overdue()

    # --- workers ---

    @rule(line=LINE, dies=st.booleans())
    def ask(self, line: str, dies: bool) -> None:
        """The beat; it may die between the money and the order."""
        hurry()
        with self.network(line), suppress(Killed), self.dying(flow, "advance", dies, before=True):
            tasks.look()

    @precondition(lambda self: Attempt.objects.filter(advance_at__isnull=False).exists())
    @rule(dies=st.booleans())
    def advance(self, dies: bool) -> None:
        hurry()
        with suppress(Killed), self.dying(lifecycle, "pay", dies):
            tasks.advance()

    @precondition(lambda self: Outgoing.objects.filter(topic=refunds.TOPIC, delivered=0).exists())
    @rule(line=LINE, to=st.sampled_from(tuple(RefundStatus)), dies=st.sampled_from((False, False, True)))
    def send(self, line: str, to: RefundStatus, dies: bool) -> None:
        hurry()
        self.book.refund_to = to
        with self.network(line), suppress(Killed), self.dying(refunds, "settle_part", dies):
            send_due(self.account)

    @precondition(lambda self: self.news)
    @rule(which=WHICH)
    def hear(self, which: int) -> None:
        """A notice comes, perhaps again: the provider is asked, and the answer is not written yet."""
        one = self.news[which % len(self.news)]
        self.flight.append((one, one.hearing.look(registry.connect(self.account), one.hint)))

    @precondition(lambda self: self.flight)
    @rule(which=WHICH, dies=st.sampled_from((False, False, True)))
    def write(self, which: int, dies: bool) -> None:
        """One of the answers, whichever came first."""
        self.land(which % len(self.flight), dies=dies)

    def land(self, place: int, *, dies: bool = False) -> None:
        one, truth = self.flight[place]
        with suppress(Killed), outgoing.recording():
            one.hearing.lock(self.account, one.hint)
            one.hearing.settle(self.account, one.hint, truth)
            if dies:
                raise Killed
            one.is_heard = True
            self.flight.pop(place)

    # --- the provider ---

    @precondition(lambda self: self.movable())
    @rule(which=WHICH, to=st.sampled_from((RefundStatus.DONE, RefundStatus.FAILED, RefundStatus.STUCK)))
    def refund_goes_on(self, which: int, to: RefundStatus) -> None:
        keys = self.movable()
        self.move(keys[which % len(keys)], to)

    def movable(self) -> list[str]:
        """Refunds there of which something may still come; once it was settled by hand nobody does it there."""
        open_ = set(RefundPart.objects.filter(status=PartStatus.PENDING).values_list("key", flat=True))
        on_their_way = (RefundStatus.PENDING, RefundStatus.STUCK)
        return [key for key, one in self.book.refunds.items() if key in open_ and one.status in on_their_way]

    def move(self, key: str, to: RefundStatus) -> None:
        self.book.refunds[key] = replace(self.book.refunds[key], status=to)
        self.news.append(News(RefundNews(), Hint(REFUND, key, {"number": self.book.of[key]})))

    @precondition(lambda self: self.refused())
    @rule(which=WHICH)
    def did_it_after_all(self, which: int) -> None:
        keys = self.refused()
        key = keys[which % len(keys)]
        self.lies.add(RefundPart.objects.get(key=key).refund_id)
        self.move(key, RefundStatus.DONE)

    def refused(self) -> list[str]:
        """Of those that the provider refused the ones it still could do."""
        found = []
        for key, one in self.book.refunds.items():
            fits = self.book.left(self.book.of[key]) >= one.amount.amount
            is_ours = RefundPart.objects.filter(OPEN_PART, key=key).exists()
            if one.status is RefundStatus.FAILED and fits and is_ours and not self.by_hand(self.book.of[key]):
                found.append(key)
        return found

    @precondition(lambda self: self.givable())
    @rule(which=WHICH, amount=AMOUNT)
    def given_back_there(self, which: int, amount: str) -> None:
        """The merchant gives money back on the provider's own pages."""
        numbers = self.givable()
        number = numbers[which % len(numbers)]
        given = min(Decimal(amount), self.book.left(number))
        self.book.theirs[number] = self.book.theirs.get(number, ZERO) + given
        key = f"THEIRS{len(self.news)}"
        self.news.append(News(RefundNews(), Hint(REFUND, key, {"number": number})))

    def givable(self) -> list[str]:
        paid = [number for number in self.book.trades if self.book.left(number) > 0]
        return [number for number in paid if not self.by_hand(number)]

    def by_hand(self, number: str) -> Decimal:
        """What of a payment was given back without its provider."""
        one = Attempt.objects.get(number=number)
        entries = one.entries.filter(kind=EntryKind.REFUNDED, source__endswith=": by hand")
        return sum((entry.amount for entry in entries), ZERO)

    # --- staff ---

    @precondition(lambda self: online().exists())
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        with suppress(lifecycle.IllegalMove):
            lifecycle.cancel(pick(online(), which).number, actor="staff:li")

    @precondition(lambda self: Attempt.objects.filter(captured__gt=0).exists())
    @rule(which=WHICH, amount=AMOUNT)
    def give_back(self, which: int, amount: str) -> None:
        order = pick(Attempt.objects.filter(captured__gt=0), which).order
        with suppress(refunds.CannotRefund), lifecycle.locked(order.number) as locked:
            refunds.request(locked, Decimal(amount), actor="staff:li", reason="scratched")

    @precondition(lambda self: Refund.objects.filter(WAITING_REFUND).exists())
    @rule(which=WHICH)
    def approve(self, which: int) -> None:
        refund = pick(Refund.objects.filter(WAITING_REFUND), which)
        with suppress(refunds.CannotRefund):
            refunds.approve(refund, refund.approval, actor="staff:wang")
            for one in Attempt.objects.filter(parts__refund=refund):
                gone = one.refunded + one.refund_pending + one.disputed
                assert gone <= one.captured, "what the bank took back is approved to go back once more"

    @precondition(lambda self: Refund.objects.filter(WAITING_REFUND).exists())
    @rule(which=WHICH)
    def decline(self, which: int) -> None:
        refunds.decline(pick(Refund.objects.filter(WAITING_REFUND), which), "no", actor="staff:wang")

    @precondition(lambda self: Attempt.objects.filter(captured__gt=0).exists())
    @rule(which=WHICH, amount=AMOUNT)
    def dispute(self, which: int, amount: str) -> None:
        attempt = pick(Attempt.objects.filter(captured__gt=0), which)
        with suppress(disputes.CannotDispute):
            disputes.enter(
                attempt.pk, Decimal(amount), opened_on=timezone.localdate(), evidence_due_on=None, reason="never came",
                actor="staff:li",
            )  # fmt: skip

    @precondition(lambda self: disputes.opened().exists())
    @rule(which=WHICH, how=st.sampled_from((DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.WITHDRAWN)))
    def decide(self, which: int, how: DisputeStatus) -> None:
        disputes.close(pick(disputes.opened(), which).pk, how, "so they say", actor="staff:li")

    @precondition(lambda self: RefundPart.objects.filter(OPEN_PART).exists())
    @rule(which=WHICH, what=st.sampled_from(("try_again", "leave", "settle_by_hand")))
    def look_after(self, which: int, what: str) -> None:
        """A refund that failed."""
        part = pick(RefundPart.objects.filter(OPEN_PART), which)
        with suppress(aftercare.Settled, refunds.CannotRefund):
            if what == "try_again":
                aftercare.try_again(part.pk, actor="staff:li")
            elif what == "leave":
                aftercare.leave(part.pk, "no need", actor="staff:li")
            elif not self.book.theirs.get(part.attempt.number) and part.refund_id not in self.lies:
                aftercare.settle_by_hand(part.pk, "by transfer", actor="staff:li")

    @precondition(lambda self: Attempt.objects.filter(OPEN_REVIEW).exists())
    @rule(which=WHICH, gives=st.booleans())
    def review(self, which: int, gives: bool) -> None:
        attempt = pick(Attempt.objects.filter(OPEN_REVIEW), which)
        with suppress(aftercare.Settled, refunds.CannotRefund):
            if gives:
                aftercare.give_all_back(attempt.pk, "wrong", actor="staff:li")
            else:
                aftercare.review(attempt.pk, "looked", actor="staff:li")

    # --- what holds after each of them ---

    @invariant()
    def it_adds_up(self) -> None:
        assert broken() == {}
        assert self.bugs == []

    @invariant()
    def nothing_goes_back_twice(self) -> None:
        """By the provider's own book: of no refund more than was decided, and nothing of what was not approved."""
        for refund in Refund.objects.exclude(pk__in=self.lies).prefetch_related("parts"):
            there = [self.book.refunds[part.key] for part in refund.parts.all() if part.key in self.book.refunds]
            going = sum((one.amount.amount for one in there if one.status is not RefundStatus.FAILED), ZERO)
            hands = refund.parts.filter(status=PartStatus.DONE).exclude(key__in=[one.key for one in there])
            assert going + sum(part.amount for part in hands) <= refund.amount
            assert not there or not (refund.is_waiting or refund.declined_at)

    def comes_to_rest(self) -> None:
        """Whatever is under way comes in, whatever waits is decided; then the provider's book is ours."""
        for refund in Refund.objects.filter(WAITING_REFUND).order_by("pk"):
            try:
                refunds.approve(refund, refund.approval, actor="staff:wang")
            except refunds.CannotRefund:
                refunds.decline(refund, "it cannot be", actor="staff:wang")
        for key in self.movable():
            self.move(key, RefundStatus.DONE)
        self.book.refund_to = RefundStatus.DONE
        while self.flight:
            self.land(0)
        for order in online().filter(status=Status.PENDING_PAYMENT, payment_deadline__isnull=False):
            over(order, 6)
        quiesce([self.account])
        for one in [one for one in self.news if not one.is_heard]:  # the provider tells until it is heard
            self.flight.append((one, one.hearing.look(registry.connect(self.account), one.hint)))
            self.land(0)
        quiesce([self.account])
        assert self.bugs == []
        assert broken(quiet_time=True) == {}
        assert not Attempt.objects.filter(advance_at__isnull=False).exists()
        assert not online().filter(status=Status.PENDING_PAYMENT, payment_deadline__isnull=False).exists()
        assert not Outgoing.objects.filter(topic=refunds.TOPIC, delivered=0).exists()
        for attempt in Attempt.objects.order_by("pk"):
            self.agrees(attempt)

    def agrees(self, attempt: Attempt) -> None:
        seen = self.book.seen(attempt.number)
        assert attempt.captured == self.book.paid(attempt.number).amount
        assert attempt.refunded == self.book.given(attempt.number) + self.by_hand(attempt.number)
        assert attempt.refund_pending == 0
        if attempt.status != AttemptStatus.REFUSED:
            assert attempt.status == seen.status.value

    # --- what goes wrong ---

    @contextmanager
    def network(self, line: str) -> Iterator[None]:
        """The next call is done and its answer is lost, or it does not arrive."""
        error: HubError = OutcomeUnknown("cut") if line == "lost" else TryAgain("not there")
        self.book.lost = [error] if line == "lost" else []
        self.book.wrong = [error] if line == "unreachable" else []
        yield
        self.book.lost, self.book.wrong = [], []

    @contextmanager
    def dying(self, place: Any, name: str, dies: bool, *, before: bool = False) -> Iterator[None]:
        right: Callable[..., Any] = getattr(place, name)

        def die(*given: Any, **more: Any) -> None:
            if not before:
                right(*given, **more)
            raise Killed

        with self.patch.context() as patch:
            if dies:
                patch.setattr(place, name, die)
            yield


def over(order: Order, minutes: int) -> None:
    """The time to pay has been over for so long."""
    deadline = timezone.now() - timedelta(minutes=minutes)
    Order.objects.filter(pk=order.pk).update(payment_deadline=deadline)
    Hold.objects.filter(line__order=order, deadline__isnull=False).update(deadline=deadline)


def online() -> Any:
    return Order.objects.filter(payment_method=PaymentMethod.ONLINE).order_by("pk")


def pick(rows: Any, which: int) -> Any:
    found = list(rows.order_by("pk"))
    return found[which % len(found)]


def broken(*, quiet_time: bool = False) -> dict[str, Any]:
    each = {one.id: invariants.broken(one) for one in invariants.registered(quiet_time=quiet_time)}
    return {name: rows for name, rows in each.items() if rows}


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setitem(registry.connectors(), (Till.kind, Till.name), Till)
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # the test itself is one
    settings.WEFT_REFUND_LIMIT = Decimal("60")
    settings.WEFT_AUTOMATIC_REFUNDS = 2


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("group", range(GROUPS))
def test_everything_that_may_happen(monkeypatch: pytest.MonkeyPatch, group: int) -> None:
    explore(monkeypatch, group, EXAMPLES)


def explore(patch: pytest.MonkeyPatch, group: int, count: int, **more: Any) -> None:
    # Shrinking what was found takes minutes: where people wait for it, what was found first is told.
    phases = list(Phase) if settings.WEFT_DEEP else [Phase.generate]
    machine = type("Paying", (Paying,), {"patch": patch})
    if not settings.WEFT_DEEP:
        machine = seed(group)(machine)
    run_state_machine_as_test(
        machine,
        settings=examples(
            max_examples=count, stateful_step_count=STEPS, deadline=None, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck), phases=phases, **more,
        ),
    )  # fmt: skip


def ignoring_what_is_on_its_way(patch: pytest.MonkeyPatch) -> None:
    """What we give back ourselves is taken for given back at the provider as well."""
    right = flow._note_refunded

    def wrong(order: Order, attempt: Attempt, *given: Any) -> None:
        pending, attempt.refund_pending = attempt.refund_pending, ZERO
        right(order, attempt, *given)
        attempt.refund_pending = pending

    patch.setattr(flow, "_note_refunded", wrong)


def sending_unapproved(patch: pytest.MonkeyPatch) -> None:
    """What waits for approval is sent at once."""
    right = refunds._reserve

    def wrong(*given: Any) -> RefundPart:
        part = right(*given)
        if part.refund.needs_approval:
            refunds._command(part)
        return part

    patch.setattr(refunds, "_reserve", wrong)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("mistake", [ignoring_what_is_on_its_way, sending_unapproved])
def test_it_finds_a_mistake(monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]) -> None:
    mistake(monkeypatch)
    with pytest.raises((AssertionError, IntegrityError)):
        explore(monkeypatch, 0, 60, report_multiple_bugs=False)
