"""Talking to WeChat Pay APIv3: every request signed over the bytes that leave, no reply believed that is not proven."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from integrations.hub.answers import Unfit, inside, listed, understood
from integrations.hub.errors import Conflict, HubError, Misconfigured, Rejected, Scope, TryAgain
from integrations.payments.wechatpay import keys, sealed
from integrations.payments.wechatpay.refusals import Refusal, heed, refusal, unbelieved

if TYPE_CHECKING:
    from integrations.hub.http import Door, Reply

SCHEME = "WECHATPAY2-SHA256-RSA2048"
CERTIFICATES = "/v3/certificates"


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who signs. `public_key_id` is sent where WeChat Pay shall sign its answers with that key."""

    mchid: str
    serial: str
    key: RSAPrivateKey
    apiv3_key: str
    public_key_id: str = ""


def nonce() -> str:
    """A word that was never used before."""
    return secrets.token_hex(16)


def message(method: str, path: str, timestamp: int, word: str, body: bytes) -> bytes:
    """What the signature of a request is made over; `path` with its query."""
    return f"{method}\n{path}\n{timestamp}\n{word}\n".encode() + body + b"\n"


class Wire:
    """One account's line. `known`: the keys that prove what WeChat Pay says; where none are given, the platform
    certificates are asked for before anything else, and once more if another serial turns up."""

    def __init__(
        self,
        http: Door,
        addresses: Collection[str],
        merchant: Merchant,
        known: Mapping[str, RSAPublicKey],
        now: Callable[[], datetime],
        quoted: Callable[[str | bytes], str],
    ) -> None:
        self._http, self._addresses, self._merchant = http, [each.rstrip("/") for each in addresses], merchant
        self._known, self._now, self._quoted = dict(known), now, quoted
        self._may_load = not merchant.public_key_id  # once, where a serial turns up that is not known
        self.loaded = ""  # the certificates that were asked for, as PEM one after the other

    def read(self, path: str, operation: str, *, none: Collection[str] = (), **query: str) -> Mapping[str, Any] | None:
        """What is there; None where the answer is one of the codes in `none`, and proven."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return self._ask("GET", asked, operation, none=none)

    def write(
        self, path: str, document: Any, operation: str, *, none: Collection[str] = (), moves_money: bool = False
    ) -> Mapping[str, Any] | None:
        """What came of it; {} where nothing is said (204), None where the answer is one of the codes in `none`."""
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return self._ask("POST", path, operation, body, none=none, moves_money=moves_money)

    def _ask(
        self,
        method: str,
        path: str,
        operation: str,
        body: bytes = b"",
        *,
        none: Collection[str] = (),
        moves_money: bool = False,
    ) -> Mapping[str, Any] | None:
        writes = method != "GET"
        if not self._known:
            self.load()
        reply = self._send(method, path, operation, body)
        why = self._unproven(reply)
        if reply.status in (200, 204):
            if why:
                raise unbelieved(operation, why, writes)
            return _object(reply, operation, writes) if reply.status == 200 else {}
        said = refusal(reply, self._quoted)
        if said.code in none:
            if why:
                raise unbelieved(operation, why, writes)
            return None
        believed = not why or (keys.SIGNATURE not in reply.headers and not moves_money)
        heed(said, operation, writes=writes, believed=believed)

    def _send(self, method: str, path: str, operation: str, body: bytes) -> Reply:
        """To the first address, to the next where surely nothing has left."""
        *others, last = self._addresses
        for address in others:
            try:
                return self._request(address, method, path, operation, body)
            except TryAgain as error:
                if error.scope is not Scope.ACCOUNT:
                    raise
        return self._request(last, method, path, operation, body)

    def _request(self, address: str, method: str, path: str, operation: str, body: bytes) -> Reply:
        whole = urlsplit(address).path + path
        headers = {"accept": "application/json", "authorization": self._authorization(method, whole, body)}
        if body:
            headers["content-type"] = "application/json"
        if self._merchant.public_key_id:
            headers["wechatpay-serial"] = self._merchant.public_key_id
        return self._http.request(
            method, address + path, operation=operation, headers=headers, body=body or None, writes=method != "GET"
        )

    def _authorization(self, method: str, path: str, body: bytes) -> str:
        timestamp, word = int(self._now().timestamp()), nonce()
        signature = keys.signed(self._merchant.key, message(method, path, timestamp, word, body))
        return (
            f'{SCHEME} mchid="{self._merchant.mchid}",nonce_str="{word}",timestamp="{timestamp}",'
            f'serial_no="{self._merchant.serial}",signature="{signature}"'
        )

    # ------------------------------------------------------------ what proves an answer

    def _unproven(self, reply: Reply) -> str:
        """Why nothing proves it; '' where something does."""
        serial = keys.normal(reply.headers.get(keys.SERIAL, ""))
        if serial and serial not in self._known and self._may_load and not serial.startswith("PUB_KEY_ID"):
            self._may_load = False
            try:
                self.load()
            except HubError as error:
                return f"no key of ours has its serial, and {error.message}"
        return _unproven(self._known, reply, self._now())

    def load(self) -> None:
        """The platform certificates, encrypted with the APIv3 key and signed by one of themselves."""
        operation = "read platform certificates"
        reply = self._send("GET", CERTIFICATES, operation, b"")
        if reply.status != 200:
            self._without_certificates(refusal(reply, self._quoted), operation)
        pasted = self._certificates(reply.json(writes=False), operation)
        with understood(operation, writes=False):
            found = keys.trusted(keys.certificates(pasted), self._now())
        if why := _unproven(found, reply, self._now()):
            raise unbelieved(operation, why, writes=False)
        self._known |= found
        self._may_load, self.loaded = False, pasted

    @staticmethod
    def _without_certificates(said: Refusal, operation: str) -> NoReturn:
        """Never Rejected: that would be taken for the end of what they were needed for, which was not even sent."""
        try:
            heed(said, operation, writes=False, believed=True)
        except (Rejected, Conflict):
            raise Misconfigured(
                f"{operation}: WeChat Pay has none for this merchant ({said.status} {said.code}). Take the WeChat Pay "
                "public key and its ID from the merchant platform (API security), and fill them in."
            ) from None

    def _certificates(self, told: Any, operation: str) -> str:
        with understood(operation, writes=False):
            try:
                return "\n".join(
                    sealed.opened(inside(each, "encrypt_certificate"), self._merchant.apiv3_key).decode()
                    for each in listed(told, "data")
                )
            except sealed.WrongKey:
                raise Misconfigured(
                    f"{operation}: they cannot be opened with the APIv3 key. Set it anew in the merchant platform "
                    "(API security), and here."
                ) from None


def _object(reply: Reply, operation: str, writes: bool) -> Mapping[str, Any]:
    found = reply.json(writes=writes)
    with understood(operation, writes=writes):
        if not isinstance(found, Mapping):
            raise Unfit("it is no object")
    return found


def _unproven(known: Mapping[str, RSAPublicKey], reply: Reply, now: datetime) -> str:
    try:
        keys.prove(known, reply.headers, reply.body, now)
    except keys.Unproven as why:
        return str(why)
    return ""
