"""What Alipay sends by itself: a form, signed by one of two rules, in a charset that it names itself.

Notices of trades are signed without `sign_type`, messages of the open platform with it. The signature is over the
bytes that were sent, so it is checked before anything is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from integrations.hub.errors import Forged, Misconfigured, Rejected
from integrations.hub.values import Hint, Verified
from integrations.payments.alipay.keys import alipay_key, holds
from integrations.payments.base import REFUND, TRADE

OF_TRADES = "trade_status_sync"
CHARSETS = {"utf-8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030"}
MOST_FIELDS, LONGEST_NUMBER = 200, 64
OF_THE_SENDING = {"notify_time", "sign", "sign_type"}  # other ones each time it is sent
BYTEWISE = "latin-1"  # each byte one character: nothing is lost before the charset is known

Sent = Mapping[str, str]


def verified(body: bytes, settings: Mapping[str, str]) -> Verified:
    """Did Alipay send this, for this account? Raises Forged."""
    try:
        sent = read(body)
        key = alipay_key(settings)
    except (ValueError, Misconfigured):
        raise Forged("This is no notice of Alipay's, or its key in the account cannot be read.") from None
    if not is_signed(sent, key):
        raise Forged("The signature of this notice does not hold.")
    if sent.get("app_id") != settings["app_id"]:
        raise Forged("This notice is for another application.")
    ours, theirs = settings.get("seller_id"), sent.get("seller_id", "")
    if ours and theirs != ours and (theirs or sent.get("notify_type") == OF_TRADES):
        raise Forged("This notice is for another seller.")
    return Verified(sent.get("notify_id", ""), _joined({name: sent[name] for name in sent.keys() - OF_THE_SENDING}))


def hints(body: bytes) -> Sequence[Hint]:
    """What may have happened. The buyer's names and numbers are left out. Raises Rejected."""
    try:
        told = words(read(body))
    except ValueError:
        raise Rejected("This notice of Alipay's cannot be read.") from None
    if told.get("notify_type") != OF_TRADES:
        return ()  # a message of the platform's: it concerns no trade
    number = _number(told, "out_trade_no")
    facts = {"remote": told.get("trade_no", ""), "status": told.get("trade_status", "")}
    facts |= {"total": told.get("total_amount", ""), "refunded": told.get("refund_fee", "")}
    facts = {name: value for name, value in facts.items() if value}
    found = [Hint(TRADE, number, facts)]
    if told.get("out_biz_no"):
        found.append(Hint(REFUND, _number(told, "out_biz_no"), {"number": number, **facts}))
    return found


def read(body: bytes) -> Sent:
    """The fields as they were sent, each byte a character. Raises ValueError for what is no such form."""
    pairs = parse_qsl(
        body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding=BYTEWISE, max_num_fields=MOST_FIELDS
    )
    sent = dict(pairs)
    if len(sent) != len(pairs):
        raise ValueError("a field that stands there twice")
    return sent


def is_signed(sent: Sent, key: RSAPublicKey) -> bool:
    """Did Alipay sign these fields?"""
    if sent.get("sign_type", "RSA2") != "RSA2" or not sent.get("sign"):
        return False
    return any(holds(key, sent["sign"], content) for content in _contents(sent))


def words(sent: Sent) -> dict[str, str]:
    """The fields as people read them. Raises ValueError for what their charset cannot mean, and for an unknown one."""
    charset = CHARSETS.get(sent.get("charset", "utf-8").lower())
    if charset is None:
        raise ValueError("a charset that is not known")
    return {name: value.encode(BYTEWISE).decode(charset) for name, value in sent.items()}


def _contents(sent: Sent) -> Iterator[bytes]:
    """What may have been signed. Alipay's libraries differ in whether a field that is empty counts."""
    rules = [{"sign", "sign_type"}]
    if sent.get("notify_type") != OF_TRADES:
        rules.insert(0, {"sign"})
    for left_out in rules:
        counted = {name: value for name, value in sent.items() if name not in left_out}
        yield _joined({name: value for name, value in counted.items() if value})
        if "" in counted.values():
            yield _joined(counted)


def _joined(fields: Sent) -> bytes:
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode(BYTEWISE)


def _number(told: Mapping[str, str], name: str) -> str:
    """A merchant's number. Raises Rejected for what cannot be one."""
    found = told.get(name, "")
    if not 0 < len(found) <= LONGEST_NUMBER or not found.isprintable():
        raise Rejected(f"This notice of Alipay's names no {name}.")
    return found
