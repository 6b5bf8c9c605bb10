"""A connector that does everything right, and what is wrong with its worse relatives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from integrations.hub.answers import text, understood, whole
from integrations.hub.connector import Connector, Field
from integrations.hub.errors import Forged, Misconfigured, OutcomeUnknown, Rejected, TryAgain
from integrations.hub.values import Done, Health, Hint, Inbound, Ref, Verified

TOLERANCE = 300.0
SECRET = "a-key-for-tests-only"


class Planted(Connector):
    """Asks for its state, sells a thing, and is told of payments."""

    kind = "planted"
    name = "planted"
    label = "Planted"
    checks = "asks for its version"
    fields = (Field("url", "Address"), Field("key", "Key", secret=True))
    identity = ("url",)

    def health(self) -> Health:
        told = self.ask("GET", "/v1/status", "check", writes=False)
        with understood("check", writes=False):
            return Health(text(told, "version"))

    def sell(self, sku: str) -> Done:
        told = self.ask("POST", "/v1/sales", "sell", json={"sku": sku})
        with understood("sell", writes=True):
            return Done(refs=(Ref(text(told, "id")),), facts={"left": whole(told, "left")})

    def ask(self, method: str, path: str, operation: str, *, json: Any = None, writes: bool = True) -> Any:
        headers = {"authorization": f"Bearer {self.settings['key']}"}
        url = self.settings["url"] + path
        reply = self.http.request(method, url, operation=operation, headers=headers, json=json, writes=writes)
        self.heed(reply.status, reply.body, writes)
        return reply.json(writes=writes)

    def heed(self, status: int, body: bytes, writes: bool) -> None:
        if status in (401, 403):
            raise Misconfigured("It refuses this key.")
        if status >= 500:
            raise OutcomeUnknown("It failed.") if writes else TryAgain("It failed.")
        if status >= 400:
            raise Rejected(f"It refused: {self.quoted(body)}")

    def verify(self, inbound: Inbound) -> Verified:
        sent, signature = inbound.headers.get("x-time", ""), inbound.headers.get("x-signature", "")
        if not hmac.compare_digest(self.signature(sent, inbound.body).encode(), signature.encode()):
            raise Forged("The signature does not hold.")
        if abs(self.now().timestamp() - float(sent)) > TOLERANCE:
            raise Forged("It is too old.")
        with understood("read message", writes=False):
            return Verified(text(json.loads(inbound.body), "id"))

    def signature(self, sent: str, body: bytes) -> str:
        key = self.settings["key"].encode()
        return base64.b64encode(hmac.digest(key, sent.encode() + b"." + body, hashlib.sha256)).decode()

    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        try:
            told = json.loads(inbound.body)
            return [Hint("payment", text(told, "order"), {"amount": text(told, "amount")})]
        except (ValueError, RecursionError):
            raise Rejected("The message cannot be understood.") from None


# --- worse relatives -------------------------------------------------------------------------------------------------


class Chatty(Planted):
    def heed(self, status: int, body: bytes, writes: bool) -> None:
        if status == 400:
            raise Rejected(f"It refused: {body.decode()}")
        super().heed(status, body, writes)


class Logging(Planted):
    def heed(self, status: int, body: bytes, writes: bool) -> None:
        logging.getLogger("planted").debug("asked with %s", self.settings)
        super().heed(status, body, writes)


class Printed(Planted):
    def __repr__(self) -> str:
        return f"Printed({self.settings})"


class Hasty(Planted):
    def heed(self, status: int, body: bytes, writes: bool) -> None:
        if status >= 500:
            raise TryAgain("It failed.")
        super().heed(status, body, writes)


class Bare(Planted):
    def heed(self, status: int, body: bytes, writes: bool) -> None:
        if status >= 400:
            raise ValueError(f"what is {status}?")


class Deaf(Planted):
    def heed(self, status: int, body: bytes, writes: bool) -> None:
        """Whatever it says is an answer."""


class Loose(Planted):
    def sell(self, sku: str) -> Done:
        told = self.ask("POST", "/v1/sales", "sell", json={"sku": sku})
        return Done(refs=(Ref(told["id"]),), facts={"left": told["left"]})


class Other(Planted):
    def sell(self, sku: str) -> Done:
        self.ask("GET", "/v1/status", "check", writes=False)
        return super().sell(sku)


class Trusting(Planted):
    def verify(self, inbound: Inbound) -> Verified:
        return Verified(text(json.loads(inbound.body), "id"))


class Ageless(Planted):
    def verify(self, inbound: Inbound) -> Verified:
        moment = datetime.fromtimestamp(float(inbound.headers.get("x-time") or 0), self.now().tzinfo)
        return Planted(self.settings, self.http, lambda: moment).verify(inbound)


class Counting(Planted):
    def verify(self, inbound: Inbound) -> Verified:
        super().verify(inbound)
        return Verified(f"seen at {self.now().isoformat()}")


class Thankless(Planted):
    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        told = json.loads(inbound.body)
        return [Hint("payment", told["order"], {"amount": told["amount"]})]


class Formless(Planted):
    fields = (Field("url", "Address", required=False), Field("key", "Key", secret=True, required=False))
    checks = ""
