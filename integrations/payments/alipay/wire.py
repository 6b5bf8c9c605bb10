"""Talking to Alipay's gateway: signed requests, signed answers; what is not proven is not believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from integrations.hub.errors import Misconfigured, TryAgain
from integrations.payments.alipay import refusals, replies
from integrations.payments.alipay.keys import Keys
from integrations.payments.alipay.replies import Proof, Said

if TYPE_CHECKING:
    from integrations.hub.http import Door, Reply

BEIJING = timezone(timedelta(hours=8))
FORM = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
TIMED_OUT = 408


class Unproven(TryAgain):
    """It read an answer that is signed, and not by the key that the account names."""


class Gateway:
    """One application's line to Alipay. `quoted` makes Alipay's words fit for a message."""

    def __init__(
        self,
        http: Door,
        address: str,
        app_id: str,
        keys: Keys,
        now: Callable[[], datetime],
        quoted: Callable[[str], str],
    ) -> None:
        self._http, self._address, self._app_id, self._keys, self._now = http, address, app_id, keys, now
        self._quoted = quoted
        self.signed_by = ""  # the certificate that the last answer named

    def page(self, method: str, content: Mapping[str, Any], **common: str) -> str:
        """Where to send a browser, with a signed order to Alipay's pages. No call."""
        return f"{self._address}?{_encoded(self._signed(method, content, common))}"

    def ask(
        self, method: str, content: Mapping[str, Any], operation: str, *, writes: bool, **common: str
    ) -> Mapping[str, Any]:
        """What Alipay answers, where it is done (10000). Raises the error that its refusal means."""
        asked = self._signed(method, content, common)
        body = _encoded({"biz_content": asked.pop("biz_content")}).encode()
        reply = self._http.request(
            "POST", f"{self._address}?{_encoded(asked)}", operation=operation, headers=FORM, body=body, writes=writes
        )
        said = replies.read(reply.body, f"{method.replace('.', '_')}_response", self._keys.alipay)
        if said is None or said.proof is not Proof.SIGNED:
            self._disbelieve(reply, said, operation, writes)
        assert said is not None
        self.signed_by = said.certificate
        if said.told.get("code") != refusals.DONE or said.is_error:
            raise refusals.failure(said.told, self._words(said), operation, writes=writes)
        return said.told

    def _signed(self, method: str, content: Mapping[str, Any], common: Mapping[str, str]) -> dict[str, str]:
        """The parameters of a request: what is empty is left out, of what is sent and of what is signed."""
        wanted = {
            "app_id": self._app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing(self._now()),
            "version": "1.0",
            "app_cert_sn": self._keys.app_sn,
            "alipay_root_cert_sn": self._keys.root_sn,
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            **common,
        }
        sent = {name: wanted[name] for name in sorted(wanted) if wanted[name]}
        return sent | {"sign": self._keys.sign("&".join(f"{name}={value}" for name, value in sent.items()))}

    def _disbelieve(self, reply: Reply, said: Said | None, operation: str, writes: bool) -> None:
        """Raises what follows from an answer that nothing proves."""
        is_unsigned = said is not None and said.proof is Proof.UNSIGNED
        if said and is_unsigned and (error := refusals.unsigned(said.told, self._words(said), operation)):
            raise error
        if reply.status >= 500 or reply.status == TIMED_OUT:
            raise refusals.in_doubt(f"{operation}: Alipay's gateway failed ({reply.status}).", writes=writes)
        if reply.status >= 300:  # the gateway says 200 whatever it refuses: somebody else stands there
            raise Misconfigured(f"{operation}: HTTP {reply.status}. Is this the address of Alipay's gateway?")
        if said is None:
            raise refusals.in_doubt(f"{operation}: that was no answer of Alipay's gateway.", writes=writes)
        if is_unsigned:
            words = f"{operation}: an unsigned answer is not believed ({self._words(said)})."
            raise refusals.in_doubt(words, writes=writes)
        words = f"{operation}: the answer's signature does not hold. {self._signer(said)}"
        raise refusals.in_doubt(words, writes=True) if writes else Unproven(words)

    def _signer(self, said: Said) -> str:
        if self._keys.alipay_sn and said.certificate and said.certificate != self._keys.alipay_sn:
            return f"Alipay signs with another certificate ({self._quoted(said.certificate)}): download and paste it."
        what = "certificate" if self._keys.alipay_sn else "public key"
        return f"Is it Alipay's {what} that stands in the account, and not the application's own?"

    def _words(self, said: Said) -> str:
        return self._quoted(refusals.summary(said.told))


def beijing(moment: datetime) -> str:
    """A time as Alipay writes it."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str) -> datetime:
    """A time as Alipay writes it. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).astimezone(UTC)


def _encoded(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe="")
