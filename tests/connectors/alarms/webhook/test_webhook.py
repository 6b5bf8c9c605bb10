"""The receiver of alarms, over HTTP."""

from __future__ import annotations

from integrations.alarms.providers.webhook import WebhookReceiver
from tests.connectors.contract import HttpContract


class TestWebhook(HttpContract):
    connector = WebhookReceiver
    settings = {"url": "https://alarms.example/weft", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    calls = {
        "health": lambda receiver: receiver.health(),
        "tell": lambda receiver: receiver.tell("7:opened:1", '{"type": "alarm.opened"}'),
    }
    tolerated = frozenset(
        {("tell", 0)}
    )  # any 2xx means that it was taken, whatever it says; told again, it is the same
