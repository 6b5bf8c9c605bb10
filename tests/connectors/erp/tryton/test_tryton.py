"""Tryton, over its wire: what a real Tryton 8.0.12 said (`record.py`), and every way in which that can fail."""

from __future__ import annotations

from erp.providers.tryton import Tryton
from integrations.hub.errors import Misconfigured, Rejected
from tests.connectors.contract import HttpContract
from tests.connectors.erp.tryton.said import CALLS, NOW, SETTINGS


class TestTryton(HttpContract):
    connector = Tryton
    settings = SETTINGS
    now = NOW
    calls = CALLS
    # The first question goes to whatever answers at that address: what is no Tryton is said to be none.
    strictly = {("health", status): (Misconfigured, Rejected) for status in ("409", "422")}
    # A wizard's session is put away; what happens to it changes nothing. Then Tryton is looked at again.
    tolerated = frozenset({("ensure_order-cancelled", 7), ("ensure_order-cancelled", 13)})
