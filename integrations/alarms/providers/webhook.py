"""Messages signed as Standard Webhooks says (standardwebhooks.com), so that any receiver of such can check them."""

from __future__ import annotations

import binascii
from datetime import UTC

from standardwebhooks import Webhook

from integrations.alarms.base import AlarmReceiver
from integrations.hub.connector import Field
from integrations.hub.errors import Misconfigured, Rejected, TryAgain
from integrations.hub.values import Done, Health

SECONDS = 20.0


class WebhookReceiver(AlarmReceiver):
    """POST with `webhook-id`, `webhook-timestamp` and `webhook-signature`; any 2xx means it was taken."""

    name = "webhook"
    label = "Webhook (Standard Webhooks)"
    checks = "looks at the address and the secret; nothing is sent"
    fields = (
        Field("url", "Address"),
        Field("secret", "Signing secret", secret=True, help="whsec_ and at least 24 random bytes in base64"),
    )

    def health(self) -> Health:
        if not self.settings["url"].startswith(("https://", "http://")):
            raise Misconfigured("That is not an http(s) address.")
        self._signer()
        return Health()

    def tell(self, message_id: str, body: str) -> Done:
        now = self.now().astimezone(UTC)
        signature = self._signer().sign(message_id, now, body)
        reply = self.http.request(
            "POST", self.settings["url"], operation="tell an alarm", body=body.encode(), timeout=SECONDS,
            headers={"content-type": "application/json", "webhook-id": message_id,
                     "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature},
        )  # fmt: skip
        if reply.status in (401, 403):
            raise Misconfigured("The receiver of alarms refuses our signature.")
        if 400 <= reply.status < 500 and reply.status not in (408, 425):
            raise Rejected(f"The receiver of alarms refused the message (HTTP {reply.status}).")
        if not 200 <= reply.status < 300:
            raise TryAgain(f"The receiver of alarms answered HTTP {reply.status}.")
        return Done()

    def _signer(self) -> Webhook:
        secret = self.settings["secret"].removeprefix("whsec_")
        try:
            if len(binascii.a2b_base64(secret + "==")) < 24:
                raise Misconfigured("The signing secret is too short: 24 random bytes in base64 are the least.")
            return Webhook(self.settings["secret"])
        except ValueError:
            raise Misconfigured("The signing secret is not base64.") from None
