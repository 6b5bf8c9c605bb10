"""Every action by a member of every group: allowed ones work, the others are refused and change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.incoming import addresses
from integrations.hub.models import Account, AccountState, Alarm, Gap, Incoming, Outgoing
from integrations.hub.sending import manual
from integrations.hub.values import Lane
from integrations.sandbox.market import Market, Site
from shop.catalogue.files import runs
from shop.catalogue.models import Category
from shop.customer.groups import GROUPS
from shop.customer.models import User
from shop.order import lifecycle
from shop.order.models import Intake, Order, PaymentMethod
from shop.stock.models import Channel, Share
from tests import factories
from tests.admin import goods, payments, stock
from tests.admin.conftest import Login
from tests.admin.pages import action
from tests.api.conftest import partner
from tests.channels.conftest import KEY
from tests.hub.probe import Probe

pytestmark = pytest.mark.django_db
_numbers = count(1)
WATCHED = (
    "order_order", "order_orderstatuschange", "order_intake", "stock_pool", "stock_level", "stock_movement",
    "stock_hold", "stock_proposal", "stock_countsheet", "stock_countrow", "stock_countentry", "stock_supply",
    "stock_presale", "stock_brokenpromise", "stock_kitpart", "fulfilment_parcel", "hub_account", "hub_outgoing",
    "hub_taken", "hub_incoming", "hub_hookaddress", "hub_alarm", "hub_objective", "hub_gap",
    "customer_user",
    "stock_warehouse", "stock_share", "stock_channel", "pricing_taxclass", "desk_savedlist", "django_admin_log",
    "api_client",
    "api_accesstoken",
    "catalogue_product", "catalogue_category", "catalogue_productclass", "catalogue_productattribute",
    "catalogue_attributeoptiongroup", "catalogue_attributeoption", "catalogue_productcategory",
    "catalogue_importrun", "partner_stockrecord", "partner_partner",
    "payments_attempt", "payments_entry", "payments_refund", "payments_refundpart", "payments_stray",
    "payments_dispute",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.connectors(), (Probe.kind, Probe.name), Probe)
    payments.open_till(monkeypatch)


@dataclass(frozen=True)
class Case:
    """`prepare` makes the situation and returns the address and the form. `answer` is what comes when it is done."""

    prepare: Callable[[], tuple[str, dict[str, Any]]]
    groups: frozenset[str]
    answer: int = 302


def pending() -> Any:
    factories.stock("CHAIR-1", SZ=10)
    return factories.order({"CHAIR-1": 1})


def confirm_payment() -> tuple[str, dict[str, Any]]:
    return action("order_order", "confirm_payment", pending().pk), {"reference": "bank"}


def extend_deadline() -> tuple[str, dict[str, Any]]:
    until = timezone.localtime() + timedelta(hours=100)
    return action("order_order", "extend_deadline", pending().pk), {
        "until": f"{until:%Y-%m-%dT%H:%M}",
        "reason": "bank",
    }


def note_payment() -> tuple[str, dict[str, Any]]:
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    return action("order_order", "note_account_payment", order.pk), {}


def note_refund() -> tuple[str, dict[str, Any]]:
    order = pending()
    lifecycle.confirm_payment(order.number, actor="test")
    lifecycle.cancel(order.number, actor="test")
    return action("order_order", "note_refund", order.pk), {"reference": "bank"}


def cancel() -> tuple[str, dict[str, Any]]:
    return action("order_order", "cancel_order", pending().pk), {"reason": "test"}


def ship() -> tuple[str, dict[str, Any]]:
    order = pending()
    lifecycle.confirm_payment(order.number, actor="test")
    return action("order_order", "ship", order.pk), {"warehouse": factories.warehouse("SZ").pk}


def close_return() -> tuple[str, dict[str, Any]]:
    order = pending()
    Order.objects.filter(pk=order.pk).update(status="cancelled", needs_return=True)
    return action("order_order", "close_return", order.pk), {"reference": "back"}


def close_intake() -> tuple[str, dict[str, Any]]:
    intake = Intake.objects.create(source_account="f", external_number="1", refused={"1": "the quantity is 0"})
    return action("order_intake", "close", intake.pk), {"note": "asked them"}


def adjust(name: str) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        pool = factories.stock("CHAIR-1", SZ=10)
        form = {
            "warehouse": factories.warehouse("SZ").pk, "quantity": 2, "note": "test", "what": "missing",
            "destination": factories.warehouse("HZ").pk,
        }  # fmt: skip
        return action("stock_pool", name, pool.sku), form

    return prepare


def receive_sku() -> tuple[str, dict[str, Any]]:
    factories.product("LAMP-1")
    form = {"sku": "LAMP-1", "warehouse": factories.warehouse("SZ").pk, "quantity": 2, "note": "test"}
    return reverse("admin:stock_pool_receive_sku"), form


def account_action(name: str, state: AccountState) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        return action("hub_account", name, factories.account(state=state).pk), {}

    return prepare


def objective() -> tuple[str, dict[str, Any]]:
    return action("hub_account", "objective", factories.account("messages", "file", settings={"folder": "x"}).pk), {
        "flow": "mail",
        "seconds": "60",
    }


def alarm(name: str, **form: Any) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        until = timezone.now() + timedelta(hours=1) if name == "speak" else None
        made = Alarm.objects.create(
            kind="silent", subject=f"weft-{next(_numbers)}", facts={"cluster": "weft", "seconds": 90},
            silent_until=until,
        )  # fmt: skip
        return action("hub_alarm", name, made.pk), form

    return prepare


@cache
def market() -> Site:
    """A practice market of this process, for the actions that ask a remote."""
    site = Site(("127.0.0.1", 0), Market(), KEY)
    Thread(target=site.serve_forever, daemon=True).start()
    return site


def read_again() -> tuple[str, dict[str, Any]]:
    url = f"http://127.0.0.1:{market().server_port}"
    settings.WEFT_PRIVATE_HOSTS = frozenset({url.removeprefix("http://")})
    account = factories.account("channel", "market", settings={"url": url})
    account.credentials = {"key": KEY}
    account.save()
    Channel.objects.create(account=account)
    form = {"what": "orders.by-date", "since": "2026-11-01T08:00", "until": "2026-11-01T20:00"}
    return action("hub_account", "backfill", account.pk), form


def close_gaps() -> tuple[str, dict[str, Any]]:
    account, now = factories.account(), timezone.now()
    Gap.objects.create(account=account, name="x", kind="count", since=now - timedelta(hours=1), until=now)
    return action("hub_account", "close_gaps", account.pk), {"note": "nothing was sold"}


@pytest.fixture(autouse=True)
def _a_market_may_be_asked(settings: Any) -> None:
    settings.WEFT_PRIVATE_HOSTS = settings.WEFT_PRIVATE_HOSTS  # put back afterwards
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # the test itself is one


def parked() -> Outgoing:
    return Outgoing.objects.create(
        account=factories.account(), topic="mail", key="1", subject="order:1", lane=Lane.ORDERS, is_command=True,
        parked_at=timezone.now(), parked_reason="test",
    )  # fmt: skip


def close_by_hand() -> tuple[str, dict[str, Any]]:
    return action("hub_outgoing", "close", parked().pk), {"note": "told them by phone"}


def export(name: str) -> Callable[[], tuple[str, dict[str, Any]]]:
    """A file changes nothing but the log."""

    def prepare() -> tuple[str, dict[str, Any]]:
        pending()
        return reverse(f"admin:{name}_export"), {"format": "csv"}

    return prepare


def keep_list() -> tuple[str, dict[str, Any]]:
    address = f"{reverse('admin:desk_savedlist_add')}?list=stock.pool"
    return address, {"name": "Short", "list": "stock.pool", "query": "short=yes"}


def message(**fields: Any) -> Incoming:
    values = {"sealed": b"x", "parked_at": timezone.now(), "parked_reason": "test", **fields}
    return Incoming.objects.create(account=factories.account(), dedupe="1", event="1", lane=Lane.MONEY, **values)


def retry_message() -> tuple[str, dict[str, Any]]:
    return action("hub_incoming", "retry", message().pk), {}


def retry_messages() -> tuple[str, dict[str, Any]]:
    posted = {"action": "retry_selected", "_selected_action": [message().pk]}
    return reverse("admin:hub_incoming_changelist"), posted


def close_message() -> tuple[str, dict[str, Any]]:
    return action("hub_incoming", "close", message(is_anomaly=True).pk), {"note": "asked them"}


def listening() -> Account:
    """An account whose remote sends messages."""
    return factories.account(Probe.kind, Probe.name)


def new_address() -> tuple[str, dict[str, Any]]:
    return action("hub_account", "new_address", listening().pk), {}


def end_address() -> tuple[str, dict[str, Any]]:
    account = listening()
    addresses.make(account)
    form = {"address": addresses.valid(account)[0].pk}
    return action("hub_account", "end_address", account.pk), form


def retry_one() -> tuple[str, dict[str, Any]]:
    return action("hub_outgoing", "retry", parked().pk), {}


def retry_many() -> tuple[str, dict[str, Any]]:
    form = {"action": "retry_selected", "_selected_action": [parked().pk]}
    return reverse("admin:hub_outgoing_changelist"), form


def waiting() -> Outgoing:
    number = f"W20261123-{next(_numbers):06}"
    return Outgoing.objects.create(account=factories.account("erp", "tryton"), topic="erp.order", key=number,
                                   subject=f"order:{number}", lane=Lane.ORDERS)  # fmt: skip


def take_many() -> tuple[str, dict[str, Any]]:
    form = {"action": "take_selected", "_selected_action": [waiting().pk]}
    return reverse("admin:hub_outgoing_changelist"), form


def taken_row() -> Outgoing:
    row = waiting()
    manual.take(Outgoing.objects.filter(pk=row.pk), "staff:li")
    row.refresh_from_db()
    return row


def tick() -> tuple[str, dict[str, Any]]:
    return action("hub_outgoing", "tick", taken_row().pk), {"number": "SO-1", "note": ""}


def give_back() -> tuple[str, dict[str, Any]]:
    return action("hub_outgoing", "give_back", taken_row().pk), {}


def give_all_back() -> tuple[str, dict[str, Any]]:
    return action("hub_taken", "give_all_back", taken_row().taken_id), {}


def worksheet_file() -> tuple[str, dict[str, Any]]:
    return reverse("admin:hub_taken_file", args=[taken_row().taken_id]), {"format": "csv"}


def replay() -> tuple[str, dict[str, Any]]:
    parked()
    return f"{reverse('admin:hub_outgoing_replay')}?state=parked", {}


def on_account(name: str, before: bool) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        customer = User.objects.create_user(f"buyer{next(_numbers)}@example.test", may_buy_on_account=before)
        return action("customer_user", name, customer.pk), {}

    return prepare


def channel_action(name: str, state: AccountState, **form: str) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        channel = Channel.objects.create(account=factories.account("channel", "market", state=state))
        factories.stock("CHAIR-9")
        Share.objects.create(channel=channel, pool_id="CHAIR-9", shown=1, is_drained=True)
        return action("stock_channel", name, channel.pk), form

    return prepare


def edit_share() -> tuple[str, dict[str, Any]]:
    channel_action("offer", AccountState.ACTIVE)()
    return reverse("admin:stock_share_change", args=[Share.objects.latest("pk").pk]), {"mode": "shared"}


def edit_warehouse() -> tuple[str, dict[str, Any]]:
    place = factories.warehouse("SZ")
    return reverse("admin:stock_warehouse_change", args=[place.pk]), {"name": "Renamed", "priority": 1}


def edit_tax() -> tuple[str, dict[str, Any]]:
    kind = factories.tax_class()
    return reverse("admin:pricing_taxclass_change", args=[kind.pk]), {"name": "VAT", "rate": "0.06"}


def edit_customer() -> tuple[str, dict[str, Any]]:
    customer = User.objects.create_user(f"buyer{next(_numbers)}@example.test")
    return reverse("admin:customer_user_change", args=[customer.pk]), {"email": "new@example.test", "is_active": "on"}


def make_api_client() -> tuple[str, dict[str, Any]]:
    return reverse("admin:api_client_add"), {
        "name": "Acme",
        "code": "acme",
        "scopes": ["stock:read"],
        "is_active": "on",
    }


def new_secret() -> tuple[str, dict[str, Any]]:
    return action("api_client", "new_secret", partner().client.pk), {}


def end_tokens() -> tuple[str, dict[str, Any]]:
    return action("api_client", "end_tokens", partner().client.pk), {}


def add_supply() -> tuple[str, dict[str, Any]]:
    factories.product("LAMP-1")
    form = {"sku": "lamp-1", "warehouse": factories.warehouse("SZ").pk, "quantity": 5, "document": "PO-7",
            "expected_on": str(timezone.localdate())}  # fmt: skip
    return reverse("admin:stock_supply_add"), form


def supply(name: str, **form: Any) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        row = factories.supply("CHAIR-1", units=10)
        return action("stock_supply", name, row.pk), {"quantity": 4, "seen": 0, **form}

    return prepare


def close_presale() -> tuple[str, dict[str, Any]]:
    return action("stock_presale", "close", factories.presale("CHAIR-1").pk), {}


def enter_cost() -> tuple[str, dict[str, Any]]:
    row = stock.broken_promise()
    return action("stock_brokenpromise", "enter_cost", row.pk), {"cost": "30.00", "note": "voucher", "seen": ""}


def edit_kit() -> tuple[str, dict[str, Any]]:
    """A product becomes a kit: by who may edit products."""
    factories.product("CUP-1")
    address, form = edit_product()
    parts = {"kit_parts-TOTAL_FORMS": "1", "kit_parts-0-sku": "CUP-1", "kit_parts-0-quantity": "2"}
    return address, {**form, **parts}


S = AccountState
EVERYBODY = frozenset(GROUPS)
NOT_CATALOGUE = EVERYBODY - {"catalogue"}


def edit_product() -> tuple[str, dict[str, Any]]:
    product = factories.product("CHAIR-1")
    form = {
        "product_class": product.product_class_id, "structure": "standalone", "title_zh_hans": "新", "is_public": "on",
        "seen": product.date_updated.isoformat(), "price": "99.00", "price_currency": "CNY", "slug": "chair",
        "images-TOTAL_FORMS": "0", "images-INITIAL_FORMS": "0",
        "kit_parts-TOTAL_FORMS": "0", "kit_parts-INITIAL_FORMS": "0",
    }  # fmt: skip
    return reverse("admin:catalogue_product_change", args=[product.pk]), form


def copy_product() -> tuple[str, dict[str, Any]]:
    return action("catalogue_product", "copy", factories.product("CHAIR-1").pk), {"sku": "CHAIR-2"}


def hide_products() -> tuple[str, dict[str, Any]]:
    product = factories.product("CHAIR-1")
    form = {"action": "hide", "_selected_action": [product.pk], "select_across": "0", "confirmed": "1"}
    return reverse("admin:catalogue_product_changelist"), form


def add_variants() -> tuple[str, dict[str, Any]]:
    parent, ochre, large = goods.shirt(("Indigo", "S")), goods.option("Ochre"), goods.option("L")
    key = f"{goods.attribute('colour').pk}={ochre.pk}\x1f{goods.attribute('size').pk}={large.pk}"
    form = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-use": "on", "form-0-key": key,
        "form-0-sku": "TEE-NEW",
    }  # fmt: skip
    address = action("catalogue_product", "add_variants", parent.pk)
    return f"{address}?attr_colour={ochre.pk}&attr_size={large.pk}", form


def move_category() -> tuple[str, dict[str, Any]]:
    first, second = (Category.add_root(slug=slug, name_zh_hans=slug) for slug in ("a", "b"))
    assert first.pk
    return reverse("admin:catalogue_category_move"), {"step": f"up:{second.pk}:{second.path}"}


def delete_category() -> tuple[str, dict[str, Any]]:
    made = Category.add_root(slug="a", name_zh_hans="a")
    return reverse("admin:catalogue_category_delete", args=[made.pk]), {"post": "yes"}


def edit_type() -> tuple[str, dict[str, Any]]:
    kind = goods.shirts()
    form = {"name_zh_hans": "新", "attributes-TOTAL_FORMS": "0", "attributes-INITIAL_FORMS": "0"}
    return reverse("admin:catalogue_productclass_change", args=[kind.pk]), form


def edit_options() -> tuple[str, dict[str, Any]]:
    group = goods.shirts().attributes.get(code="size").option_group
    form = {
        "name_zh_hans": "尺码", "options-TOTAL_FORMS": "1", "options-INITIAL_FORMS": "0",
        "options-0-option_zh_hans": "XL",
    }  # fmt: skip
    return reverse("admin:catalogue_attributeoptiongroup_change", args=[group.pk]), form


def add_supplier() -> tuple[str, dict[str, Any]]:
    return reverse("admin:partner_partner_add"), {"name": "North", "chosen_code": "north"}


def upload() -> tuple[str, dict[str, Any]]:
    file = SimpleUploadedFile("prices.csv", b"sku,price\nCHAIR-1,99\n", "text/csv")
    return reverse("admin:catalogue_importrun_upload"), {"file": file}


def import_action(name: str, content: bytes) -> Callable[[], tuple[str, dict[str, Any]]]:
    def prepare() -> tuple[str, dict[str, Any]]:
        factories.product("CHAIR-1")
        run = runs.bring("prices.csv", content, actor="staff:test")
        return action("catalogue_importrun", name, run.pk), {"note": "test"}

    return prepare


CATALOGUE = frozenset({"catalogue"})
COUNTS_SEEN = frozenset({"warehouse", "finance", "auditor"})
RIGHT, HALF = b"sku,price\nCHAIR-1,99\n", b"sku,price\nCHAIR-1,99\nNOBODY,1\n"
CASES = {
    "edit product": Case(edit_product, CATALOGUE),
    "copy product": Case(copy_product, CATALOGUE),
    "hide products": Case(hide_products, CATALOGUE),
    "add variants": Case(add_variants, CATALOGUE),
    "move category": Case(move_category, CATALOGUE),
    "delete category": Case(delete_category, CATALOGUE),
    "edit product type": Case(edit_type, CATALOGUE),
    "edit option list": Case(edit_options, CATALOGUE),
    "add supplier": Case(add_supplier, CATALOGUE),
    "bring a file": Case(upload, CATALOGUE),
    "import it": Case(import_action("take_all", RIGHT), CATALOGUE),
    "import the right rows": Case(import_action("take_right", HALF), CATALOGUE),
    "discard an import": Case(import_action("discard", HALF), CATALOGUE),
    "close a refused import": Case(import_action("close_run", b"oops\n1\n"), CATALOGUE),
    "confirm payment": Case(confirm_payment, frozenset({"finance"})),
    "extend the deadline": Case(extend_deadline, frozenset({"finance"})),
    "note payment on account": Case(note_payment, frozenset({"finance"})),
    "note refund": Case(note_refund, frozenset({"finance"})),
    "give money back": Case(payments.refund, frozenset({"sales", "finance"})),
    "approve a refund": Case(payments.waiting("approve"), frozenset({"finance"})),
    "decline a refund": Case(payments.waiting("decline"), frozenset({"finance"})),
    "close a review": Case(payments.of_review("review"), frozenset({"finance"})),
    "give all of a payment back": Case(payments.of_review("give_all_back"), frozenset({"sales", "finance"})),
    "ask a payment provider": Case(payments.ask, frozenset({"finance"})),
    "enter a dispute": Case(payments.dispute, frozenset({"finance"})),
    "move a dispute's evidence date": Case(payments.move_evidence, frozenset({"finance"})),
    "close a dispute": Case(payments.close_dispute, frozenset({"finance"})),
    "try a refund again": Case(payments.of_part("try_again"), frozenset({"finance"})),
    "settle a refund by hand": Case(payments.of_part("settle_by_hand"), frozenset({"finance"})),
    "leave a refund": Case(payments.of_part("leave"), frozenset({"finance"})),
    "close money without an order": Case(payments.stray, frozenset({"finance"})),
    **{
        f"export {name}": Case(export(f"payments_{name}"), frozenset({"sales", "finance", "auditor"}), 200)
        for name in ("attempt", "entry", "refund", "refundpart", "stray", "dispute")
    },
    "cancel": Case(cancel, frozenset({"sales", "finance"})),
    "ship": Case(ship, frozenset({"warehouse"})),
    "close return": Case(close_return, frozenset({"sales", "warehouse"})),
    "close import": Case(close_intake, frozenset({"sales", "integrations"})),
    "correct": Case(adjust("correct"), frozenset({"warehouse"})),
    "close by hand": Case(close_by_hand, frozenset({"integrations"})),
    "export orders": Case(export("order_order"), frozenset({"sales", "finance"}), 200),
    "export customers": Case(export("customer_user"), frozenset({"sales", "finance"}), 200),
    "export the log": Case(export("admin_logentry"), frozenset(), 200),
    "export order lines": Case(export("order_line"), NOT_CATALOGUE, 200),
    "export parcels": Case(export("fulfilment_parcel"), NOT_CATALOGUE, 200),
    "export holds": Case(export("stock_hold"), NOT_CATALOGUE, 200),
    "export outgoing": Case(export("hub_outgoing"), NOT_CATALOGUE, 200),
    "export stock": Case(export("stock_pool"), EVERYBODY, 200),
    "export movements": Case(export("stock_movement"), COUNTS_SEEN | {"integrations"}, 200),
    "export returns": Case(export("returns_return"), EVERYBODY - {"catalogue", "integrations"}, 200),
    "export credit notes": Case(export("returns_creditnote"), EVERYBODY - {"catalogue", "integrations"}, 200),
    "export adjustments": Case(export("returns_adjustment"), frozenset({"finance", "auditor"}), 200),
    "export imports": Case(export("order_intake"), EVERYBODY - {"catalogue", "warehouse"}, 200),
    "export accounts": Case(export("hub_account"), frozenset({"integrations", "auditor"}), 200),
    "keep a list": Case(keep_list, EVERYBODY),
    "receive": Case(adjust("receive"), frozenset({"warehouse"})),
    "add supply": Case(add_supply, frozenset({"warehouse"})),
    "receive supply": Case(supply("receive"), frozenset({"warehouse"})),
    "date supply anew": Case(supply("change_date", expected_on="2999-01-01"), frozenset({"warehouse"})),
    "cancel supply": Case(supply("cancel_rest"), frozenset({"warehouse"})),
    "open a presale": Case(supply("open_presale", kind="presale"), frozenset({"sales"})),
    "close a presale": Case(close_presale, frozenset({"sales"})),
    "enter what a promise cost": Case(enter_cost, frozenset({"sales", "finance"})),
    "export promises not kept": Case(export("stock_brokenpromise"), NOT_CATALOGUE, 200),
    "export shortages": Case(export("stock_shortage"), NOT_CATALOGUE, 200),
    "make a kit": Case(edit_kit, CATALOGUE),
    "export supply": Case(export("stock_supply"), NOT_CATALOGUE, 200),
    "export presales": Case(export("stock_presale"), NOT_CATALOGUE, 200),
    "receive a new SKU": Case(receive_sku, frozenset({"warehouse"})),
    "count": Case(adjust("count"), frozenset({"warehouse"})),
    "write off": Case(adjust("write_off"), frozenset({"warehouse"})),
    "set aside": Case(adjust("set_aside"), frozenset({"warehouse"})),
    "put on quality hold": Case(adjust("hold"), frozenset({"warehouse"})),
    "release from quality hold": Case(stock.release, frozenset({"warehouse"})),
    "move to another place": Case(adjust("move"), frozenset({"warehouse"})),
    "close a warehouse": Case(stock.turn("close"), frozenset({"warehouse"})),
    "open a warehouse": Case(stock.turn("open_for_sale"), frozenset({"warehouse"})),
    "approve an adjustment": Case(stock.decide("approve"), frozenset({"finance"})),
    "refuse an adjustment": Case(stock.decide("refuse"), frozenset({"finance"})),
    "export adjustments to approve": Case(export("stock_proposal"), COUNTS_SEEN, 200),
    "export count sheets": Case(export("stock_countsheet"), COUNTS_SEEN, 200),
    "new count sheet": Case(stock.new_sheet, frozenset({"warehouse"})),
    "enter counts": Case(stock.enter, frozenset({"warehouse"})),
    "enter counts of a file": Case(stock.take_file, frozenset({"warehouse"})),
    "add a SKU to a sheet": Case(stock.add_sku, frozenset({"warehouse"})),
    "end a counting": Case(stock.sheet_action("finish", counted=True), frozenset({"warehouse"})),
    "approve a sheet": Case(stock.sheet_action("approve", finished=True), frozenset({"warehouse", "finance"})),
    "count again": Case(stock.sheet_action("ask_again", finished=True), frozenset({"warehouse", "finance"})),
    "discard a sheet": Case(stock.sheet_action("discard"), frozenset({"warehouse", "finance"})),
    "offer on a channel": Case(channel_action("offer", S.ACTIVE, skus=""), frozenset({"integrations"})),
    "let go of a channel": Case(channel_action("let_go", S.PAUSED), frozenset({"integrations"})),
    "edit a share": Case(edit_share, frozenset({"integrations"})),
    "edit warehouse": Case(edit_warehouse, frozenset({"warehouse"})),
    "test account": Case(account_action("test_connection", S.ACTIVE), frozenset({"integrations"})),
    "pause account": Case(account_action("pause", S.ACTIVE), frozenset({"integrations"})),
    "resume account": Case(account_action("resume", S.PAUSED), frozenset({"integrations"})),
    "retire account": Case(account_action("retire", S.PAUSED), frozenset({"integrations"})),
    "retry a message": Case(retry_message, frozenset({"integrations"})),
    "retry messages": Case(retry_messages, frozenset({"integrations"})),
    "close a message": Case(close_message, frozenset({"integrations"})),
    "new address of an account": Case(new_address, frozenset({"integrations"}), 200),
    "end an address": Case(end_address, frozenset({"integrations"})),
    "export messages": Case(export("hub_incoming"), frozenset({"integrations", "finance", "auditor"}), 200),
    "set an objective": Case(objective, frozenset({"integrations"})),
    "read a stretch again": Case(read_again, frozenset({"integrations"})),
    "close gaps": Case(close_gaps, frozenset({"integrations"})),
    "acknowledge an alarm": Case(alarm("acknowledge", note="on it"), frozenset({"integrations"})),
    "silence an alarm": Case(alarm("silence", hours="4", reason="they mend it"), frozenset({"integrations"})),
    "end an alarm's silence": Case(alarm("speak"), frozenset({"integrations"})),
    "export alarms": Case(export("hub_alarm"), frozenset({"integrations", "auditor"}), 200),
    "retry one": Case(retry_one, frozenset({"integrations"})),
    "retry many": Case(retry_many, frozenset({"integrations"})),
    "retry all of a list": Case(replay, frozenset({"integrations"})),
    "take rows": Case(take_many, frozenset({"integrations"})),
    "tick one off": Case(tick, frozenset({"integrations"})),
    "give one back": Case(give_back, frozenset({"integrations"})),
    "a worksheet as a file": Case(worksheet_file, frozenset({"integrations"}), 200),
    "give all back": Case(give_all_back, frozenset({"integrations"})),
    "allow on account": Case(on_account("allow_on_account", False), frozenset({"finance"})),
    "stop on account": Case(on_account("stop_on_account", True), frozenset({"finance"})),
    "edit customer": Case(edit_customer, frozenset({"sales"})),
    "make API client": Case(make_api_client, frozenset({"integrations"})),
    "new secret of an API client": Case(new_secret, frozenset({"integrations"}), 200),
    "end API client's tokens": Case(end_tokens, frozenset({"integrations"})),
    "edit tax class": Case(edit_tax, frozenset({"finance"})),
}


def snapshot() -> dict[str, str]:
    """A digest of every watched table."""
    digests = {}
    with connection.cursor() as cursor:
        for table in WATCHED:
            row = "(to_jsonb(t) - 'last_login')::text"
            cursor.execute(f"SELECT md5(coalesce(string_agg({row}, '|' ORDER BY {row}), '')) FROM {table} t")
            digests[table] = cursor.fetchone()[0]
    return digests


@pytest.mark.parametrize("group", [*GROUPS, "superuser"])
@pytest.mark.parametrize("name", CASES)
def test_action_by_group(login: Login, name: str, group: str) -> None:
    case = CASES[name]
    client = login(group)
    address, form = case.prepare()
    before = snapshot()
    answer = client.post(address, form)
    if group in case.groups or group == "superuser":
        assert answer.status_code == case.answer, answer.content.decode()[:2000]
        assert snapshot() != before
    else:
        assert answer.status_code == 403
        assert snapshot() == before


@pytest.mark.parametrize("name", CASES)
def test_action_by_a_stranger(db: None, name: str) -> None:
    address, form = CASES[name].prepare()
    before = snapshot()
    answer = Client().post(address, form)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/admin/login/")
    assert snapshot() == before


@pytest.mark.parametrize("name", CASES)
def test_action_by_a_customer(db: None, name: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user("customer@example.test"))
    address, form = CASES[name].prepare()
    before = snapshot()
    assert client.post(address, form).headers["location"].startswith("/admin/login/")
    assert snapshot() == before


# Every page that is no list and no form, by who may open it.
VIEWS: dict[str, tuple[Callable[[], str], frozenset[str]]] = {
    "search": (lambda: reverse("admin:search") + "?s=CHAIR", EVERYBODY),
    "home": (lambda: reverse("admin:index"), EVERYBODY),
    "packing list": (lambda: ship()[0].replace("/ship/", "/packing-list/"), NOT_CATALOGUE),
    "an order by its number": (lambda: reverse("admin:order_order_by_number", args=[pending().number]), NOT_CATALOGUE),
    "the log": (lambda: reverse("admin:admin_logentry_changelist"), frozenset({"auditor"})),
    "saved lists": (lambda: reverse("admin:desk_savedlist_changelist"), EVERYBODY),
    "refused imports": (lambda: reverse("admin:order_intake_changelist"), EVERYBODY - {"catalogue", "warehouse"}),
    "order lines": (lambda: reverse("admin:order_line_changelist"), NOT_CATALOGUE),
    "a product in the shop": (
        lambda: action("catalogue_product", "in_shop", factories.product().pk),
        frozenset({"sales", "warehouse", "catalogue", "auditor"}),
    ),
    "a count sheet to print": (lambda: stock.sheet_action("print_sheet")()[0], COUNTS_SEEN),
    "a count sheet as a file": (stock.file_address, COUNTS_SEEN),
    **{
        f"{name} of payments": (
            lambda name=name: reverse(f"admin:payments_{name}_changelist"),
            frozenset({"sales", "finance", "auditor"}),
        )
        for name in ("attempt", "entry", "refund", "refundpart", "stray", "dispute")
    },
    "parked work by cause": (lambda: reverse("admin:hub_outgoing_by_cause"), NOT_CATALOGUE),
    "worksheets": (lambda: reverse("admin:hub_taken_changelist"), frozenset({"integrations", "auditor"})),
    "a worksheet back": (lambda: action("hub_taken", "bring", taken_row().taken_id), frozenset({"integrations"})),
    "flows": (lambda: reverse("admin:hub_account_flows"), frozenset({"integrations", "auditor"})),
    "alarms": (lambda: reverse("admin:hub_alarm_changelist"), frozenset({"integrations", "auditor"})),
    "promises not kept": (lambda: reverse("admin:stock_brokenpromise_changelist"), NOT_CATALOGUE),
    "shortages": (lambda: reverse("admin:stock_shortage_changelist"), NOT_CATALOGUE),
    "adjustments to approve": (lambda: reverse("admin:stock_proposal_changelist"), COUNTS_SEEN),
    "count sheets": (lambda: reverse("admin:stock_countsheet_changelist"), COUNTS_SEEN),
    "a file of counts": (lambda: stock.sheet_action("bring_counts")()[0], frozenset({"warehouse"})),
    "an empty file of products": (
        lambda: reverse("admin:catalogue_importrun_template"),
        frozenset({"catalogue"}),
    ),
}


@pytest.mark.parametrize("group", [*GROUPS, "superuser"])
@pytest.mark.parametrize("name", VIEWS)
def test_page_by_group(login: Login, name: str, group: str) -> None:
    address, groups = VIEWS[name]
    client = login(group)
    url = address()
    before = snapshot()
    answer = client.get(url)
    allowed = group in groups or group == "superuser"
    assert (answer.status_code in (200, 302)) == allowed, answer.status_code
    assert answer.status_code == 403 or allowed
    assert snapshot() == before
    assert Client().get(url).headers["location"].startswith("/admin/login/")


def test_every_action_of_every_page_is_in_the_matrix(db: None) -> None:
    """A new button needs a line above."""
    covered = {urlsplit(address).path.rstrip("/").rpartition("/")[2] for address in _addresses()}
    for model, page in admin.site._registry.items():
        for name in page._extract_action_names([*page.actions_detail, *page.actions_list]):
            made = getattr(page, name).url_path
            assert made in covered, f"{model._meta.label}.{name}"


def _addresses() -> Iterator[str]:
    """Each made in a situation of its own."""
    for prepare in (*(case.prepare for case in CASES.values()), *(address for address, _groups in VIEWS.values())):
        before = transaction.savepoint()
        made = prepare()
        transaction.savepoint_rollback(before)
        yield made if isinstance(made, str) else made[0]


def test_looking_changes_nothing(login: Login) -> None:
    """GET asks; only POST does it."""
    client = login("superuser")
    for name in ("confirm payment", "pause account", "retry one", "count", "allow on account"):
        address, _ = CASES[name].prepare()
        before = snapshot()
        assert client.get(address).status_code == 200
        assert client.put(address).status_code == 405
        assert snapshot() == before
        Account.objects.filter(state=AccountState.ACTIVE).update(state=AccountState.PAUSED)
