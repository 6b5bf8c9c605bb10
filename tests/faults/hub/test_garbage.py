"""F12: answers that make no sense, for each connector that speaks HTTP and for mail: always one of the hub's errors,
with a reason in words, and nothing half-written."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.providers.tryton import Tryton
from integrations.channels.base import ChannelLine, ChannelOrder, OrderPage
from integrations.channels.providers.market import PracticeMarket
from integrations.hub.errors import HubError
from integrations.hub.http import Reply
from integrations.hub.models import Cursor
from integrations.messages.base import Letter
from integrations.messages.providers.smtp import SmtpMessages
from shop.channels import orders
from shop.order.models import Order
from shop.stock.models import Channel
from tests import factories
from tests.channels.conftest import made

CASES = 1000 if django_settings.WEFT_DEEP else 150
garbage = settings(
    max_examples=CASES, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

SALE: dict[str, Any] = {
    "number": "M-000001", "sold_at": "2026-11-23T10:00:00+00:00", "change": 1, "buyer": "林小满", "currency": "CNY",
    "address": {"line": "解放路 1 号", "district": "南山区", "city": "深圳市", "region": "广东省", "postcode": "510000",
                "country": "CN", "phone": "+8613800138000"},
    "lines": [{"sku": "CHAIR-1", "title": "Chair", "quantity": 1, "price": "99.00"}], "state": "paid",
}  # fmt: skip
PAGE = {"orders": [SALE], "next": 1, "more": False, "until": "2026-11-23T10:00:01+00:00"}

odd = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**10), st.floats(), st.text(max_size=20), st.just(10**9),
    st.sampled_from(["NaN", "Infinity", "-1.00", "1e400", "0.001", "XXX", "USD", "2026-13-45", "\u0000", "A" * 5000]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*at, key))


def spoiled(document: Any, at: tuple[Any, ...], new: Any, *, remove: bool) -> Any:
    """The document with another value at one place, or without it."""
    if not at:
        return new
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in at[:-1]:
        inner = inner[key]
    if remove:
        del inner[at[-1]]
    else:
        inner[at[-1]] = new
    return copy


@st.composite
def bodies(draw: st.DrawFn, document: Any) -> bytes:
    """An answer that is almost right, or not at all."""
    right = json.dumps(document).encode()
    match draw(st.sampled_from(["field", "field", "field", "cut", "html", "encoding", "noise"])):
        case "field":
            at = draw(st.sampled_from(list(places(document))))
            return json.dumps(spoiled(document, at, draw(odd), remove=draw(st.booleans()) and bool(at))).encode()
        case "cut":
            return right[: draw(st.integers(0, len(right) - 1))]
        case "html":
            return b"<html><body><p>Bad gateway</p></body></html>"
        case "encoding":
            wrong = draw(st.sampled_from(["gbk", "utf-16", "utf-8-sig"]))
            return json.dumps(document, ensure_ascii=False).encode(wrong)
        case _:
            return draw(st.binary(max_size=300))


class Mumbling:
    """A door whose remote answers this, whatever it is asked."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.reply = Reply(status, {"content-type": "application/json"}, body)

    def request(self, *_: Any, **__: Any) -> Reply:
        return self.reply


def market(door: Mumbling) -> PracticeMarket:
    return PracticeMarket({"url": "http://127.0.0.1:1", "key": "k"}, door, timezone.now)  # type: ignore[arg-type]


def is_understood(call: Any) -> Any:
    """What it returns; None for one of the hub's errors, in words. Anything else fails."""
    try:
        return call()
    except HubError as error:
        assert error.message
        return None


STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 404, 409, 418, 422, 500, 502, 503])


@garbage
@given(bodies(PAGE), STATUSES)
def test_orders_of_the_market(body: bytes, status: int) -> None:
    page = is_understood(lambda: market(Mumbling(body, status)).orders(""))
    if page is not None:
        assert isinstance(page, OrderPage)
        for order in page.orders:
            _is_sound(order)


def _is_sound(order: ChannelOrder) -> None:
    assert order.number and order.sold_at.tzinfo and order.lines
    for line in order.lines:
        assert isinstance(line, ChannelLine) and line.sku
        assert isinstance(line.quantity, int) and 0 < line.quantity < 10**6
        assert line.unit_gross.is_finite() and line.unit_gross >= 0


@garbage
@given(bodies({"live_at": "2026-11-23T10:00:00+00:00"}), STATUSES)
def test_figures_at_the_market(body: bytes, status: int) -> None:
    answers = is_understood(lambda: market(Mumbling(body, status)).offer({"CHAIR-1": 3}))
    assert answers is None or set(answers) == {"CHAIR-1"}
    if answers:
        assert json.dumps(answers["CHAIR-1"].facts)


TRYTON = {"url": "http://127.0.0.1:1", "database": "shop", "web_shop": "Weft", "user": "weft", "key": "k",
          "password": "p", "shipping_sku": "SHIPPING"}  # fmt: skip


@garbage
@given(bodies([{"id": 1, "code": "guest:1", "name": "x", "rec_name": "y", "write_date": "2026-11-23"}]), STATUSES)
def test_tryton(body: bytes, status: int) -> None:
    def erp() -> Tryton:
        return Tryton(TRYTON, Mumbling(body, status), timezone.now)  # type: ignore[arg-type]

    is_understood(lambda: erp().health())
    is_understood(lambda: list(erp().stock(["SZ"])))
    is_understood(lambda: erp().changes(None))


# --- mail ------------------------------------------------------------------------------------------------------------

lines = st.sampled_from(
    [b"220 hi\r\n", b"250 ok\r\n", b"354 go\r\n", b"550 no\r\n", b"451 later\r\n", b"999 what\r\n", b"<html>\r\n",
     b"\xff\xfe\r\n", b"abc\r\n", b"250-more\r\n", b"\r\n", b"2 5 0\r\n", b"250" + b"x" * 9000 + b"\r\n"]
)  # fmt: skip


class MailServer(socketserver.ThreadingTCPServer):
    """Says these lines, one for each of the client's, then hangs up."""

    daemon_threads = True
    allow_reuse_address = True
    said: tuple[bytes, ...] = ()


class _Talk(socketserver.StreamRequestHandler):
    timeout = 2

    def handle(self) -> None:
        with suppress(OSError):
            for line in self.server.said:  # type: ignore[attr-defined]
                self.wfile.write(line)
                self.rfile.readline()


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServer]:
    server = MailServer(("127.0.0.1", 0), _Talk)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@garbage
@given(st.lists(lines, max_size=8))
def test_mail(mail_server: MailServer, said: list[bytes]) -> None:
    mail_server.said = tuple(said)
    settings = {"host": "127.0.0.1", "port": str(mail_server.server_address[1]), "security": "none"}
    provider = SmtpMessages(settings, None, timezone.now)  # type: ignore[arg-type]
    letter = Letter("k@weft.test", "buyer@example.test", "shop@weft.test", "Hello", "Text")
    is_understood(lambda: provider.send(letter))
    is_understood(lambda: provider.health())


# --- what the shop makes of it ---------------------------------------------------------------------------------------

WRONG = {
    "a currency nobody knows": ({"currency": "QQQ"}, {}),
    "no currency": ({"currency": "yuan"}, {}),
    "a negative price": ({}, {"price": "-1.00"}),
    "no number for a price": ({}, {"price": "NaN"}),
    "a price without end": ({}, {"price": "1e400"}),
    "10^9 of it": ({}, {"quantity": 10**9}),
    "none of it": ({}, {"quantity": 0}),
    "less than none": ({}, {"quantity": -1}),
    "half of one": ({}, {"quantity": 0.5}),
    "no line": ({"lines": []}, {}),
    "no number": ({"number": ""}, {}),
    "a number as long as a book": ({"number": "N" * 5000}, {}),
    "no time": ({"sold_at": "yesterday"}, {}),
    "no zone": ({"sold_at": "2026-11-23T10:00:00"}, {}),
    "a country nobody knows": ({"address": {**SALE["address"], "country": "ZZZZ"}}, {}),
    "a byte of nothing": ({"buyer": "a\u0000b"}, {}),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", WRONG)
def test_an_order_that_makes_no_sense_is_set_aside_with_a_reason(what: str, monkeypatch, settings: Any) -> None:  # type: ignore[no-untyped-def]
    """Reading stops there and says why; nothing of it is written, and the place to go on from is not moved past it."""
    from integrations.sandbox.market import Market, Site

    factories.china()
    factories.stock(SZ=10)
    site = Site(("127.0.0.1", 0), Market(), "k")
    try:
        channel: Channel = made(site)
    finally:
        site.server_close()
    of_sale, of_line = WRONG[what]
    sale = {**SALE, "lines": [{**SALE["lines"][0], **of_line}], **of_sale}
    door = Mumbling(json.dumps({**PAGE, "orders": [sale]}).encode())
    monkeypatch.setattr("integrations.hub.registry.connect", lambda *_, **__: market(door))
    assert orders.poll(channel) is None
    cursor = Cursor.objects.get(account=channel.account, name="orders")
    assert cursor.problem and cursor.value == "" and cursor.lease_token is None
    assert not Order.objects.exists()
