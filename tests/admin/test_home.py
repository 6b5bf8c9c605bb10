from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import AccountState, Alarm, Incoming, Outgoing
from integrations.hub.values import Lane
from shop.catalogue.models import ImportRun
from shop.customer.models import User
from shop.order.models import Intake, Order, PaymentMethod
from shop.payments.models import Attempt as Payment
from shop.payments.models import Dispute, Refund, RefundPart, Stray
from shop.payments.numbers import new_number
from shop.stock import supply
from shop.stock.models import CountSheet, Hold, Pool, Proposal, Shortage
from tests import factories
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db
HOME = "admin:index"


@pytest.fixture
def trouble() -> None:
    """Of each kind of task another number, and beside it what must not be counted."""
    factories.stock("CHAIR-1", SZ=100)
    _orders()
    _holds()
    _shortages()
    _supplies()
    _decisions()
    _work()
    _imports()
    _product_files()
    _payments()


def _orders() -> None:
    for _ in range(2):
        factories.order({"CHAIR-1": 1})  # to be paid by transfer
    now = timezone.now()
    for said in [now - timedelta(days=4)] * 13 + [now - timedelta(hours=1)]:
        made = factories.order({"CHAIR-1": 1})
        Order.objects.filter(pk=made.pk).update(payment_said_at=said)
    factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    for fields in (
        *[{"status": "cancelling"}] * 3,
        *[{"status": "cancelled", "needs_return": True}] * 4,
        {"status": "cancelled", "needs_return": True, "return_closed_at": timezone.now()},
        *[{"status": "cancelled", "needs_refund": True}] * 5,
        {"status": "expired", "payment_said_at": now - timedelta(days=9)},
    ):
        made = factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
        Order.objects.filter(pk=made.pk).update(**fields)


def _holds() -> None:
    """Two whose time was over long ago; one is late by seconds only, which the next sweep does."""
    late = timezone.now() - timedelta(hours=1)
    rows = list(Hold.objects.filter(deadline=None)[:3])
    Hold.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(deadline=late)
    Hold.objects.filter(pk=rows[2].pk).update(deadline=timezone.now() - timedelta(seconds=20))


def _shortages() -> None:
    for number in range(6):
        pool = factories.stock(f"S-{number}", SZ=1)
        Shortage.objects.create(pool=pool, quantity=1, cause="count")
        Shortage.objects.create(pool=pool, quantity=1, cause="count", closed_at=timezone.now())


def _supplies() -> None:
    """Late ones and one in time; of three SKUs sold ahead two will not come."""
    for days in [-1] * 14 + [0]:
        factories.supply("CHAIR-1", days=days)
    for number in range(3):
        sale = factories.presale(f"A-{number}", cap=5)
        factories.order({f"A-{number}": 4}, payment_method=PaymentMethod.ON_ACCOUNT)
        if number:
            supply.cancel(sale.supply_id, 3)


def _decisions() -> None:
    li, boss = (User.objects.create_user(f"{name}@weft.test") for name in ("li", "boss"))
    place = factories.warehouse("SZ")
    decided = {"state": "refused", "decider": boss}
    for number, fields in enumerate([{}] * 11 + [decided] * 2):
        Proposal.objects.create(
            pool=factories.stock(f"P-{number}", SZ=1), warehouse=place, change="adjustment", quantity=-1, note="x",
            proposer=li, proposed_by="staff:li", **fields,
        )  # fmt: skip
    for state in ["counted"] * 12 + ["counting", "approved", "discarded"]:
        CountSheet.objects.create(warehouse=place, state=state, made_by="staff:li")


def _work() -> None:
    good, gone = factories.account(), factories.account(state=AccountState.RETIRED, problem="refused")
    for number, account in enumerate([good] * 7 + [gone] * 2):
        Outgoing.objects.create(account=account, topic="t", key=str(number), subject="", lane=Lane.STOCK,
                                parked_at=timezone.now())  # fmt: skip
    for number in range(17):
        Outgoing.objects.create(account=good, topic="t", key=f"by-hand-{number}", subject="", lane=Lane.MONEY,
                                is_command=True, delivered=1, is_unconfirmed=True)  # fmt: skip
        Incoming.objects.create(account=good, dedupe=str(number), event=str(number), digest="", lane=Lane.MONEY,
                                is_anomaly=number % 2, parked_at=timezone.now() if number < 15 else None)  # fmt: skip
    for _ in range(8):
        factories.account(problem="refused")
    now = timezone.now()
    for number, fields in enumerate(
        [{}] * 17
        + [
            {"acknowledged_at": now},
            {"silent_until": now + timedelta(hours=1)},
            {"ended_at": now},
        ]
    ):
        Alarm.objects.create(kind="silent", subject=f"c{number}", facts={"cluster": "c", "seconds": 90}, **fields)


def _imports() -> None:
    for number in range(9):
        Intake.objects.create(source_account="file", external_number=f"I{number}", refused={"1": "the quantity is 0"})
    Intake.objects.create(source_account="file", external_number="whole", rows={"ordered": [1]})
    Intake.objects.create(
        source_account="file", external_number="closed", refused={"1": "x"}, closed_at=timezone.now()
    )  # fmt: skip


def _payments() -> None:
    """Of each worklist another number, and beside it what is closed, decided or too young."""
    till, now = factories.account("payments", "gone"), timezone.now()
    order = factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    today = timezone.localdate()

    def payment(**fields: Any) -> Payment:
        return Payment.objects.create(
            order=order, account=till, number=new_number(), method="page", currency="CNY", total=9, captured=9,
            expires_at=now, watched_until=now, **fields,
        )  # fmt: skip

    for number in range(5):
        payment(review="paid in USD instead of CNY", reviewed_at=now if number > 2 else None)
    for number in range(6):
        made = Stray.objects.create(account=till, number=str(number), currency="CNY", captured=9,
                                    closed_at=now if number > 3 else None)  # fmt: skip
        if number < 5:
            Stray.objects.filter(pk=made.pk).update(first_seen_at=now - timedelta(hours=1))
    one = payment()
    for number in range(7):
        refund = Refund.objects.create(order=order, currency="CNY", amount=9, reason="x", actor="staff:li",
                                       needs_approval=number < 6, approved_at=now if number == 5 else None)  # fmt: skip
    for status, fields in (
        *[("failed", {})] * 3, *[("pending", {"is_stuck": True})] * 3, ("failed", {"closed_at": now}), ("pending", {}),
    ):  # fmt: skip
        RefundPart.objects.create(refund=refund, attempt=one, key=new_number(), amount=1, status=status, **fields)
    for number in range(9):
        ended = {"status": "won", "closed_at": now} if number > 6 else {}
        Dispute.objects.create(attempt=payment(), amount=9, opened_on=today, reason="x", actor="staff:li",
                               evidence_due_on=today + timedelta(days=number * 2), **ended)  # fmt: skip


def _product_files() -> None:
    for refused, fields in (
        *[(1, {"state": "imported"})] * 9,
        (0, {"state": "unreadable"}),
        (0, {"state": "imported"}),
        (1, {"state": "imported", "closed_at": timezone.now()}),
    ):
        ImportRun.objects.create(actor="test", file_name="a.csv", sha256="0" * 64, refused=refused, **fields)


COUNTS = {
    "Payments to confirm": 16,
    "Transfers said to be made": 13,
    "Orders being cancelled": 3,
    "Orders that need a return": 4,
    "Money to give back": 5,
    "Payments that need review": 3,
    "Money without an order": 4,
    "Refunds that failed": 6,
    "Refunds to approve": 5,
    "Open disputes": 7,
    "Evidence due soon": 2,
    "Shortages": 6,
    "Sold ahead, and not coming": 2,
    "Overdue supply": 14,
    "Adjustments to approve": 11,
    "Count sheets to decide": 12,
    "Overdue holds": 2,
    "Alarms": 17,
    "Parked work": 7,
    "Done by hand, unconfirmed": 17,
    "Parked messages": 15,
    "Accounts with a problem": 8,
    "Refused imports": 9,
    "Refused product files": 10,
}


def test_each_count_opens_exactly_the_rows_counted(login: Login, trouble: None) -> None:
    client = login("superuser")
    page = client.get(reverse(HOME))
    assert {task.title: task.count for task in page.context["tasks"]} == COUNTS
    for task in page.context["tasks"]:
        found = client.get(task.link)
        assert found.status_code == 200, task.link
        assert len(found.context["cl"].result_list) == task.count, task.link
        assert found.context["cl"].has_active_filters, task.link


def test_each_list_behind_a_count_shows_more_without_its_filter(login: Login, trouble: None) -> None:
    """Else a filter that does nothing would pass the test above."""
    client = login("superuser")
    for task in client.get(reverse(HOME)).context["tasks"]:
        everything = client.get(task.link.partition("?")[0]).context["cl"].result_count
        assert everything > task.count, task.title


def test_home_shows_each_what_is_theirs(login: Login, trouble: None) -> None:
    def titles(group: str) -> set[str]:
        return {task.title for task in login(group).get(reverse(HOME)).context["tasks"]}

    everything = set(COUNTS)
    files = {"Refused product files"}
    hub = {"Accounts with a problem", "Alarms"}
    money = {
        "Payments that need review", "Money without an order", "Refunds that failed", "Refunds to approve",
        "Open disputes", "Evidence due soon",
    }  # fmt: skip
    assert titles("") == set()
    assert titles("catalogue") == files
    sent = {"Parked messages"}
    assert titles("warehouse") == everything - files - sent - {*hub, "Refused imports"} - money
    counts = {"Adjustments to approve", "Count sheets to decide"}
    assert titles("finance") == everything - files - hub
    assert titles("sales") == titles("finance") - counts - sent
    assert titles("integrations") == everything - files - counts - money
    assert titles("auditor") == everything


def test_home_speaks_both_languages(login: Login, trouble: None) -> None:
    client = login("superuser")
    assert "Payments to confirm" in client.get(reverse(HOME)).content.decode()
    page = client.get(reverse(HOME), headers={"accept-language": "zh-hans"}).content.decode()
    assert "待确认的付款" in page


def test_a_calm_home_says_so(login: Login) -> None:
    page = login("superuser").get(reverse(HOME)).content.decode()
    assert "Nothing waits for you." in page
    assert "Updated at" in page
    assert "Refused imports" in page  # what was looked at
    assert "Nothing here is for you yet" in login("").get(reverse(HOME)).content.decode()


def test_what_needs_somebody_stands_first_and_what_does_not_is_small(login: Login) -> None:
    factories.stock("CHAIR-1", SZ=1)
    factories.order({"CHAIR-1": 1})
    page = login("superuser").get(reverse(HOME))
    assert [task.title for task in page.context["due"]] == ["Payments to confirm"]
    assert "Nothing waits for you." not in page.content.decode()


def rows(client: Client, model: type[Model], query: str) -> list[Any]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return list(client.get(f"{reverse(name)}?{query}").context["cl"].result_list)


def test_every_filter_of_every_list_works(login: Login, trouble: None) -> None:
    """Each choice of each filter opens; none asks for what is not there."""
    client = login("superuser")
    tried = 0
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        shown = client.get(address).context["cl"]
        for spec in shown.filter_specs:
            for choice in spec.choices(shown):
                assert client.get(address + choice["query_string"]).status_code == 200, choice
                tried += 1
    assert tried > 100
    assert Pool.objects.count() == 23
