"""The contract of messages to people: mail now, others later."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.hub.connector import Connector
from integrations.hub.values import Done


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `message_id` without angle brackets is the idempotency key: sent again, it is the same mail."""

    message_id: str
    to: str
    sender: str
    subject: str
    text: str
    html: str = ""


class Messages(Connector):
    """A way to reach people. Errors are the hub's."""

    kind = "messages"

    def send(self, letter: Letter) -> Done:
        """Hand the letter over. OutcomeUnknown when it was perhaps taken."""
        raise NotImplementedError
