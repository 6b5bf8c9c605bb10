"""What staff see of payments, and what they do about them."""

from __future__ import annotations

import html
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation

from integrations.hub.models import Outgoing
from integrations.payments.base import RefundStatus
from shop.order.models import Order
from shop.payments import disputes, flow, refunds
from shop.payments.models import (
    Attempt,
    Dispute,
    DisputeStatus,
    Entry,
    PartStatus,
    Refund,
    RefundLine,
    RefundPart,
    Stray,
)
from shop.payments.refund_lines import CannotRefund
from tests import factories
from tests.admin import payments
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said
from tests.payments.till import Book

pytestmark = pytest.mark.django_db
OF_ORDER = "admin:order_order_change"


@pytest.fixture(autouse=True)
def book(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Book:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # the test itself is one
    return payments.open_till(monkeypatch)


def text(answer: Any) -> str:
    return " ".join(html.unescape(answer.content.decode()).split())


def fresh(attempt: Attempt) -> Attempt:
    return Attempt.objects.get(pk=attempt.pk)


# --- the order's page ------------------------------------------------------------------------------------------------


def test_the_orders_page_shows_every_fact_with_its_source(login: Login) -> None:
    attempt = payments.paid()
    payments.asked_for(attempt)
    part = RefundPart.objects.get()
    shown = text(login("finance").get(reverse(OF_ORDER, args=[attempt.order_id])))
    words_ = "Payee", f"{attempt.account.name}: we asked", "li@weft.test", "scratched", "¥113.00", "¥50.00"
    for words in (attempt.number, attempt.remote, part.key, *words_):
        assert words.lower() in shown.lower(), words
    packing = text(login("warehouse").get(reverse(OF_ORDER, args=[attempt.order_id])))
    for words in ('id="payments"', attempt.remote, part.key, "scratched", "¥50.00"):
        assert words in shown and words not in packing, words


@pytest.mark.parametrize("trouble", ["review", "dispute", "failed", "stuck", "waiting"])
def test_an_orders_trouble_stands_on_its_own_page(login: Login, trouble: str) -> None:
    match trouble:
        case "review":
            attempt, words = payments.paid("112.00"), "Needs review: paid 112.00 of 112.00, due were 113.00"
        case "dispute":
            attempt, words = payments.disputed().attempt, "Disputed: nothing of it is given back."
        case "waiting":
            attempt, words = payments.paid(), "A refund of ¥50.00 waits for approval."
            payments.asked_for(attempt)
            Refund.objects.update(needs_approval=True)
        case _:
            part = payments.failed(RefundStatus.FAILED if trouble == "failed" else RefundStatus.STUCK)
            attempt, words = part.attempt, "A refund of ¥50.00 did not arrive: account closed"
    assert words in text(login("sales").get(reverse(OF_ORDER, args=[attempt.order_id])))


# --- the refund form -------------------------------------------------------------------------------------------------


def fill(client: Any, order: Order, **values: Any) -> tuple[str, Any]:
    address = action("order_order", "refund", order.pk)
    form = {**filled(client.get(address), "refund"), "reason": "scratched", **values}
    return address, client.post(address, form)


def give(client: Any, order: Order, **values: Any) -> Any:
    """Both steps."""
    address, added_up = fill(client, order, **values)
    return client.post(address, filled(added_up, "refund"))


def test_units_are_proposed_their_share_and_given_back_once(login: Login) -> None:
    attempt, client = payments.paid("226.00", units=2), login("sales")
    line = attempt.order.lines.get()
    address, added_up = fill(client, attempt.order, **{f"quantity_{line.pk}": "1"})
    assert "Give ¥113.00 back" in text(added_up) and not Refund.objects.exists()
    form = filled(added_up, "refund")
    assert form[f"amount_{line.pk}"] == "113.00"
    assert "A refund of ¥113.00 is on its way." in said(client.post(address, form))
    again = client.post(address, form)
    assert "A refund of this order was made since the form was opened" in said(again)
    refund = Refund.objects.get()
    assert (refund.amount, refund.actor, refund.reason) == (113, "staff:sales@weft.test", "scratched")
    assert refund.lines.get().quantity == 1
    assert Outgoing.objects.filter(topic="payments.refund").count() == 1
    assert fresh(attempt).refund_pending == 113


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"other": "113.01"}, "At most 113.00"),
        ({"quantity": "2"}, "At most 1"),
        ({"quantity": "1", "other": "1"}, "Together that is ¥114.00. At most ¥113.00 can still be given back"),
        ({}, "Say how many units"),
        ({"other": "0.001"}, "can be paid in"),
    ],
)
def test_more_than_is_left_is_refused_and_nothing_typed_is_lost(
    login: Login, values: dict[str, str], words: str
) -> None:
    attempt, client = payments.paid(), login("finance")
    line = attempt.order.lines.get()
    typed = {name if name == "other" else f"{name}_{line.pk}": value for name, value in values.items()}
    address, answer = fill(client, attempt.order, **typed)
    if "checked" in filled(answer, "refund"):
        answer = client.post(address, filled(answer, "refund"))
    assert answer.status_code == 200 and words in text(answer)
    kept = filled(answer, "refund")
    assert {name: kept[name] for name in typed} == typed and kept["reason"] == "scratched"
    assert not Refund.objects.exists()


def test_a_sum_that_nobody_was_shown_is_not_given_back(login: Login) -> None:
    attempt, client = payments.paid(), login("finance")
    address, added_up = fill(client, attempt.order, other="10.00")
    form = {**filled(added_up, "refund"), "other": "20.00"}
    assert "Give ¥20.00 back" in text(client.post(address, form))
    assert not Refund.objects.exists()


def test_what_left_and_is_back_goes_into_stock(login: Login) -> None:
    from shop.fulfilment import shipping
    from shop.stock.models import Level

    attempt, client = payments.paid(), login("finance")
    place, line = factories.warehouse("SZ"), attempt.order.lines.get()
    shipping.ship(attempt.order.number, warehouse=place, actor="staff:test")
    before = Level.objects.get(pool="CHAIR-1", warehouse=place).on_hand
    give(client, attempt.order, **{f"quantity_{line.pk}": "1", f"restock_{line.pk}": str(place.pk)})
    assert Refund.objects.get().lines.get().restock == place
    assert Level.objects.get(pool="CHAIR-1", warehouse=place).on_hand == before + 1


# --- approval --------------------------------------------------------------------------------------------------------


def test_large_ones_wait_for_somebody_else_who_sees_what_it_is(login: Login, settings: Any) -> None:
    settings.WEFT_REFUND_LIMIT = Decimal(20)
    attempt, client = payments.paid(), login("finance")
    assert "waits for approval by somebody else" in said(give(client, attempt.order, other="50.00"))
    refund = Refund.objects.get()
    own = client.post(action("payments_refund", "approve", refund.pk), {"approval": refund.approval})
    assert "You asked for it yourself" in said(own)
    boss, address = login("superuser"), action("payments_refund", "approve", refund.pk)
    assert "¥50.00 of order" in text(boss.get(address))
    assert "It changed since it was shown" in text(boss.post(address, {"approval": "another"}))
    assert not Outgoing.objects.filter(topic="payments.refund").exists()
    assert "Approved" in said(boss.post(address, {"approval": refund.approval}))
    assert Outgoing.objects.filter(topic="payments.refund").count() == 1
    assert "cannot be done in its present state" in said(boss.post(address, {"approval": refund.approval}))


def test_declining_frees_what_was_reserved(login: Login, settings: Any) -> None:
    settings.WEFT_REFUND_LIMIT = Decimal(20)
    attempt = payments.paid()
    refund = payments.asked_for(attempt)
    address = action("payments_refund", "decline", refund.pk)
    assert "This field is required" in text(login("finance").post(address, {"note": ""}))
    assert "Declined: not agreed" in said(login("finance").post(address, {"note": "not agreed"}))
    assert (fresh(attempt).refund_pending, refund.parts.get().status) == (0, PartStatus.FAILED)
    assert not RefundPart.objects.get().needs_somebody
    assert refunds.refundable(attempt.order) == 113
    assert "not agreed" in text(login("sales").get(reverse(OF_ORDER, args=[attempt.order_id])))


# --- worklists -------------------------------------------------------------------------------------------------------


def test_a_review_is_closed_with_a_note_or_all_of_it_goes_back(login: Login) -> None:
    first, client = payments.paid("112.00"), login("finance")
    client.post(action("payments_attempt", "review", first.pk), {"note": "they pay the rest"})
    assert fresh(first).reviewed_at and fresh(first).review_note == "they pay the rest"
    second = payments.paid("112.00")
    answer = client.post(action("payments_attempt", "give_all_back", second.pk), {"note": "wrong amount"})
    assert "A refund of ¥112.00 is on its way." in said(answer)
    assert (fresh(second).refund_pending, fresh(second).needs_review) == (112, False)
    answer = client.post(action("payments_attempt", "review", second.pk), {"note": "x"})
    assert "cannot be done in its present state" in said(answer)


def test_the_provider_is_asked_at_once(login: Login, book: Book) -> None:
    attempt, client = payments.paid("112.00"), login("finance")
    Attempt.objects.update(looked_at=None)
    book.pay(attempt.number, "113.00")
    assert "It stands as: paid" in said(client.post(action("payments_attempt", "ask_now", attempt.pk)))
    assert fresh(attempt).captured == 113
    assert "a moment ago" in said(client.post(action("payments_attempt", "ask_now", attempt.pk)))


def test_a_failed_refund_is_tried_again_as_a_part_of_its_own(login: Login) -> None:
    part = payments.failed()
    assert fresh(part.attempt).refund_pending == 0
    login("finance").post(action("payments_refundpart", "try_again", part.pk))
    part.refresh_from_db()
    again = RefundPart.objects.latest("pk")
    assert part.closed_at and again.key in part.closed_note
    assert (again.status, again.amount, fresh(part.attempt).refund_pending) == (PartStatus.PENDING, 50, 50)
    assert Outgoing.objects.filter(key=again.key).exists()


@pytest.mark.parametrize("status", [RefundStatus.FAILED, RefundStatus.STUCK])
def test_settled_by_hand_is_booked_as_given_back(login: Login, status: RefundStatus) -> None:
    part, client = payments.failed(status), login("finance")
    address = action("payments_refundpart", "settle_by_hand", part.pk)
    client.post(address, {"note": "ICBC 77"})
    attempt = fresh(part.attempt)
    assert (attempt.refunded, attempt.refund_pending) == (50, 0)
    entry = Entry.objects.get(kind="refunded")
    assert (entry.source, entry.refund_key) == ("staff:finance@weft.test: by hand", part.key)
    assert "cannot be done in its present state" in said(client.post(address, {"note": "ICBC 77"}))
    shown = text(client.get(reverse(OF_ORDER, args=[attempt.order_id])))
    assert "finance@weft.test: by hand" in shown and "ICBC 77" in shown


def test_what_is_stuck_is_never_sent_again(login: Login) -> None:
    part = payments.failed(RefundStatus.STUCK)
    answer = login("finance").post(action("payments_refundpart", "try_again", part.pk))
    assert "cannot be done in its present state" in said(answer)
    assert RefundPart.objects.count() == 1


def test_by_hand_is_no_way_around_what_is_left(login: Login) -> None:
    part = payments.failed()
    payments.asked_for(part.attempt, "113.00")
    answer = login("finance").post(action("payments_refundpart", "settle_by_hand", part.pk), {"note": "x"})
    assert "less than 50.00 is left" in text(answer)
    assert fresh(part.attempt).refunded == 0


def test_money_without_an_order_is_closed_with_a_note(login: Login) -> None:
    address, form = payments.stray()
    assert "Closed: given back there" in said(login("finance").post(address, form))
    assert Stray.objects.get().closed_note == "given back there"


# --- disputes --------------------------------------------------------------------------------------------------------


def test_while_a_dispute_is_open_nothing_is_given_back(login: Login) -> None:
    dispute = payments.disputed()
    attempt = dispute.attempt
    with pytest.raises(CannotRefund, match=r"At most 0.00 CNY"):
        payments.asked_for(attempt)
    with flow.locked(attempt.pk) as (_order, locked):
        refund = refunds.give_back(locked, Decimal(10), "paid twice")
        locked.save()
    assert refund and refund.is_waiting
    answer = login("finance").post(action("payments_refund", "approve", refund.pk), {"approval": refund.approval})
    assert "Its payment is disputed" in text(answer)
    disputes.close(dispute.pk, DisputeStatus.WON, "won", actor="staff:li@weft.test")
    answer = login("finance").post(action("payments_refund", "approve", refund.pk), {"approval": refund.approval})
    assert "Approved" in said(answer)


def test_a_lost_dispute_is_a_loss_on_the_ledger(login: Login) -> None:
    attempt = payments.paid()
    part = payments.asked_for(attempt, "60.00").parts.get()
    with flow.locked(attempt.pk) as (order, locked):
        refunds.settle_by_hand(part, order, locked, actor="staff:li@weft.test")
    client = login("finance")
    form = {"amount": "113.00", "opened_on": "2026-11-20", "reason": "case 7"}
    client.post(action("payments_attempt", "enter_dispute", attempt.pk), form)
    dispute = Dispute.objects.get()
    client.post(action("payments_dispute", "close", dispute.pk), {"status": "lost", "note": "bank decided"})
    one = fresh(attempt)
    assert (one.disputed, one.net, one.refundable) == (113, -60, 0)
    assert Entry.objects.get(kind="disputed").amount == 113
    shown = text(client.get(reverse(OF_ORDER, args=[attempt.order_id])))
    assert "-¥60.00" in shown and "loss" in shown


def test_the_evidence_date_is_moved_while_it_is_open(login: Login) -> None:
    dispute, client = payments.disputed(), login("finance")
    address = action("payments_dispute", "move_evidence", dispute.pk)
    assert "Evidence is due on 2026-12-20." in said(client.post(address, {"due_on": "2026-12-20"}))
    dispute.refresh_from_db()
    assert dispute.evidence_due_on == date(2026, 12, 20)
    shown = text(client.get(reverse(OF_ORDER, args=[dispute.attempt.order_id])))
    assert "evidence due on 2026-12-20" in shown
    disputes.close(dispute.pk, DisputeStatus.WON, "won", actor="staff:li@weft.test")
    client.post(address, {"due_on": "2026-12-24"})
    dispute.refresh_from_db()
    assert dispute.evidence_due_on == date(2026, 12, 20)


@pytest.mark.parametrize("is_back", [True, False])
def test_who_decides_is_told_that_goods_went_into_stock(login: Login, is_back: bool) -> None:
    refund = payments.asked_for(payments.paid())
    Refund.objects.update(needs_approval=True)
    place = factories.warehouse("SZ") if is_back else None
    RefundLine.objects.create(refund=refund, line=refund.order.lines.get(), quantity=1, amount=50, restock=place)
    client, words = login("finance"), "Goods that are back went into stock when it was asked for"
    pages = [reverse("admin:payments_refund_change", args=[refund.pk])]
    pages += [action("payments_refund", name, refund.pk) for name in ("approve", "decline")]
    assert [words in text(client.get(page)) for page in pages] == [is_back] * 3


def test_a_dispute_of_more_than_was_paid_is_refused(login: Login) -> None:
    attempt = payments.paid()
    form = {"amount": "113.01", "opened_on": "2026-11-20", "reason": "case 7"}
    answer = login("finance").post(action("payments_attempt", "enter_dispute", attempt.pk), form)
    assert "At most 113.00 CNY can be disputed" in text(answer)
    assert not Dispute.objects.exists()


# --- finding ---------------------------------------------------------------------------------------------------------


def test_payments_and_refunds_are_found_by_every_number(login: Login) -> None:
    attempt, client = payments.paid(), login("auditor")
    payments.paid()
    payments.asked_for(attempt)
    key = RefundPart.objects.get().key
    for model, texts in (
        ("attempt", (attempt.number, attempt.remote, attempt.order.number)),
        ("entry", (attempt.number, attempt.remote, attempt.order.number, key)),
        ("refund", (key, attempt.order.number)),
        ("refundpart", (key, attempt.number, attempt.order.number)),
    ):
        for wanted in texts:
            shown = client.get(reverse(f"admin:payments_{model}_changelist"), {"q": wanted})
            assert len(shown.context["cl"].result_list) == 1, (model, wanted)


def test_both_languages(login: Login) -> None:
    attempt = payments.paid("112.00")
    with translation.override("zh-hans"):
        page = login("finance").get(
            reverse(OF_ORDER, args=[attempt.order_id]), headers={"accept-language": "zh-hans"}
        ).content.decode()  # fmt: skip
    assert "需要核查" in page and "Needs review" not in page
