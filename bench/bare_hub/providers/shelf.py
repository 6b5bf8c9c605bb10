"""A remote that takes a thing in so many milliseconds, or is a black hole."""

from __future__ import annotations

import time

from integrations.hub.connector import Connector, Field
from integrations.hub.errors import OutcomeUnknown
from integrations.hub.values import Done, Health, Ref

NO_ANSWER = 30.0  # seconds a call waits, as the door does


class Shelf(Connector):
    kind = "bench"
    name = "shelf"
    label = "Shelf"
    fields = (Field("seconds", "Seconds"), Field("hole", "Never answers", required=False))

    def health(self) -> Health:
        return Health()

    def take(self, key: str) -> Done:
        if self.settings.get("hole"):
            time.sleep(NO_ANSWER)
            raise OutcomeUnknown(f"take: no answer within {NO_ANSWER:.0f} s.")
        time.sleep(float(self.settings["seconds"]))
        return Done(refs=(Ref(key),))
