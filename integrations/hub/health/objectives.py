"""How old a flow may get: what the code declares, unless staff set something else for one account."""

from __future__ import annotations

from integrations.hub.health.models import Objective
from integrations.hub.models import Account

SHORTEST, LONGEST = 10, 7 * 86400


def change(account: Account, flow: str, seconds: int | None, *, by: str) -> None:
    """Set it, or with None go back to what the code declares."""
    if seconds is None:
        Objective.objects.filter(account=account, flow=flow).delete()
    else:
        Objective.objects.update_or_create(account=account, flow=flow, defaults={"seconds": seconds, "set_by": by})
