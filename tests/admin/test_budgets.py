"""What the pages of the admin may cost in statements with a hundred rows of everything.

Every page is counted warm, with all hundred rows on it. What is counted is said in `tests/statements.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Account, Alarm, Attempt, HookAddress, Incoming, IncomingHint, Outgoing, Taken
from integrations.hub.values import Lane
from shop.api.models import Client as ApiClient
from shop.catalogue.models import (
    AttributeOptionGroup,
    Category,
    ImportRun,
    ImportState,
    Product,
    ProductClass,
)
from shop.customer.models import User
from shop.desk.models import SavedList
from shop.fulfilment.models import Parcel, ParcelLine, Sourcing
from shop.order import lifecycle
from shop.order.models import Intake, Line, Order
from shop.partner.models import Partner
from shop.payments.models import Attempt as Payment
from shop.payments.models import Dispute, Entry, Refund, RefundPart, Stray
from shop.payments.numbers import new_number
from shop.pricing.models import TaxClass
from shop.returns.models import Adjustment, CreditNote, Return, ReturnLine
from shop.stock.models import (
    BrokenPromise,
    Channel,
    CountRow,
    CountSheet,
    Hold,
    Movement,
    Pool,
    Presale,
    Proposal,
    Push,
    Reading,
    Reason,
    Repair,
    Share,
    Shortage,
    Supply,
    Waiting,
    Warehouse,
)
from shop.stock.proposal_models import Change
from tests import crowds, factories
from tests.admin.conftest import Login
from tests.statements import budget, counted

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 100
LIST = 11  # the issue allows 15
BOARD = 10  # every flow of every account, however many
PAGE = 15  # the home page, and that of one order, SKU or row of outgoing work
PAID = 6  # more for an order's payments: they, movements, disputes; refunds, their parts and lines
NOW = timezone.now()
numbers = range(ROWS)


def _categories() -> None:
    root = Category.add_root(slug="root", name_zh_hans="根", name_en="Root")
    for number in range(ROWS - 1):
        root.add_child(slug=f"c{number}", name_zh_hans=f"类 {number}", name_en=f"Category {number}")


def _products() -> None:
    made = crowds.products(ROWS, *Category.objects.all()[:2])
    crowds.variants(made[0], 5)


def _users() -> None:
    made = User.objects.bulk_create(User(email=f"u{number}@example.test", name=f"U {number}") for number in numbers)
    for user in made[:10]:
        user.groups.set(Group.objects.all()[:2])


def _warehouses() -> None:
    owner = factories.account(name="Tryton")
    Warehouse.objects.bulk_create(
        Warehouse(code=f"W{number}", name=f"W {number}", erp_account=owner) for number in numbers
    )


def _pools() -> None:
    crowds.levels(Warehouse.objects.all()[:3])
    Pool.objects.filter(sku__lt="MANY-0050").update(reserved=2000, shortage=1000)


def _orders() -> None:
    users = User.objects.all()[:2]
    crowds.orders(ROWS, "MANY-0001", user=users[0], needs_refund=True)


def _movements() -> None:
    places = Warehouse.objects.all()[:3]
    Movement.objects.bulk_create(
        Movement(pool=pool, warehouse=places[number % 3], quantity=1, reason=Reason.RECEIPT, actor="staff")
        for number, pool in enumerate(Pool.objects.all()[:ROWS])
    )


def _holds() -> None:
    pools = Pool.objects.all()[:ROWS]
    Hold.objects.bulk_create(
        Hold(pool=pool, line=line, quantity=2) for pool, line in zip(pools, Line.objects.all(), strict=False)
    )


def _shortages() -> None:
    orders = list(Order.objects.values_list("number", flat=True)[:3])
    Shortage.objects.bulk_create(
        Shortage(pool=pool, quantity=1, cause="count", orders=orders) for pool in Pool.objects.all()[:ROWS]
    )


def _promises() -> None:
    short = Shortage.objects.all()[0]
    BrokenPromise.objects.bulk_create(
        BrokenPromise(line=line, pool=pool, shortage=short, ending="cancelled", cause="count", units=1, value=9)
        for pool, line in zip(Pool.objects.all()[:ROWS], Line.objects.all(), strict=False)
    )


def _supplies() -> None:
    place = Warehouse.objects.all()[0]
    Supply.objects.bulk_create(
        Supply(pool=pool, warehouse=place, quantity=50, expected_on=NOW.date(), document=f"PO-{number}")
        for number, pool in enumerate(Pool.objects.all()[:ROWS])
    )


def _presales() -> None:
    made = Presale.objects.bulk_create(
        Presale(pool_id=row.pool_id, supply=row, kind="presale", size=50, cap=50, promised=1, ships_on=row.expected_on)
        for row in Supply.objects.all()
    )
    Waiting.objects.bulk_create(
        Waiting(presale=sale, line=line, quantity=1, promised_on=sale.ships_on)
        for sale, line in zip(made, Line.objects.all(), strict=False)
    )


def _readings() -> None:
    Reading.objects.bulk_create(Reading(account=account, rows=9) for account in Account.objects.all()[:ROWS])


def _repairs() -> None:
    Repair.objects.bulk_create(
        Repair(pool=pool, figure="reserved", before=3, after=2, actor="manage.py") for pool in Pool.objects.all()[:ROWS]
    )


def _parcels() -> None:
    account = factories.account()
    parcels = Parcel.objects.bulk_create(
        Parcel(order=order, account=account, remote_key=order.number, number=order.number, shipped_at=NOW)
        for order in Order.objects.all()
    )
    place = Warehouse.objects.all()[0]
    ParcelLine.objects.bulk_create(
        ParcelLine(parcel=parcel, line=line, warehouse=place, sku=line.partner_sku, quantity=1)
        for parcel in parcels
        for line in parcel.order.lines.all()
    )


def _returns() -> None:
    made = Return.objects.bulk_create(Return(number=f"R{n}", source_account="web", received_at=NOW) for n in numbers)
    place = Warehouse.objects.all()[0]
    ReturnLine.objects.bulk_create(
        ReturnLine(returned=returned, line=line, quantity=1, warehouse=place)
        for returned, line in zip(made, Line.objects.all(), strict=False)
    )


def _credit_notes() -> None:
    money = {"currency": "CNY", "total_incl_tax": 113, "total_excl_tax": 100}
    CreditNote.objects.bulk_create(
        CreditNote(number=returned.number, source_account="web", returned=returned, issued_at=NOW, **money)
        for returned in Return.objects.all()
    )


def _adjustments() -> None:
    money = {"currency": "CNY", "amount": -5}
    Adjustment.objects.bulk_create(
        Adjustment(source_account="web", number="A", position=number, sku="MANY-0001", at=NOW, **money)
        for number in numbers
    )


def _payments() -> None:
    """Of the first order five, with all that can happen to them."""
    account, orders = factories.account("payments", "gone"), list(Order.objects.all())
    made = Payment.objects.bulk_create(
        Payment(order=order, account=account, number=new_number(), method="page", status="captured", currency="CNY",
                total=100, captured=100, refunded=9, refund_pending=9, paid_at=NOW, expires_at=NOW, watched_until=NOW,
                review="paid in USD instead of CNY")
        for order in [*orders, *[Line.objects.select_related("order")[0].order] * 5]
    )  # fmt: skip
    Entry.objects.bulk_create(
        Entry(attempt=one, kind=kind, amount=9, currency="CNY", at=NOW, source="till: notice")
        for number, one in enumerate(made) for kind in ("captured", "refunded")[: 1 + (number >= ROWS)]
    )  # fmt: skip
    refunds = Refund.objects.bulk_create(
        Refund(order_id=one.order_id, currency="CNY", amount=18, reason="x", actor="staff:li", needs_approval=True)
        for one in made
    )
    RefundPart.objects.bulk_create(
        RefundPart(refund=refund, attempt=one, key=new_number(), amount=9, status=status, why="no")
        for number, (refund, one) in enumerate(zip(refunds, made, strict=True))
        for status in ("pending", "failed")[: 1 + (number >= ROWS)]
    )  # fmt: skip
    Dispute.objects.bulk_create(
        Dispute(attempt=one, amount=5, opened_on=NOW.date(), reason="x", actor="staff:li") for one in made
    )


def _strays() -> None:
    account = Account.objects.latest("pk")
    Stray.objects.bulk_create(Stray(account=account, number=f"N{n}", currency="CNY", captured=9) for n in numbers)


def _accounts() -> None:
    for number in numbers:
        factories.account("messages" if number % 2 else "test", "file" if number % 2 else "gone", problem="refused")


def _alarms() -> None:
    accounts = Account.objects.all()[:ROWS]
    Alarm.objects.bulk_create(
        Alarm(kind="parked", subject=str(account.pk), account=account, facts={"account": account.name, "count": 2})
        for account in accounts
    )


def _channels() -> None:
    Channel.objects.bulk_create(Channel(account=account) for account in Account.objects.all()[:ROWS])


def _shares() -> None:
    channels = Channel.objects.all()[:1]
    made = Share.objects.bulk_create(Share(channel=one, pool=pool) for one in channels for pool in Pool.objects.all())
    now = timezone.now()
    Push.objects.bulk_create(
        Push(share=share, figure=1, charged=1, is_clean=True, started_at=now, closes_at=now) for share in made
    )


def _outgoing() -> None:
    accounts = Account.objects.all()[:10]
    orders = Order.objects.values_list("number", flat=True)
    made = Outgoing.objects.bulk_create(
        Outgoing(
            account=accounts[number % 10],
            topic="mail",
            key=f"{order}:placed",
            subject=f"order:{order}",
            lane=Lane.ORDERS,
            parked_at=NOW if number % 2 else None,
        )
        for number, order in enumerate(orders)
    )
    Attempt.objects.bulk_create(
        Attempt(outgoing=row, lease_token="0" * 32, revision=1, outcome="Rejected") for row in made
    )


def _worksheets() -> None:
    for number, account in zip(range(100), cycle(Account.objects.all()[:10]), strict=False):
        sheet = Taken.objects.create(account=account, actor="staff:li")
        Outgoing.objects.create(account=account, topic="mail", key=f"taken-{number}", subject="", lane=Lane.ORDERS,
                                taken=sheet, taken_revision=1)  # fmt: skip


def _incoming() -> None:
    accounts = Account.objects.all()[:10]
    attempt = {"at": NOW.isoformat(), "outcome": "TryAgain", "message": "Busy."}
    made = Incoming.objects.bulk_create(
        Incoming(account=accounts[n % 10], dedupe=f"evt-{n}", event=f"evt-{n}", digest="0" * 64, lane=Lane.MONEY,
                 sealed=b"x", parked_at=NOW if n % 2 else None, attempts=[attempt] * 10, is_anomaly=not n % 7)
        for n in numbers
    )  # fmt: skip
    IncomingHint.objects.bulk_create(
        IncomingHint(incoming=row, kind="payment", key=f"P{n}") for row in made for n in range(3)
    )
    HookAddress.objects.bulk_create(HookAddress(account=accounts[n % 10], digest=str(n)) for n in range(20))


def _intakes() -> None:
    Intake.objects.bulk_create(
        Intake(
            source_account="file", external_number=f"I{n}", rows={"ordered": [1, 2]}, refused={"3": "the quantity is 0"}
        )
        for n in numbers
    )


def _log() -> None:
    kinds = [ContentType.objects.get_for_model(model) for model in (Order, Pool, Account)]
    people = User.objects.all()[:10]
    LogEntry.objects.bulk_create(
        LogEntry(user=people[n % 10], content_type=kinds[n % 3], object_id=str(n), object_repr=f"Thing {n}",
                 action_flag=CHANGE, change_message="Paid.")
        for n in numbers
    )  # fmt: skip


def _saved() -> None:
    boss = User.objects.get(email="superuser@weft.test")
    SavedList.objects.bulk_create(
        SavedList(owner=boss, name=f"L{n}", list="order.order", query=f"status__exact=paid&q={n}") for n in numbers
    )


# In an order in which each finds what it needs.
def _api_clients() -> None:
    ApiClient.objects.bulk_create(
        ApiClient(name=f"Partner {n}", code=f"partner-{n}", secret_digest="0" * 64, scopes=["stock:read"])
        for n in range(ROWS)
    )


def _proposals() -> None:
    li, boss = User.objects.all()[:2]
    place = Warehouse.objects.all()[0]
    Proposal.objects.bulk_create(
        Proposal(pool=pool, warehouse=place, change=Change.ADJUSTMENT, quantity=-200, note="x", proposer=li,
                 proposed_by="staff:li", **({"state": "refused", "decider": boss} if number % 2 else {}))
        for number, pool in enumerate(Pool.objects.all()[:ROWS])
    )  # fmt: skip


def _sheets() -> None:
    place = Warehouse.objects.all()[0]
    made = CountSheet.objects.bulk_create(CountSheet(warehouse=place, made_by="staff:li") for _number in numbers)
    first = made[0]
    CountRow.objects.bulk_create(
        CountRow(sheet=sheet, pool_id=f"MANY-{number:04}", position=number)
        for sheet in made[1:] for number in range(3)
    )  # fmt: skip
    CountRow.objects.bulk_create(
        CountRow(sheet=first, pool=pool, position=number, found=9, figure=10, price=5, currency="CNY", entries=1)
        for number, pool in enumerate(Pool.objects.filter(sku__startswith="MANY")[:ROWS])
    )


CROWDS: dict[type[Model], Callable[[], Any]] = {
    Group: lambda: Group.objects.bulk_create(Group(name=f"g{number}") for number in numbers),
    TaxClass: lambda: TaxClass.objects.bulk_create(TaxClass(code=f"T{n}", name=f"T {n}", rate=0) for n in numbers),
    ProductClass: lambda: ProductClass.objects.bulk_create(ProductClass(name=f"P{n}", slug=f"p{n}") for n in numbers),
    AttributeOptionGroup: lambda: AttributeOptionGroup.objects.bulk_create(
        AttributeOptionGroup(name_zh_hans=f"列表 {n}", name_en=f"List {n}") for n in numbers
    ),
    ImportRun: lambda: ImportRun.objects.bulk_create(
        ImportRun(file_name=f"{n}.csv", actor="staff:a", state=ImportState.IMPORTED, refused=n) for n in numbers
    ),
    Partner: lambda: Partner.objects.bulk_create(Partner(code=f"p{n}", name=f"P {n}") for n in numbers),
    User: _users,
    Warehouse: _warehouses,
    Category: _categories,
    Product: _products,
    Pool: _pools,
    Movement: _movements,
    Order: _orders,
    Line: lambda: None,  # come with the orders
    Intake: _intakes,
    Hold: _holds,
    Shortage: _shortages,
    BrokenPromise: _promises,
    Account: _accounts,
    Alarm: _alarms,
    Channel: _channels,
    Share: _shares,
    Proposal: _proposals,
    CountSheet: _sheets,
    Supply: _supplies,
    Presale: _presales,
    Reading: _readings,
    Repair: _repairs,
    Parcel: _parcels,
    Return: _returns,
    CreditNote: _credit_notes,
    Adjustment: _adjustments,
    Payment: _payments,
    Entry: lambda: None,  # come with the payments, as do those below
    Refund: lambda: None,
    RefundPart: lambda: None,
    Dispute: lambda: None,
    Stray: _strays,
    Outgoing: _outgoing,
    Taken: _worksheets,
    Incoming: _incoming,
    LogEntry: _log,
    SavedList: _saved,
    ApiClient: _api_clients,
}


@pytest.fixture
def crowded(login: Login) -> Client:
    """A hundred rows of everything, and a superuser."""
    client = login("superuser")
    for fill in CROWDS.values():
        fill()
    return client


def page(client: Client, url: str, allowed: int = PAGE) -> None:
    """A page that was seen before."""
    assert client.get(url).status_code == 200, url
    with budget(allowed, url):
        client.get(url)


def test_every_list_with_a_hundred_rows(crowded: Client) -> None:
    assert set(admin.site._registry) == set(CROWDS), "a new list needs a hundred rows here"
    over = []
    for model in CROWDS:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") + "?all="
        assert len(crowded.get(url).context["cl"].result_list) >= ROWS, url
        with counted(url) as found:
            crowded.get(url)
        if len(found) > LIST:
            over.append(found)
        if model is Account:
            assert len(found.naming("hub_outgoing")) == 1, "all accounts' work is counted in one query"
    assert not over, "\n".join([f"at most {LIST} are allowed", *map(str, over)])


def test_home_and_the_pages_of_one_thing(crowded: Client, login: Login) -> None:
    """For each group, and one order with everything that can happen to it."""
    line = Line.objects.select_related("order")[0]
    places = Warehouse.objects.all()[:3]
    Sourcing.objects.bulk_create(Sourcing(line=line, warehouse=place, quantity=1) for place in places)
    lifecycle.confirm_payment(line.order.number, actor="staff:test", reference="HSBC-1")
    page(crowded, reverse("admin:order_order_change", args=[line.order.pk]), PAGE + PAID)
    page(crowded, reverse("admin:stock_pool_change", args=["MANY-0001"]))
    for model in (Payment, Refund, RefundPart, Stray, Dispute, Entry):
        name = f"admin:payments_{model._meta.model_name}_change"
        page(crowded, reverse(name, args=[model.objects.earliest("pk").pk]))
    sheet = CountSheet.objects.earliest("pk").pk
    page(crowded, reverse("admin:stock_proposal_change", args=[Proposal.objects.earliest("pk").pk]))
    page(crowded, reverse("admin:stock_countsheet_change", args=[sheet]))
    page(crowded, reverse("admin:stock_countsheet_enter", args=[sheet]))
    CountSheet.objects.filter(pk=sheet).update(state="counted", round=2)
    page(crowded, reverse("admin:stock_countsheet_change", args=[sheet]))
    page(crowded, reverse("admin:stock_warehouse_close", args=[places[0].pk]))
    page(crowded, reverse("admin:stock_supply_change", args=[Supply.objects.all()[0].pk]))
    page(crowded, reverse("admin:stock_presale_change", args=[Presale.objects.all()[0].pk]))
    page(crowded, reverse("admin:stock_brokenpromise_change", args=[BrokenPromise.objects.all()[0].pk]))
    page(crowded, reverse("admin:stock_shortage_change", args=[Shortage.objects.all()[0].pk]))
    page(crowded, reverse("admin:hub_outgoing_change", args=[Outgoing.objects.all()[0].pk]))
    page(crowded, reverse("admin:hub_incoming_change", args=[Incoming.objects.all()[0].pk]))
    page(crowded, reverse("admin:hub_account_change", args=[Account.objects.earliest("pk").pk]))
    page(crowded, reverse("admin:hub_alarm_change", args=[Alarm.objects.all()[0].pk]))
    page(crowded, reverse("admin:returns_return_change", args=[Return.objects.all()[0].pk]))
    board = reverse("admin:hub_account_flows")
    crowded.get(board)
    with budget(BOARD, board):
        shown = crowded.get(board).content.decode()
    assert shown.count("weft-badge") > ROWS, "the flows of a hundred accounts"
    for group in ("superuser", "sales", "finance", "auditor", "integrations"):
        page(login(group), reverse("admin:index"))
