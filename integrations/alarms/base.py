"""The contract of what is told of alarms: a program that is awake when people are not."""

from __future__ import annotations

from integrations.hub.connector import Connector
from integrations.hub.values import Done


class AlarmReceiver(Connector):
    """Takes messages about alarms. Errors are the hub's."""

    kind = "alarms"

    def tell(self, message_id: str, body: str) -> Done:
        """Hand one message (JSON) over. The same id again is the same message: the receiver leaves it out."""
        raise NotImplementedError
