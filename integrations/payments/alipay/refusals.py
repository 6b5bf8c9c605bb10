"""What Alipay's error codes mean, by what to do next. `code` is the gateway's word, `sub_code` says more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain

DONE = "10000"
WAITING, UNKNOWN, NO_RIGHT, MISSING, INVALID, UNMET, BUSINESS, TOO_OFTEN, FORBIDDEN = (
    "10003", "20000", "20001", "40001", "40002", "40003", "40004", "40005", "40006",
)  # fmt: skip
OF_THE_ACCOUNT = (NO_RIGHT, MISSING, INVALID, UNMET, FORBIDDEN)
IN_DOUBT = ("SYSTEM_ERROR", "unknow-error", "unknown-error")  # also aop.ACQ.SYSTEM_ERROR and AQC.SYSTEM_ERROR
# Of 40002 and 40004: what no other document would mend.
ACCOUNTS = frozenset(
    ("ACQ.ACCESS_FORBIDDEN", "ACQ.PARTNER_ERROR", "ACQ.MERCHANT_STATUS_NOT_NORMAL", "ACQ.SELLER_BEEN_BLOCKED")
)
DOCUMENTS = frozenset(("isv.invalid-parameter", "isv.illegal-json", "isv.suspected-attack"))
WHAT_TO_DO = {
    "isv.invalid-signature": "The private key is not that of this application, or the gateway is another environment's "
    "(sandbox, production).",
    "isv.invalid-app-id": "There is no such application behind this gateway (sandbox, production), or it is not live.",
    "isv.missing-signature-key": "Upload the application's public key, or its certificate, on Alipay's side.",
    "isv.missing-signature-config": "Upload the application's public key, or its certificate, on Alipay's side.",
    "isv.invalid-timestamp": "Set this machine's clock.",
    "isv.missing-app-cert-sn": "This application works with certificates: fill in all three.",
    "isv.missing-alipay-root-cert-sn": "This application works with certificates: fill in all three.",
    "isv.app-cert-expired": "The application's certificate has ended: make a new one on Alipay's side.",
    "app-cert-expired": "The application's certificate has ended: make a new one on Alipay's side.",
    "isv.insufficient-isv-permissions": "Sign the product on Alipay's side and add it to the application.",
    "ACQ.ACCESS_FORBIDDEN": "Sign the product on Alipay's side and add it to the application.",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "Top up the Alipay account, then try again.",
}


class Refused(Rejected):
    """Alipay's rules refuse it; `code` is Alipay's own word, by which an operation may know better."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def failure(told: Mapping[str, Any], said: str, operation: str, *, writes: bool) -> HubError:
    """The error for an answer that Alipay signed and that is not 10000. `said`: Alipay's words, fit for people."""
    code, sub = _text(told, "code"), _text(told, "sub_code")
    words = f"{operation}: Alipay refused it ({said}). {WHAT_TO_DO.get(sub, '')}".strip()
    if code in (WAITING, UNKNOWN) or any(each in sub for each in IN_DOUBT):
        return in_doubt(f"{operation}: Alipay does not know yet ({said}).", writes=writes)
    if code == TOO_OFTEN:
        return TryAgain(f"{operation}: Alipay asks us to slow down ({said}).", scope=Scope.OPERATION)
    if sub in ACCOUNTS or code in OF_THE_ACCOUNT and sub not in DOCUMENTS:
        return Misconfigured(words)
    if code in (BUSINESS, MISSING, INVALID):
        return Refused(words, sub)
    return in_doubt(f"{operation}: an answer that is not known ({said}).", writes=writes)


def unsigned(told: Mapping[str, Any], said: str, operation: str) -> Misconfigured | None:
    """Before it knows for whom to sign, the gateway refuses unsigned: what a person must mend is then believed.

    Nothing else is: of no document, and no trade, does such an answer say anything.
    """
    code, sub = _text(told, "code"), _text(told, "sub_code")
    if code not in OF_THE_ACCOUNT or not sub or sub in DOCUMENTS:
        return None
    return Misconfigured(f"{operation}: Alipay refuses this account ({said}). {WHAT_TO_DO.get(sub, '')}".strip())


def in_doubt(words: str, *, writes: bool) -> HubError:
    return OutcomeUnknown(words) if writes else TryAgain(words)


def summary(told: Mapping[str, Any]) -> str:
    """Alipay's codes and words, of an answer."""
    return " ".join(filter(None, (_text(told, name) for name in ("code", "sub_code", "sub_msg")))) or "no code"


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""
