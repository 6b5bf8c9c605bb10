"""What is kept of a failed try: the words that help, and nothing of a person or a secret."""

from __future__ import annotations

import json

import pytest

from integrations.hub import outgoing
from integrations.hub.keeping import redaction
from integrations.hub.models import Account, Attempt
from tests.hub.conftest import send_due
from tests.hub.probe import Thing
from tests.hub.remote import Remote

ORDER = {
    "number": "W20261123-7J4JV1",
    "party": {"name": "张伟", "phone": "+86 138 0013 8001", "code": "C-77", "id": 12},
    "lines": [{"sku": "CHAIR-1", "quantity": 2, "unit_price": "199.00", "note": "请放门口"}],
    "shipping_address": {"street": "文三路 90 号", "city": "杭州", "postcode": "310012"},
    "email": "wei.zhang@example.com",
    "password": "hunter2hunter2",
    "access_token": "eyJhbGciOi.eyJzdWIi.sig",
    "sign": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2w=",
    "message": "call 13800138001 or wei@example.com, token=abcd1234efgh",
}
SECRETS = (
    "张伟", "138 0013", "1380013", "文三路", "杭州", "310012", "wei.zhang", "wei@", "hunter2", "eyJ", "QUJD",
    "abcd1234", "C-77", "请放门口",
)  # fmt: skip


def test_what_helps_is_kept_and_nothing_of_a_person() -> None:
    kept = redaction.document(ORDER)
    assert not [secret for secret in SECRETS if secret in kept]
    shown = json.loads(kept)
    assert shown["number"] == "W20261123-7J4JV1"
    assert shown["lines"] == [{"sku": "CHAIR-1", "quantity": 2, "unit_price": "199.00", "note": redaction.HIDDEN}]
    assert shown["party"]["id"] == 12
    assert shown["message"].startswith("call ")


@pytest.mark.parametrize("kind", ["application/json", "", "text/html"])
def test_replies_too(kind: str) -> None:
    kept = redaction.body(json.dumps({"error": ORDER}, ensure_ascii=False).encode(), kind)
    assert not [secret for secret in SECRETS if secret in kept]


def test_forms_by_their_fields() -> None:
    kept = redaction.body(
        b"method=alipay.trade.refund&sign=abc%2Bdef&buyer_name=Wei&total_amount=12.00",
        "application/x-www-form-urlencoded",
    )
    assert json.loads(kept) == {
        "method": "alipay.trade.refund", "sign": "•••", "buyer_name": "•••", "total_amount": "12.00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (None, ""),
        (b"\xff\xfe\x00", "(3 bytes)"),
        (b"x" * (redaction.READ_LIMIT + 1), f"({redaction.READ_LIMIT + 1} bytes)"),
        (b"<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        (b"[" * 100_000, "[" * redaction.TEXT_LIMIT + "…"),
        (b'{"amount": NaN, "code": 1e400}', '{"amount": "•••", "code": "•••"}'),
        (b'{"message": "a\\u0000b"}', '{"message": "a b"}'),
    ],
)
def test_bodies_of_all_sorts(body: bytes | None, kept: str) -> None:
    assert redaction.body(body) == kept


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["422", "503", "cut"])
def test_a_failed_try_keeps_request_and_reply(account: Account, remote: Remote, how: str) -> None:
    Thing.wanted.docs["a"] = ORDER
    remote.misbehave("/things/a", how)
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a", "b"])
    assert send_due(account) == 1
    failed = Attempt.objects.exclude(outcome="done").get()
    (exchange,) = failed.exchanges
    assert (exchange["operation"], exchange["method"]) == ("put thing", "PUT")
    assert exchange["url"] == f"{remote.url}/things/a"
    assert exchange["status"] == (0 if how == "cut" else int(how))
    assert exchange["reply"] == ("" if how == "cut" else json.dumps({"why": redaction.HIDDEN}, ensure_ascii=False))
    assert "W20261123-7J4JV1" in exchange["request"]
    assert not [secret for secret in SECRETS if secret in json.dumps(failed.exchanges, ensure_ascii=False)]
    assert Attempt.objects.get(outcome="done").exchanges == [], "what went well is not kept"


def test_an_exchange_never_shows_itself() -> None:
    exchange = redaction.Exchange("pay", "POST", "https://x.example/pay", 3, ORDER, "", 200, b"secret-reply")
    assert not [secret for secret in (*SECRETS, "secret-reply") if secret in repr(exchange)]
