"""What may be kept of a request and its reply: redacted before it is written, by allow-list.

Numbers, ids, amounts and words of errors help whoever mends a refused document. Names, addresses, phones, secrets and
whatever nobody thought of are replaced by dots; the shape stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from runtime.logs import masks

TEXT_LIMIT = 500  # characters of one value
BODY_LIMIT = 4000  # characters of one body, as shown
READ_LIMIT = 256 * 1024  # bytes; a larger body is only counted
HIDDEN = "•••"

# Names of fields whose values concern goods, money, states and errors, never a person. Lower case, letters only.
PLAIN = frozenset({
    "action", "amount", "batch", "charset", "code", "count", "country", "currency", "date", "deliverydate",
    "detail", "details", "document", "domain", "error", "errorcode", "errormessage", "errors", "errormsg",
    "expirydate", "format", "gmtcreate", "gmtpayment", "id", "ids", "index", "items", "key", "kind", "lang",
    "language", "lines", "message", "method", "model", "msg", "name", "number", "object", "op", "operation",
    "orderid", "ordernumber", "outtradeno", "page", "pages", "paid", "path", "price", "product", "quantity",
    "rate", "reason", "reference", "ref", "result", "resultcode", "retcode", "returncode", "service",
    "shipments", "signtype", "size", "sku", "skus", "source", "state", "status", "subcode", "submsg", "success",
    "tax", "timestamp", "topic", "total", "totalamount", "tradeno", "tradestatus", "transactionid", "type",
    "uniqueid", "unit", "unitprice", "uom", "updated", "url", "value", "version", "warehouse", "warnings",
})  # fmt: skip
# What such names say of a person where they stand inside one of these.
PERSONAL = frozenset({
    "address", "billing", "buyer", "contact", "consignee", "customer", "party", "payer", "person", "receiver",
    "recipient",
})  # fmt: skip
OF_PERSONS = frozenset({"name", "number", "message", "code", "detail", "details", "value"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply, as they were: for `shown` only. `url` has no query; `status` 0: no reply."""

    operation: str
    method: str
    url: str
    milliseconds: int
    sent: Any = field(repr=False)  # a JSON document, or the body's bytes
    sent_type: str
    status: int = 0
    reply: bytes = field(default=b"", repr=False)
    reply_type: str = ""


def shown(exchange: Exchange) -> dict[str, Any]:
    """An exchange as it may be kept."""
    is_body = exchange.sent is None or isinstance(exchange.sent, bytes)
    return {
        "operation": exchange.operation,
        "method": exchange.method,
        "url": masked(exchange.url),
        "request": body(exchange.sent, exchange.sent_type) if is_body else document(exchange.sent),
        "status": exchange.status,
        "reply": body(exchange.reply, exchange.reply_type),
        "milliseconds": exchange.milliseconds,
    }


def body(content: bytes | None, content_type: str = "") -> str:
    """A body as it may be kept: JSON and forms by their fields, other text masked, the rest only counted."""
    if not content:
        return ""
    if len(content) > READ_LIMIT:
        return f"({len(content)} bytes)"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return f"({len(content)} bytes)"
    if "urlencoded" in content_type:
        return document(dict(parse_qsl(text, keep_blank_values=True)))
    try:
        return document(json.loads(text))
    except (ValueError, RecursionError):
        return masked(text)


def document(value: Any) -> str:
    """A JSON document with what is not on the allow-list dotted out."""
    return json.dumps(_value(value, plain=True), ensure_ascii=False)[:BODY_LIMIT]


def masked(text: str) -> str:
    """Text as a log may have it (`runtime/logs/masks.py`), and no longer than needed."""
    text = masks.masked(text[: 4 * TEXT_LIMIT])
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}…"


def _value(value: Any, *, plain: bool, personal: bool = False) -> Any:
    match value:
        case None | bool():
            return value
        case Mapping():
            return {masked(str(name)): _field(str(name), one, personal) for name, one in value.items()}
        case list() | tuple():
            return [_value(one, plain=plain, personal=personal) for one in value]
        case int() | float() if plain and abs(value) < 1e10:  # NaN is never smaller
            return value
        case str() if plain:
            return masked(value)
        case _:
            return HIDDEN


def _field(name: str, value: Any, personal: bool) -> Any:
    bare = re.sub(r"[^a-z]", "", name.lower())
    plain = bare in PLAIN and not (personal and bare in OF_PERSONS)
    return _value(value, plain=plain, personal=personal or any(word in bare for word in PERSONAL))
