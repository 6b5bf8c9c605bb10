"""A company in the middle of its day: orders in every state, work that is stuck, stock that is short, files refused.

Made by the services and by staff's own actions wherever they can; what other systems would have said is written down
as they would have said it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.channels.providers.market import PracticeMarket
from integrations.hub import registry
from integrations.hub.errors import Forged
from integrations.hub.health import alarms, objectives
from integrations.hub.incoming import addresses, heeding, receiving
from integrations.hub.models import (
    Account,
    AccountState,
    Alarm,
    Attempt,
    Cursor,
    Gap,
    Incoming,
    IncomingHint,
    Outgoing,
    Pause,
    Pulse,
)
from integrations.hub.registry import connect
from integrations.hub.sending import manual, plans
from integrations.hub.values import Address, Inbound, Verified
from shop import intake
from shop.customer.groups import ensure_groups
from shop.customer.models import User
from shop.desk.models import SavedList
from shop.fulfilment import filling, shipping
from shop.fulfilment.shipping import Left
from shop.intake import Document, Entry
from shop.mail.letters import Mail
from shop.order import lifecycle
from shop.order.models import Order, OrderStatusChange, PaymentMethod
from shop.order.place import Draft, DraftLine, place
from shop.partner.models import StockRecord
from shop.seed import load
from shop.stock import readings, repair
from shop.stock.models import Hold, Level, Pool, Reason, Warehouse
from shop.stock.movements import Move, by_staff
from shop.stock.readings import Figure
from tests.screenshots import ahead, broken, counts, paying, selling, wares

NAMES = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨磊", "赵敏", "黄强", "周婷", "吴昊", "Anna Schmidt", "徐丽")
PLACES = (("广东省", "深圳市", "南山区"), ("浙江省", "杭州市", "西湖区"), ("上海市", "上海市", "徐汇区"),
          ("四川省", "成都市", "武侯区"))  # fmt: skip
GROUPS = {"sales": "孙丽", "warehouse": "马超", "finance": "钱芳", "catalogue": "朱琳", "integrations": "胡斌",
          "auditor": "林岚"}  # fmt: skip


Say = Callable[[str], Any]


@dataclass
class Company:
    """Whom the pictures need by name."""

    boss: User
    customer: User
    erp: Account
    mail: Account


def make(say: Say, catalogue: Callable[[Say], None] = load.load) -> Company:
    """Everything, into an empty, migrated database."""
    random.seed(20261122)
    load.make_countries()
    catalogue(say)
    company = _people()
    _accounts(company)
    staff = Client(headers={"accept-language": "zh-hans"})
    staff.force_login(company.boss)
    _partners(staff)
    _orders(company)
    say(f"{Order.objects.count()} orders")
    _stock(company)
    _repaired()
    _imports()
    wares.make(staff)
    counts.make(company.boss)
    ahead.make(staff, _bought)
    filling.fill_waiting()
    broken.make(staff)
    selling.make()
    _work(company)
    _messages()
    paying.make(_bought_online, _shipped, staff)
    _staff_work(company, staff)
    _letters(company)
    _spread_out()
    _watched(company)
    return company


class HearingMarket(PracticeMarket):
    """No connector shipped today is sent anything; the pages about addresses need one that is."""

    def verify(self, inbound: Inbound) -> Verified:
        raise Forged("Nobody sends here.")


def have_it_hear() -> None:
    """For these pictures the market sends messages: its account has one address, and may get a second.

    Not in `make`, which tests call as well: the connector is exchanged for good.
    """
    registry.connectors()["channel", "market"] = HearingMarket
    addresses.make(Account.objects.get(kind="channel"))


def _watched(company: Company) -> None:
    """How the flows stand: figures that wait since minutes, a silent cluster, numbers a market did not tell."""
    now = timezone.now()
    market = Account.objects.get(kind="channel")
    Cursor.objects.create(account=market, name="orders", read_at=now - timedelta(seconds=9))
    Cursor.objects.create(account=market, name="orders.by-date", read_at=now - timedelta(minutes=41))
    Gap.objects.create(account=market, name="orders.by-date", kind="sequence", since=now - timedelta(hours=5),
                       until=now - timedelta(hours=3), facts={"missing": [1182, 1183, 1187]}, times=3)  # fmt: skip
    Outgoing.objects.filter(delivered__lt=F("wanted")).update(wished_at=now - timedelta(minutes=14))
    objectives.change(market, "channel.stock", 30, by="staff:integrations@weijian.example")
    Pulse.objects.create(cluster="weft", beaten_at=now)
    Pulse.objects.create(cluster="weft-urgent", beaten_at=now - timedelta(minutes=4))
    alarms.look()
    Alarm.objects.update(opened_at=now - timedelta(minutes=8), told_at=now - timedelta(minutes=8))
    seen = Alarm.objects.filter(kind="problem").earliest("pk")
    Alarm.objects.filter(pk=seen.pk).update(
        acknowledged_at=now, acknowledged_by="staff:integrations@weijian.example", note="已请服务商重置密码"
    )
    Alarm.objects.filter(kind="parked").update(
        silent_until=now + timedelta(hours=4),
        silenced_by="staff:integrations@weijian.example",
        silent_reason="明天盘点后处理",
    )
    Alarm.objects.create(kind="silent", subject="weft", facts={"cluster": "weft", "seconds": 95},
                         opened_at=now - timedelta(hours=7), ended_at=now - timedelta(hours=6, minutes=48))  # fmt: skip


def _letters(company: Company) -> None:
    """What customers got, in the demo's letter box."""
    sent = Outgoing.objects.filter(account=company.mail, topic="mail", delivered_at__isnull=False).order_by("-pk")
    remote = connect(company.mail, now=lambda: timezone.now())
    remote.settings = {"folder": str(settings.WEFT_MAIL_FOLDER)}
    for event in ("placed", "paid", "shipped", "cancelled"):
        for row in sent.filter(payload__event=event)[:2]:
            Mail().send(remote, row.payload, row.key)


def _spread_out() -> None:
    """It was all made within seconds; moves and letters get the hours at which they would have been."""
    for order in Order.objects.filter(is_historical=False).prefetch_related("status_changes"):
        for step, change in enumerate(sorted(order.status_changes.all(), key=lambda change: change.pk)):
            at = min(order.date_placed + timedelta(minutes=47 * step), timezone.now())
            OrderStatusChange.objects.filter(pk=change.pk).update(date_created=at)
        for step, row in enumerate(Outgoing.objects.filter(subject=order.subject).order_by("pk")):
            at = min(order.date_placed + timedelta(minutes=16 * step, seconds=2), timezone.now())
            Outgoing.objects.filter(pk=row.pk).update(created_at=at)
        Hold.objects.filter(line__order=order).update(created_at=order.date_placed + timedelta(seconds=1))


def _people() -> Company:
    groups = ensure_groups()
    boss = User.objects.create_superuser("admin@weijian.example", None, name="王敏", last_login=timezone.now())
    for group, name in GROUPS.items():
        member = User.objects.create_user(f"{group}@weijian.example", name=name, is_staff=True)
        member.groups.add(Group.objects.get(name=groups[group].name))
    now = timezone.now()
    for number, name in enumerate(NAMES):
        customer = User.objects.create_user(
            f"buyer{number}@example.com", name=name, phone=f"1380013{8000 + number}", may_buy_on_account=number < 3,
            last_login=now - timedelta(hours=number * 7), date_joined=now - timedelta(days=40 + number),
        )  # fmt: skip
        customer.set_password("a-long-enough-pass")
        customer.save()
    customer = User.objects.get(email="buyer0@example.com")
    return Company(boss, customer, erp=Account(), mail=Account())


def _accounts(company: Company) -> None:
    now = timezone.now()
    company.erp = Account.objects.create(
        kind="erp", provider="tryton", name="Tryton", state=AccountState.ACTIVE, active_since=now - timedelta(days=30),
        checked_at=now, remote_version="8.0.5", notes=["Currency CNY; warehouses HZ."],
        settings={"url": "http://127.0.0.1:8015", "database": "weft", "web_shop": "weft", "user": "weft"},
    )  # fmt: skip
    company.mail = Account.objects.create(
        kind="messages", provider="file", name="mail", state=AccountState.ACTIVE, active_since=now - timedelta(days=30),
        checked_at=now, settings={"folder": "var/mail"},
    )  # fmt: skip
    broken = Account.objects.create(
        kind="messages", provider="smtp", name="newsletter", state=AccountState.STARTING, checked_at=now,
        problem="The mail server refuses this user and password.",
        settings={"host": "smtp.example.com", "port": "587", "security": "starttls", "user": "news"},
    )  # fmt: skip
    Account.objects.create(kind="messages", provider="smtp", name="old relay", state=AccountState.RETIRED)
    Pause.objects.create(account=broken, until=now + timedelta(minutes=4), reason=broken.problem)
    Cursor.objects.create(account=company.erp, name="shipments", read_at=now)
    Warehouse.objects.filter(code="HZ").update(erp_account=company.erp)


# --- orders ----------------------------------------------------------------------------------------------------------


def _orders(company: Company) -> None:
    buyers = list(User.objects.filter(is_staff=False).order_by("pk"))
    for number in range(8):
        _placed(buyers[number % 5], hours=number * 5)  # awaiting payment
    overdue = [_placed(buyers[5], hours=100), _placed(None, hours=90)]
    lifecycle.expire_overdue()
    _late_money(overdue[0])
    _said(buyers)
    for number in range(7):
        _paid(_placed(buyers[number], hours=20 + number))
    for number in range(4):
        _placed(buyers[number % 3], hours=30 + number * 9, method=PaymentMethod.ON_ACCOUNT)
    for number in range(9):
        _shipped(_paid(_placed(buyers[number], hours=60 + number * 11)))
    for number in range(2):
        _partly(company, _paid(_placed(buyers[number], hours=40, lines=3)))
    lifecycle.cancel(_placed(None, hours=8).number, actor="staff:sales@weijian.example", reason="客户改了主意")
    lifecycle.cancel(_paid(_placed(buyers[8], hours=9)).number, actor="staff:sales@weijian.example", reason="缺货")
    _cancelled_late(company, buyers)


def _placed(
    buyer: User | None, *, hours: float, lines: int = 0, method: Any = PaymentMethod.BANK_TRANSFER,
    wanted: dict[str, int] | None = None,
) -> Order:  # fmt: skip
    name = buyer.name if buyer else random.choice(NAMES)
    region, city, district = random.choice(PLACES)
    address = Address(name, (f"科技路 {random.randint(1, 99)} 号",), district, city, region, "518057", "CN",
                      f"+861380013{random.randint(1000, 9999)}")  # fmt: skip
    return place(
        Draft(
            currency="CNY",
            lines=_of(wanted) if wanted else _lines(lines or random.randint(1, 3)),
            ship_to=address,
            payment_method=method,
            language="en" if buyer and buyer.name.isascii() else "zh-hans",
            user_id=buyer.pk if buyer else None,
            email="" if buyer else "guest@example.com",
            shipping_gross=Decimal("12.00"),
            shipping_tax_code="VAT9",
            shipping_tax_rate=Decimal("0.09"),
            shipping_name="标准快递",
            placed_at=timezone.now() - timedelta(hours=hours),
            note="请放在前台，谢谢。" if random.random() < 0.3 else "",
        )
    )


def _bought(wanted: dict[str, int]) -> Order:
    """An order of these SKUs, whether they are here or not."""
    buyer = User.objects.get(email="buyer0@example.com")
    return _placed(buyer, hours=2, wanted=wanted)


def _bought_online(lines: int, hours: float = 3) -> Order:
    """An order of so many lines that waits to be paid online."""
    buyer = User.objects.get(email="buyer0@example.com")
    return _placed(buyer, hours=hours, lines=lines, method=PaymentMethod.ONLINE)


def _lines(count: int) -> tuple[DraftLine, ...]:
    free = Pool.objects.filter(on_hand__gt=F("reserved") + 10, shortage=0).values_list("sku", flat=True)
    return _of({sku: random.randint(1, 3) for sku in random.sample(sorted(free), count)})


def _of(wanted: dict[str, int]) -> tuple[DraftLine, ...]:
    records = StockRecord.objects.filter(partner_sku__in=wanted).select_related("product__parent")
    return tuple(
        DraftLine(
            sku=record.partner_sku,
            title=record.product.title_zh_hans or str(record.product),
            quantity=wanted[record.partner_sku],
            unit_gross=record.price,
            discount=Decimal(0),
            tax_code="VAT13",
            tax_rate=Decimal("0.13"),
            product_id=record.product_id,
            stockrecord_id=record.pk,
        )
        for record in records
    )


def _paid(order: Order) -> Order:
    reference = f"ICBC {random.randint(10000, 99999)}"
    return lifecycle.confirm_payment(order.number, actor="staff:finance@weijian.example", reference=reference)


def _said(buyers: Sequence[User]) -> None:
    """Customers say that the transfer is made: one just now, one days ago, who was given more time since."""
    lifecycle.say_paid(_placed(buyers[0], hours=20).number, actor=f"customer:{buyers[0].pk}")
    early = _placed(buyers[6], hours=71.5)
    lifecycle.say_paid(early.number, actor=f"customer:{buyers[6].pk}")
    lifecycle.extend_deadline(
        early.number, timezone.now() + timedelta(hours=80), actor="staff:finance@weijian.example",
        reason="银行说明天到账",
    )  # fmt: skip
    Order.objects.filter(pk=early.pk).update(payment_said_at=early.date_placed + timedelta(hours=0.5))


def _late_money(order: Order) -> None:
    """Somebody else bought all that was left meanwhile: paid too late, to be given back."""
    line = order.lines.order_by("pk")[0]
    free = Pool.objects.get(sku=line.partner_sku).free
    wanted = DraftLine(line.partner_sku, line.title, free, Decimal("50.00"), Decimal(0), "VAT13", Decimal("0.13"))
    address = Address("宏图商贸", ("中山路 8 号",), "天河区", "广州市", "广东省", "510000", "CN", "+8613700001111")
    place(Draft(currency="CNY", lines=(wanted,), ship_to=address, payment_method=PaymentMethod.ON_ACCOUNT,
                language="zh-hans", email="bulk@example.com"))  # fmt: skip
    lifecycle.confirm_payment(order.number, actor="staff:finance@weijian.example", reference="ICBC 90001")


def _shipped(order: Order) -> Order:
    for place_ in Warehouse.objects.filter(erp_account=None):
        if any(s.warehouse_id == place_.pk for line in order.lines.all() for s in line.sourcings.all()):
            shipping.ship(order.number, warehouse=place_, actor="staff:warehouse@weijian.example")
    return order


def _partly(company: Company, order: Order) -> None:
    line = order.lines.order_by("pk")[0]
    shipping.learn(company.erp, key=f"shipment,{order.pk}", number=f"S-{order.pk + 4000}", order_number=order.number,
                   at=timezone.now() - timedelta(hours=3), left=[Left(line.partner_sku, "SZ", 1)])  # fmt: skip


def _cancelled_late(company: Company, buyers: Sequence[User]) -> None:
    """Told to the ERP before they were cancelled: one waits for its answer, the other's goods had left."""
    waiting, gone = (_paid(_placed(buyers[number], hours=15)) for number in (2, 3))
    for order in (waiting, gone):
        row = Outgoing.objects.get(account=company.erp, topic="erp.order", key=order.number)
        Attempt.objects.create(outgoing=row, lease_token="0" * 32, revision=1)
        lifecycle.cancel(order.number, actor="staff:sales@weijian.example", reason="客户取消")
    with lifecycle.locked(gone.number) as order:
        lifecycle.refuse_cancellation(order, actor="Tryton", reason="the ERP had shipped it already")
        lifecycle.acknowledge_cancellation(order, actor="Tryton")


# --- stock, files, work ----------------------------------------------------------------------------------------------


def _stock(company: Company) -> None:
    ours = Warehouse.objects.get(code="SZ")
    busy = Pool.objects.filter(reserved__gt=2, levels__warehouse=ours, levels__on_hand__gt=F("on_hand") - F("reserved"))
    with transaction.atomic():
        for pool in busy.order_by("sku")[:2]:
            here = Level.objects.get(pool=pool, warehouse=ours).on_hand
            lost = min(here, pool.on_hand - pool.reserved + 2)
            by_staff([Move(pool.sku, ours.pk, -lost, Reason.DAMAGE, actor="staff:warehouse@weijian.example",
                           note="货架漏水")])  # fmt: skip
    for quantity in (0, 3):
        begun = readings.start(company.erp)
        figures = [
            Figure(level.pool_id, "HZ", max(level.on_hand - (quantity if number < 4 else 0), 0))
            for number, level in enumerate(Level.objects.filter(warehouse__code="HZ").order_by("pool"))
        ]
        readings.apply(begun, figures)
    late = Hold.objects.filter(open__gt=0, deadline__isnull=False).order_by("-pk")[:2]
    Hold.objects.filter(pk__in=[hold.pk for hold in late]).update(deadline=timezone.now() - timedelta(hours=2))


def _repaired() -> None:
    """Somebody wrote to the database by hand, and it was set right."""
    for pool in Pool.objects.filter(shortage=0, on_hand__gt=F("reserved") + F("escrow") + 3).order_by("sku")[:2]:
        Pool.objects.filter(pk=pool.pk).update(reserved=F("reserved") + 2)
        repair.apply(pool.sku, actor="staff:warehouse@weijian.example")


def _imports() -> None:
    """Documents of a marketplace's file: sold, taken back, and with rows that cannot be."""
    titles = {r.partner_sku: r.product.title_zh_hans for r in StockRecord.objects.select_related("product")}
    skus = list(
        Pool.objects.filter(on_hand__gt=F("reserved") + 30, shortage=0)
        .order_by("sku")[:6]
        .values_list("sku", flat=True)
    )
    where = Warehouse.objects.get(code="SZ").pk
    address = Address("周洁", ("文三路 90 号",), "西湖区", "杭州市", "浙江省", "310012", "CN", "+8613900001111")

    def document(number: str, entries: list[Entry], days: int, cancels: bool = False) -> None:
        intake.take(Document("taobao", number, timezone.now() - timedelta(days=days), "CNY", "tb-buyer-7", address,
                             cancels, entries, where, "zh-hans"))  # fmt: skip

    def entry(position: int, sku: str, quantity: int, price: str) -> Entry:
        return Entry(position, sku, titles.get(sku, sku), quantity, Decimal(price))

    for number in range(5):
        document(f"TB{260000 + number}", [entry(1, skus[number], 2, "88.00"), entry(2, skus[number + 1], 1, "59.90")],
                 days=9 - number)  # fmt: skip
    document("TB260900", [entry(1, skus[0], -1, "88.00")], days=2, cancels=True)
    document("TB260901", [entry(1, skus[2], -1, "35.00"), entry(2, "XX-UNKNOWN", -1, "12.00")], days=1, cancels=True)
    document("TB260910", [entry(1, skus[1], 1, "-15.00")], days=1)
    document("TB260950", [entry(1, skus[3], 1, "59.90"), entry(2, skus[4], 0, "59.90"), entry(3, skus[4], 1, "9.999")],
             days=1)  # fmt: skip
    document("TB260951", [entry(1, skus[3], 999999, "59.90")], days=0)


def _work(company: Company) -> None:
    """What the workers would have made of it: most delivered, some parked, some waiting."""
    now = timezone.now()
    Account.objects.create(kind="messages", provider="smtp", name="invoices", state=AccountState.PAUSED, checked_at=now)
    rows = list(Outgoing.objects.select_related("account").order_by("pk"))
    for number, row in enumerate(rows[:-8]):
        started = now - timedelta(minutes=len(rows) - number)
        refs = (
            [{"id": f"sale.sale,{number}", "number": str(1000 + number), "url": ""}] if row.topic == "erp.order" else []
        )
        Attempt.objects.create(outgoing=row, lease_token="1" * 32, revision=1, finished_at=started, outcome="done")
        row.delivered, row.delivered_at, row.refs = row.wanted, started, refs
        row.save()
    orders = [row for row in rows if row.topic == "erp.order"]
    letters = [row for row in rows if row.topic == "mail"]
    differs = "Tryton makes 411.99 CNY of this order, we have 412.00 CNY (12: 411.99). Nothing more was confirmed."
    _park(orders[2], "Conflict", differs)
    _park(orders[4], "Rejected", "Tryton has no product KT-CUP-02.")
    _park(letters[1], "OutcomeUnknown", plans.PERHAPS, is_unknown=True)
    last = rows[-1]
    Attempt.objects.create(outgoing=last, lease_token="2" * 32, revision=1, finished_at=now, outcome="TryAgain",
                           message="find order: the remote cannot be reached.")  # fmt: skip
    Outgoing.objects.filter(pk=last.pk).update(failures=3, last_error="find order: the remote cannot be reached.")
    orders[4].attempts.update(exchanges=[TRIED])
    manual.take(Outgoing.objects.filter(pk__in=[row.pk for row in rows[-8:-5]]), "staff:ops@weijian.example")
    Outgoing.objects.filter(pk=letters[3].pk).update(
        is_unconfirmed=True, facts={"by_hand": {"actor": "staff:ops@weijian.example", "number": "R-20261122-7"}}
    )


TRIED = {
    "operation": "create order", "method": "POST", "url": "https://tryton.weijian.example/weijian/", "status": 422,
    "request": '{"number": "W20261122-57QBVH", "party": {"name": "•••", "phone": "•••"}, '
               '"lines": [{"sku": "KT-CUP-02", "quantity": 2, "unit_price": "35.00"}]}',
    "reply": '{"error": "product KT-CUP-02 not found"}', "milliseconds": 84,
}  # fmt: skip


def _messages() -> None:
    """What a marketplace told us: heeded, tried again, parked, and twice with different contents."""
    now = timezone.now()
    account = Account.objects.filter(kind="channel").earliest("pk")
    numbers = list(Order.objects.order_by("pk").values_list("number", flat=True)[:12])
    tries = [{"at": now.isoformat(), "outcome": "TryAgain", "message": "find order: the remote cannot be reached."}]
    kinds: tuple[dict[str, Any], ...] = (
        *[{"parsed_at": now, "done_at": now}] * 8,
        {"parsed_at": now, "failures": 1, "attempts": tries, "last_error": tries[0]["message"]},
        {"parked_at": now, "is_anomaly": True, "parked_reason": receiving.ANOMALY, "last_error": receiving.ANOMALY},
        {"done_at": now, "note": "对方的测试"},
        {"parsed_at": now, "parked_at": now, "attempts": tries * 3, "last_error": heeding.PURGED,
         "parked_reason": "The worker died five times while heeding this. Look at the log before you retry."},
    )  # fmt: skip
    for step, (number, fields) in enumerate(zip(numbers, kinds, strict=True)):
        row = Incoming.objects.create(
            account=account, dedupe=f"2026112200{step}", event=f"2026112200{step}", digest=f"{step:064}", lane=2,
            subject=f"order:{number}", sealed=b"x", times=1 + step % 3, **fields,
        )  # fmt: skip
        settled = {"settled_at": now, "applied": 1} if fields.get("done_at") and "note" not in fields else {}
        IncomingHint.objects.create(
            incoming=row, kind="订单", key=number, subject=row.subject, facts={"金额": "412.00"}, **settled
        )


def _park(row: Outgoing, outcome: str, reason: str, **fields: Any) -> None:
    row.attempts.update(outcome=outcome, message=reason)
    Outgoing.objects.filter(pk=row.pk).update(
        delivered=0, delivered_at=None, refs=[], parked_at=timezone.now(), parked_reason=reason, last_error=reason,
        **fields,
    )  # fmt: skip


def _partners(client: Client) -> None:
    form = {"name": "栖屋买手店", "code": "qiwu", "contact": "it@qiwu.example", "is_active": "on",
            "scopes": ["products:read", "stock:read", "orders:read", "orders:write"]}  # fmt: skip
    answer = client.post(reverse("admin:api_client_add"), form)
    assert answer.status_code == 302, answer.content.decode()


def _staff_work(company: Company, client: Client) -> None:
    """What staff did today, over the pages themselves: it stands in the log."""
    ours = Warehouse.objects.get(code="SZ").pk
    sku = Pool.objects.earliest("sku").sku
    posts = [
        (reverse("admin:stock_pool_receive", args=[sku]), {"warehouse": ours, "quantity": 40, "note": "送货单 1187"}),
        (reverse("admin:stock_pool_count", args=[sku]), {"warehouse": ours, "quantity": 96, "note": "月盘"}),
        (reverse("admin:stock_pool_correct", args=[sku]),
         {"warehouse": ours, "quantity": 2, "what": "given", "note": "样品寄给客户"}),
        (reverse("admin:order_order_export") + "?status__exact=paid", {"format": "csv"}),
    ]  # fmt: skip
    pending = Order.objects.filter(status="pending_payment", payment_said_at=None).order_by("date_placed")[0]
    posts.append((reverse("admin:order_order_confirm_payment", args=[pending.pk]), {"reference": "ICBC 51423"}))
    for address, form in posts:
        answer = client.post(address, form)
        assert answer.status_code in (200, 302), (address, answer.status_code)
    kept = (("未付超过一天", "order.order", "status__exact=pending_payment&older=24h", "sales"),
            ("缺货的 SKU", "stock.pool", "short=yes", ""),
            ("停下的 ERP 工作", "hub.outgoing", "state=parked&topic=erp.order", ""))  # fmt: skip
    for name, label, query, group in kept:
        SavedList.objects.create(owner=company.boss, name=name, list=label, query=query,
                                 group=Group.objects.filter(name=group).first())  # fmt: skip
