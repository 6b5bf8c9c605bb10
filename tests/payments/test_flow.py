"""What facts mean: paid to the minor unit, once, in time or late, and given back where it has to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.utils import timezone

from integrations.hub import outgoing, registry
from integrations.hub.errors import OutcomeUnknown
from integrations.hub.models import Account, Outgoing
from integrations.hub.sending import manual
from integrations.hub.values import Hint, Money
from integrations.payments.base import Observed, RefundSeen, RefundStatus, TradeStatus
from shop import invariants
from shop.mail import letters
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.payments import aftercare, disputes, flow, refunds, tasks, topics, watching
from shop.payments.models import Attempt, AttemptStatus, DisputeStatus, Entry, PartStatus, Refund, RefundPart
from shop.payments.news import RefundNews
from shop.stock.models import Hold, Pool
from tests.hub.conftest import send_due
from tests.payments.conftest import again, attempt_of
from tests.payments.till import Book

pytestmark = pytest.mark.django_db


def fresh(one: Attempt) -> Attempt:
    return Attempt.objects.get(pk=one.pk)


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def paid(attempt: Attempt, book: Book, **how: object) -> None:
    book.pay(attempt.number, **how)  # type: ignore[arg-type]
    again(attempt)
    assert watching.look(attempt.pk)


def test_a_payment_is_seen_booked_and_its_order_moved(attempt: Attempt, book: Book) -> None:
    paid(attempt, book)
    one = fresh(attempt)
    assert (one.status, one.captured, one.advance_at) == (AttemptStatus.CAPTURED, Decimal("113.00"), None)
    assert one.advanced_at and one.look_at is None
    entry = Entry.objects.get()
    assert (entry.kind, entry.amount, entry.source) == ("captured", Decimal("113.00"), "till: asked")
    order = Order.objects.get()
    assert (order.status, order.paid_at, order.payment_deadline) == (Status.PAID, one.paid_at, None)
    assert set(Hold.objects.values_list("deadline", flat=True)) == {None}


def test_twice_and_late_answers_change_nothing(attempt: Attempt, book: Book) -> None:
    began = flow.moment()
    early = Observed(attempt.number, TradeStatus.OPEN)
    paid(attempt, book)
    with flow.locked(attempt.pk) as (order, one):
        assert not flow.settle(order, one, early, began=began, source="late")
    again(attempt)
    assert watching.look(attempt.pk)
    assert flow.advance(attempt.pk) is False
    assert Entry.objects.count() == 1 and status(attempt.order) == Status.PAID
    assert fresh(attempt).review == ""


def test_nobody_is_asked_twice_within_three_seconds(attempt: Attempt, book: Book) -> None:
    assert watching.look(attempt.pk)
    Attempt.objects.update(look_at=timezone.now())
    assert not watching.look(attempt.pk)
    assert book.calls == ["look"]


@pytest.mark.parametrize("amount, currency", [("112.99", "CNY"), ("113.01", "CNY"), ("113.00", "USD")])
def test_another_amount_is_for_a_person(attempt: Attempt, book: Book, amount: str, currency: str) -> None:
    paid(attempt, book, amount=amount, currency=currency)
    one = fresh(attempt)
    assert one.review and one.advance_at is None
    assert one.captured == (Decimal(amount) if currency == "CNY" else 0)
    entry = Entry.objects.get()  # once, however often it is seen; and in the money it was paid in
    assert (entry.amount, entry.currency) == (Decimal(amount), currency)
    again(attempt)
    assert watching.look(attempt.pk) and Entry.objects.count() == 1
    assert status(attempt.order) == Status.PENDING_PAYMENT


def test_another_payee_is_for_a_person(attempt: Attempt, book: Book) -> None:
    book.pay(attempt.number)
    book.trades[attempt.number] = replace(book.trades[attempt.number], payee="them")
    assert watching.look(attempt.pk)
    assert "paid to them instead of us" in fresh(attempt).review
    assert status(attempt.order) == Status.PENDING_PAYMENT


def test_what_was_paid_stays_paid_whatever_the_provider_says_later(attempt: Attempt, book: Book) -> None:
    paid(attempt, book)
    book.trades[attempt.number] = Observed(attempt.number, TradeStatus.CLOSED)
    again(attempt)
    assert watching.look(attempt.pk)
    one = fresh(attempt)
    assert (
        one.status == AttemptStatus.CAPTURED and one.captured == Decimal("113.00") and "now the provider" in one.review
    )


def test_wholly_given_back_before_anybody_heard_of_it(attempt: Attempt, book: Book) -> None:
    book.pay(attempt.number)
    book.trades[attempt.number] = replace(book.trades[attempt.number], refunded=Money(Decimal("113.00"), "CNY"))
    assert watching.look(attempt.pk)
    one = fresh(attempt)
    assert (one.captured, one.refunded, one.review) == (Decimal("113.00"), Decimal("113.00"), "")
    assert status(attempt.order) == Status.PENDING_PAYMENT
    assert [entry.kind for entry in Entry.objects.all()] == ["captured", "refunded"]


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_payments_the_earlier_counts(order: Order, till: Account, book: Book, first: int) -> None:
    both = [attempt_of(order, till), attempt_of(order, till)]
    now = timezone.now()
    for place, one in enumerate(both):
        paid(one, book, at=now - timedelta(minutes=5 if place == first else 1))
    later = both[1 - first]
    part = RefundPart.objects.get()
    assert (part.attempt_id, part.amount, part.refund.is_automatic) == (later.pk, Decimal("113.00"), True)
    assert fresh(later).refund_pending == Decimal("113.00")
    assert status(order) == Status.PAID
    assert send_due(till) == 1
    assert fresh(later).refunded == Decimal("113.00") and fresh(both[first]).refunded == 0


def test_paid_after_it_expired_while_goods_are_there(attempt: Attempt, book: Book) -> None:
    Order.objects.update(status=Status.EXPIRED, payment_deadline=None)
    paid(attempt, book)
    assert status(attempt.order) == Status.PAID and not Refund.objects.exists()


def test_paid_after_it_expired_and_the_goods_are_gone(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    lifecycle.cancel(order.number, actor="test")
    Order.objects.update(status=Status.EXPIRED)
    Pool.objects.update(on_hand=0)
    paid(attempt, book)
    assert status(order) == Status.EXPIRED
    assert send_due(till) == 1
    assert fresh(attempt).refunded == Decimal("113.00")
    assert "goods are gone" in Refund.objects.get().reason


def test_paid_after_it_was_cancelled_is_given_back(order: Order, attempt: Attempt, till: Account, book: Book) -> None:
    lifecycle.cancel(order.number, actor="test")
    paid(attempt, book)
    assert status(order) == Status.CANCELLED
    assert send_due(till) == 1
    assert fresh(attempt).refunded == Decimal("113.00")


def test_too_many_automatic_refunds_wait_for_a_person(
    order: Order, attempt: Attempt, till: Account, book: Book, settings: object
) -> None:
    settings.WEFT_AUTOMATIC_REFUNDS = 0  # type: ignore[attr-defined]
    lifecycle.cancel(order.number, actor="test")
    paid(attempt, book)
    refund = Refund.objects.get()
    assert refund.needs_approval and not Outgoing.objects.filter(topic=refunds.TOPIC).exists()
    refunds.approve(refund, refund.approval, actor="staff:li")
    assert send_due(till) == 1


def test_an_order_that_cannot_be_moved_keeps_its_goods_and_is_told_again(
    attempt: Attempt, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "pay", lambda *_a, **_k: 1 / 0)
        paid(attempt, book)
    one = fresh(attempt)
    assert one.captured == Decimal("113.00") and one.advance_tries == 1 and one.advance_at
    order = Order.objects.get()
    assert order.status == Status.PENDING_PAYMENT and order.payment_deadline is None
    Attempt.objects.update(advance_at=timezone.now())
    assert tasks.advance() == 1
    assert status(order) == Status.PAID


# --- when time is over -----------------------------------------------------------------------------------------------


def over(order: Order, minutes: float = 1) -> None:
    Order.objects.filter(pk=order.pk).update(payment_deadline=timezone.now() - timedelta(minutes=minutes))


def test_at_the_deadline_it_is_closed_before_the_goods_are_given_back(
    order: Order, attempt: Attempt, book: Book
) -> None:
    book.trades[attempt.number] = Observed(attempt.number, TradeStatus.OPEN)
    over(order)
    assert lifecycle.expire_overdue() == 0, "its provider is asked first"
    assert tasks.close_overdue() == 1
    assert tasks.look() == 1
    assert book.calls == ["close"] and fresh(attempt).status == AttemptStatus.CLOSED
    assert lifecycle.expire_overdue() == 1
    assert fresh(attempt).look_at, "it stays watched"


def test_paid_in_the_last_moment(order: Order, attempt: Attempt, book: Book) -> None:
    over(order)
    book.pay(attempt.number)
    assert tasks.close_overdue() == 1 and tasks.look() == 1
    assert status(order) == Status.PAID and lifecycle.expire_overdue() == 0


def test_a_provider_that_does_not_answer_holds_goods_for_five_minutes(
    order: Order, attempt: Attempt, book: Book
) -> None:
    over(order)
    tasks.close_overdue()
    book.wrong = [OutcomeUnknown("no answer")] * 9
    assert tasks.look() == 0
    assert lifecycle.expire_overdue() == 0
    over(order, minutes=5.1)
    assert lifecycle.expire_overdue() == 1
    book.wrong = []
    paid(attempt, book)
    assert status(order) == Status.PAID, "late, and the goods are still there"


def test_a_qr_that_nobody_scanned_has_no_trade_to_close(order: Order, till: Account, book: Book) -> None:
    attempt = attempt_of(order, till, AttemptStatus.ABSENT)
    over(order)
    tasks.close_overdue()
    tasks.look()
    assert fresh(attempt).status == AttemptStatus.ABSENT
    assert lifecycle.expire_overdue() == 1


# --- refunds ---------------------------------------------------------------------------------------------------------


def ask(order: Order, amount: str, actor: str = "staff:li") -> Refund:
    with lifecycle.locked(order.number) as locked:
        return refunds.request(locked, Decimal(amount), actor=actor, reason="scratched")


def test_parts_of_an_order_never_more_than_was_paid(order: Order, attempt: Attempt, till: Account, book: Book) -> None:
    paid(attempt, book)
    ask(order, "13.00")
    ask(order, "50.00")
    assert refunds.refundable(order) == Decimal("50.00")
    with pytest.raises(refunds.CannotRefund, match="At most 50.00"):
        ask(order, "50.01")
    while send_due(till):
        pass
    one = fresh(attempt)
    assert (one.refunded, one.refund_pending) == (Decimal("63.00"), 0)
    assert sorted(entry.amount for entry in Entry.objects.filter(kind="refunded")) == [13, 50]


def test_a_refused_refund_frees_what_it_reserved(order: Order, attempt: Attempt, till: Account, book: Book) -> None:
    paid(attempt, book)
    book.refund_to = RefundStatus.FAILED
    ask(order, "13.00")
    assert send_due(till) == 1
    part = RefundPart.objects.get()
    assert part.status == PartStatus.FAILED and part.why
    assert fresh(attempt).refund_pending == 0 and refunds.refundable(order) == Decimal("113.00")


def given_back_there(attempt: Attempt, book: Book, amount: str) -> None:
    trade = book.trades[attempt.number]
    book.trades[attempt.number] = replace(trade, refunded=Money(Decimal(amount), "CNY"))
    again(attempt)
    assert watching.look(attempt.pk)


@pytest.mark.parametrize("is_declined", [False, True])
def test_what_was_given_back_there_meanwhile_is_seen_once_ours_is_not_to_be(
    order: Order, attempt: Attempt, till: Account, book: Book, settings: object, is_declined: bool
) -> None:
    settings.WEFT_REFUND_LIMIT = Decimal("50" if is_declined else "500")  # type: ignore[attr-defined]
    paid(attempt, book)
    refund = ask(order, "100.00")
    given_back_there(attempt, book, "113.00")
    assert fresh(attempt).refunded == Decimal("13.00"), "the rest is taken for ours"
    if is_declined:
        refunds.decline(refund, "no", actor="staff:wang")
    else:
        book.refund_to = RefundStatus.FAILED
        assert send_due(till) == 1
    assert fresh(attempt).look_at
    Attempt.objects.update(looked_at=None)
    assert tasks.look() == 1
    assert (fresh(attempt).refunded, fresh(attempt).refund_pending) == (Decimal("113.00"), 0)


def test_what_the_bank_took_back_is_not_approved_to_go_back_once_more(
    order: Order, attempt: Attempt, till: Account, book: Book, settings: object
) -> None:
    settings.WEFT_REFUND_LIMIT = Decimal("50")  # type: ignore[attr-defined]
    paid(attempt, book)
    refund = ask(order, "100.00")
    dispute = disputes.enter(
        attempt.pk,
        Decimal("113.00"),
        opened_on=timezone.localdate(),
        evidence_due_on=None,
        reason="x",
        actor="staff:li",
    )
    disputes.close(dispute.pk, DisputeStatus.LOST, "lost", actor="staff:li")
    with pytest.raises(refunds.CannotRefund, match="less than 100.00 is left"):
        refunds.approve(refund, refund.approval, actor="staff:wang")
    assert send_due(till) == 0 and Refund.objects.get().is_waiting


def test_a_slow_refund_is_watched_until_it_is_done(order: Order, attempt: Attempt, till: Account, book: Book) -> None:
    paid(attempt, book)
    book.refund_to = RefundStatus.PENDING
    ask(order, "13.00")
    assert send_due(till) == 1
    part = RefundPart.objects.get()
    assert part.status == PartStatus.PENDING and fresh(attempt).look_at
    book.refunds[part.key] = replace(book.refunds[part.key], status=RefundStatus.STUCK, why="card closed")
    again(attempt)
    assert watching.look(attempt.pk)
    part.refresh_from_db()
    assert part.is_stuck and fresh(attempt).refund_pending == Decimal("13.00")
    book.refunds[part.key] = replace(book.refunds[part.key], status=RefundStatus.DONE)
    again(attempt)
    assert watching.look(attempt.pk)
    part.refresh_from_db()
    assert part.status == PartStatus.DONE and not part.is_stuck and fresh(attempt).refunded == Decimal("13.00")
    again(attempt)  # the trade is seen once more: somebody may have given back of it there as well
    assert watching.look(attempt.pk)
    assert fresh(attempt).look_at is None


def test_after_an_unknown_outcome_it_is_looked_at_and_not_sent_twice(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    refund = ask(order, "13.00")
    part = refund.parts.get()
    book.wrong = [OutcomeUnknown("cut")]
    assert send_due(till) == 0
    till_has = topics.asked(part)
    book.refunds[part.key] = replace(
        book.refunds.get(part.key) or _seen(part.key, till_has.amount), status=RefundStatus.DONE
    )
    book.calls.clear()
    Outgoing.objects.update(next_at=timezone.now())
    assert send_due(till) == 1
    assert book.calls == ["look_refund"]
    assert fresh(attempt).refunded == Decimal("13.00")


def _seen(key: str, amount: Money):  # type: ignore[no-untyped-def]
    from integrations.payments.base import RefundSeen

    return RefundSeen(key, RefundStatus.DONE, amount)


def test_a_large_refund_is_approved_by_somebody_else(
    order: Order, attempt: Attempt, till: Account, book: Book, settings: object
) -> None:
    settings.WEFT_REFUND_LIMIT = Decimal("100")  # type: ignore[attr-defined]
    paid(attempt, book)
    refund = ask(order, "113.00")
    assert refund.needs_approval and send_due(till) == 0
    with pytest.raises(refunds.CannotRefund, match="Somebody else"):
        refunds.approve(refund, refund.approval, actor="staff:li")
    with pytest.raises(refunds.CannotRefund, match="changed"):
        refunds.approve(refund, "another", actor="staff:wang")
    refunds.approve(refund, refund.approval, actor="staff:wang")
    with pytest.raises(refunds.CannotRefund, match="no approval"):
        refunds.approve(refund, refund.approval, actor="staff:wang")
    assert send_due(till) == 1


def gives_back_itself(attempt: Attempt, book: Book, amount: str) -> Attempt:
    """The provider says that so much went back through it, and is asked."""
    book.trades[attempt.number] = replace(book.trades[attempt.number], refunded=Money(Decimal(amount), "CNY"))
    again(attempt)
    assert watching.look(attempt.pk)
    return fresh(attempt)


def theirs() -> list[Decimal]:
    return [entry.amount for entry in Entry.objects.filter(kind="refunded", refund_key="").order_by("pk")]


@pytest.mark.parametrize("refused", [RefundStatus.FAILED, RefundStatus.STUCK])
def test_what_was_settled_by_hand_hides_no_refund_of_the_providers(
    order: Order, attempt: Attempt, till: Account, book: Book, refused: RefundStatus
) -> None:
    paid(attempt, book)
    book.refund_to = refused
    part = ask(order, "50.00").parts.get()
    assert send_due(till) == 1
    aftercare.settle_by_hand(part.pk, "transfer of today", actor="staff:li")
    assert gives_back_itself(attempt, book, "30.00").refunded == Decimal("80.00")
    assert gives_back_itself(attempt, book, "30.00").refunded == Decimal("80.00")
    assert theirs() == [Decimal("30.00")] and fresh(attempt).review == ""


def test_what_waits_here_hides_no_refund_of_the_providers(
    order: Order, attempt: Attempt, till: Account, book: Book, settings: object
) -> None:
    settings.WEFT_REFUND_LIMIT = Decimal("40")  # type: ignore[attr-defined]
    paid(attempt, book)
    ask(order, "20.00")  # on its way to be sent, and never tried
    waiting = ask(order, "50.00")
    one = gives_back_itself(attempt, book, "10.00")
    assert (one.refunded, one.refund_pending, theirs()) == (10, 70, [10])
    assert send_due(till) == 1
    assert gives_back_itself(attempt, book, "30.00").refunded == 30
    refunds.approve(waiting, waiting.approval, actor="staff:wang")
    assert send_due(till) == 1
    one = gives_back_itself(attempt, book, "80.00")
    assert (one.refunded, one.refund_pending, theirs(), one.review) == (80, 0, [10], "")


def test_what_was_sent_and_perhaps_arrived_is_not_the_providers_own(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    ask(order, "20.00")
    book.wrong = [OutcomeUnknown("cut")]
    assert send_due(till) == 0
    one = gives_back_itself(attempt, book, "20.00")
    assert (one.refunded, one.refund_pending, theirs()) == (0, 20, [])


def test_what_a_person_took_to_do_by_hand_is_not_the_providers_own(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    ask(order, "20.00")
    manual.take(Outgoing.objects.filter(topic=refunds.TOPIC), "staff:li")
    assert gives_back_itself(attempt, book, "20.00").refunded == 0 and theirs() == []


def test_more_given_back_than_was_left_is_for_a_person(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    Attempt.objects.filter(pk=attempt.pk).update(review="something else", reviewed_at=timezone.now())
    book.refund_to = RefundStatus.FAILED
    part = ask(order, "100.00").parts.get()
    assert send_due(till) == 1
    aftercare.settle_by_hand(part.pk, "transfer of today", actor="staff:li")
    one = gives_back_itself(attempt, book, "113.00")
    assert (one.refunded, theirs()) == (113, [13])
    assert one.needs_review and one.review == "given back at the provider: 100.00 CNY more than was left"
    aftercare.review(one.pk, "asked the customer", actor="staff:li")
    assert not gives_back_itself(attempt, book, "113.00").needs_review, "the same is not asked twice"
    assert theirs() == [13]


def test_facts_in_any_order_end_the_same(order: Order, till: Account, book: Book) -> None:
    """Open, paid and partly given back at the provider, read in every order: the later answer wins."""
    paid_ = Money(Decimal("113.00"), "CNY")
    for told in permutations(range(3)):
        attempt = attempt_of(order, till)
        began = [flow.moment() for _ in range(3)]
        seen = [
            Observed(attempt.number, TradeStatus.OPEN),
            Observed(attempt.number, TradeStatus.CAPTURED, total=paid_, captured=paid_),
            Observed(attempt.number, TradeStatus.CAPTURED, total=paid_, captured=paid_,
                     refunded=Money(Decimal("3.00"), "CNY")),
        ]  # fmt: skip
        for place in told:
            with flow.locked(attempt.pk) as (locked, one):
                flow.settle(locked, one, seen[place], began=began[place], source="test")
        one = fresh(attempt)
        assert (one.captured, one.refunded, one.review) == (Decimal("113.00"), Decimal("3.00"), ""), told


def test_a_refund_that_failed_and_was_done_all_the_same(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    """Its money is booked once, by the trade's own sum, and a person hears of it."""
    paid(attempt, book)
    book.refund_to = RefundStatus.FAILED
    ask(order, "13.00")
    assert send_due(till) == 1
    part = RefundPart.objects.get()
    trade = book.trades[attempt.number]
    book.trades[attempt.number] = replace(trade, refunded=Money(Decimal("13.00"), "CNY"))
    with flow.locked(attempt.pk) as (locked, one):
        seen = replace(book.refunds[part.key], status=RefundStatus.DONE)
        refunds.settle_part(part, locked, one, seen, source="till: notice")
    again(attempt)
    assert watching.look(attempt.pk)
    one = fresh(attempt)
    assert (one.refunded, one.refund_pending) == (Decimal("13.00"), 0)
    assert part.key in one.review and Entry.objects.filter(kind="refunded").count() == 1


def test_a_refund_made_at_the_provider_itself_is_booked(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    trade = book.trades[attempt.number]
    book.trades[attempt.number] = replace(trade, refunded=Money(Decimal("20.00"), "CNY"))
    hint = Hint("refund", "NOT-OURS", {"number": attempt.number})
    news = RefundNews()
    truth = news.look(registry.connect(till), hint)
    with outgoing.recording():
        news.lock(till, hint)
        news.settle(till, hint, truth)
    assert fresh(attempt).refunded == Decimal("20.00")
    assert order.status_changes.filter(reason="given back at the provider itself: 20.00 CNY").exists()


def made_there(attempt: Attempt, key: str, amount: str) -> Attempt:
    seen = RefundSeen(key, RefundStatus.DONE, Money(Decimal(amount), "CNY"))
    with flow.locked(attempt.pk) as (order, one):
        flow.settle_made_there(order, one, seen)
    return fresh(attempt)


def test_refunds_made_there_are_booked_by_their_numbers(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    """Each once. All of it is back in the end: nobody has to give it back any more."""
    paid(attempt, book)
    Order.objects.filter(pk=order.pk).update(needs_refund=True)
    for _ in range(2):
        assert made_there(attempt, "a-number-of-the-merchants-own-office-1", "50.00").refunded == 50
    assert Order.objects.get(pk=order.pk).needs_refund
    assert made_there(attempt, "office-2", "63.00").refunded == 113
    assert not Order.objects.get(pk=order.pk).needs_refund
    assert gives_back_itself(attempt, book, "113.00").review == "", "the sum says nothing new"
    assert {one.id: found for one in invariants.registered() if (found := invariants.broken(one))} == {}


def test_more_made_there_than_was_left_is_for_a_person(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    ask(order, "100.00")
    one = made_there(attempt, "office-1", "50.00")
    assert (one.refunded, one.refund_pending) == (13, 100)
    assert one.needs_review and one.review == "given back at the provider: 37.00 CNY more than was left"


def test_what_the_sum_held_already_is_not_booked_again(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    """The notice of a refund comes after the trade said that all of it is back."""
    paid(attempt, book)
    assert gives_back_itself(attempt, book, "113.00").refunded == 113
    one = made_there(attempt, "office-1", "113.00")
    assert (one.refunded, one.review, theirs()) == (113, "", [113])


def test_one_payment_that_cannot_be_written_holds_up_no_other(
    order: Order, attempt: Attempt, till: Account, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = attempt_of(order, till)
    book.pay(other.number)
    settle = flow.settle

    def broken(order: Order, one: Attempt, *args: object, **kwargs: object) -> bool:
        if one.pk == attempt.pk:
            raise ValueError("broken")
        return settle(order, one, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(flow, "settle", broken)
    assert tasks.look() == 1
    assert fresh(other).captured == Decimal("113.00") and fresh(attempt).captured == 0


def test_the_letter_about_an_order_paid_online(order: Order, attempt: Attempt, book: Book) -> None:
    """It leads to the page to pay until the order is paid; it is written when it is sent."""
    order.language = "en"
    page = f"/checkout/pay/{order.verification_hash()}/"
    asks = letters.compose(order, letters.Event.PLACED, "k")
    for body in (asks.text, asks.html):
        assert page in body and "Please pay before" in body
        assert "on account" not in body and "transfer" not in body and "Reference" not in body
    paid(attempt, book)
    order.refresh_from_db()
    order.language = "en"
    thanks = letters.compose(order, letters.Event.PLACED, "k")
    for body in (thanks.text, thanks.html):
        assert "We have your order" in body and page not in body and "Please pay" not in body


def test_cancelled_after_all_was_given_back_is_no_task(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    with lifecycle.locked(order.number) as locked:
        refunds.request(locked, Decimal("113.00"), actor="staff:li", reason="scratched")
    assert send_due(till) == 1 and fresh(attempt).refunded == Decimal("113.00")
    lifecycle.cancel(order.number, actor="staff:li")
    order.refresh_from_db()
    assert (order.status, order.needs_refund) == (Status.CANCELLED, False)


def test_cancelled_after_a_part_was_given_back_is_a_task(
    order: Order, attempt: Attempt, till: Account, book: Book
) -> None:
    paid(attempt, book)
    with lifecycle.locked(order.number) as locked:
        refunds.request(locked, Decimal("13.00"), actor="staff:li", reason="scratched")
    assert send_due(till) == 1
    lifecycle.cancel(order.number, actor="staff:li")
    order.refresh_from_db()
    assert (order.status, order.needs_refund) == (Status.CANCELLED, True)
