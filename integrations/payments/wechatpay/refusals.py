"""What WeChat Pay's refusals mean, by their code first: one and the same HTTP status stands for many.

Codes as the official SDK and documentation list them; old spellings (without underscore) are still answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn

from integrations.hub.errors import Conflict, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.http import Reply

NO_TRADE = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST"})
NO_REFUND = frozenset({"RESOURCE_NOT_EXISTS"})
PAID = frozenset({"ORDERPAID", "ORDER_PAID"})
CLOSED = frozenset({"ORDER_CLOSED", "ORDERCLOSED"})
USED = frozenset({"OUT_TRADE_NO_USED"})

SLOWER = frozenset({"FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED"})
IN_DOUBT = frozenset({"SYSTEM_ERROR", "SYSTEMERROR", "BANK_ERROR", "BANKERROR", "USERPAYING", "USER_PAYING"})
NO_MONEY = frozenset({"NOT_ENOUGH", "NOTENOUGH"})
FINAL = frozenset({"OPENID_MISMATCH", "INVALID_TRANSACTIONID"})  # said with HTTP 500, and yet nothing was done

MEND = {
    "SIGN_ERROR": "our signature is refused: compare the merchant ID, the serial number of the merchant certificate, "
    "the private key that belongs to it, and this machine's clock.",
    "NO_AUTH": "the merchant may not do this: apply for the product in the merchant platform (Product centre), and "
    "compare the merchant ID.",
    "APPID_MCHID_NOT_MATCH": "the app ID is not bound to the merchant ID: bind it in the merchant platform (Product "
    "centre, App ID accounts).",
    "MCH_NOT_EXISTS": "there is no such merchant ID.",
}
MEND["NOAUTH"] = MEND["NO_AUTH"]

AFTER_LIMIT = timedelta(seconds=60)
AFTER_NO_MONEY = timedelta(minutes=15)


class Unbelieved(TryAgain):
    """Something was answered to a call that reads, and nothing proves that WeChat Pay said so."""


class Refusal(NamedTuple):
    """What a reply that is no 200 or 204 says."""

    status: int
    code: str
    message: str
    field: str = ""


def refusal(reply: Reply, quoted: Callable[[str | bytes], str]) -> Refusal:
    """Read it; a body that is none of WeChat Pay's has no code."""
    try:
        told = json.loads(reply.body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, Mapping):
        return Refusal(reply.status, "", quoted(reply.body))
    detail = told.get("detail") if isinstance(told.get("detail"), Mapping) else {}
    return Refusal(reply.status, _word(told, "code"), quoted(_word(told, "message")), quoted(_word(detail, "field")))


def heed(said: Refusal, operation: str, *, writes: bool, believed: bool) -> NoReturn:
    """Raise what to do next. What makes work wait is heeded in any case; what ends it must be `believed`."""
    words = f"{operation}: WeChat Pay answered {said.code or said.status}: {said.message or 'no reason given'}."
    if said.code in MEND or said.status == 401:
        raise Misconfigured(f"{operation}: {MEND.get(said.code, MEND['SIGN_ERROR'])} WeChat Pay says: {said.message}")
    if said.code in SLOWER:
        raise TryAgain(words, after=AFTER_LIMIT, scope=Scope.OPERATION)
    if said.code in IN_DOUBT or not (400 <= said.status < 500 or said.code in FINAL):
        raise doubt(words, writes)
    if not believed:
        raise doubt(f"{words} Nothing proves that WeChat Pay said so.", writes)
    _refused(said, words)


def _refused(said: Refusal, words: str) -> NoReturn:
    if said.code in NO_MONEY:
        raise TryAgain(f"{words} Put money into the merchant account.", after=AFTER_NO_MONEY)
    if said.code in USED | PAID | CLOSED:
        raise Conflict(words, existing={"code": said.code})
    raise Rejected(words, fields={said.field: said.message} if said.field else {})


def doubt(words: str, writes: bool) -> OutcomeUnknown | TryAgain:
    """Perhaps it was done; what only reads is just read again."""
    return OutcomeUnknown(words) if writes else TryAgain(words)


def unbelieved(operation: str, why: str, writes: bool) -> OutcomeUnknown | Unbelieved:
    """An answer that nothing proves says nothing."""
    words = f"{operation}: nothing proves that WeChat Pay answered: {why}."
    return OutcomeUnknown(words) if writes else Unbelieved(words)


def _word(told: Any, name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""
