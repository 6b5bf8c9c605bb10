"""What workers run. Every task is idempotent and may run twice at once."""

from __future__ import annotations

import socket

from django.db.models.functions import Now

from integrations.hub import accounts
from integrations.hub.incoming import claims, heeding
from integrations.hub.keeping import purging, retention
from integrations.hub.models import Pulse
from integrations.hub.sending import drains, manual
from integrations.hub.workers import wakeups


def pulse(cluster: str) -> None:
    """A sign of life of this cluster's workers, on the database's clock."""
    sign = Pulse(cluster=cluster, beaten_at=Now(), host=socket.gethostname())
    Pulse.objects.bulk_create(
        [sign], update_conflicts=True, unique_fields=["cluster"], update_fields=["beaten_at", "host"]
    )


def drain(lane: int) -> int:
    """Send what is due in a lane; returns how many rows were settled."""
    return drains.drain(lane)


def hear(lane: int) -> int:
    """Heed what came in, in a lane; returns how many messages are done."""
    return heeding.hear(lane)


def sweep() -> None:
    """Wake the lanes in which something waits that no wake-up was left for."""
    wakeups.wake(drains.lanes_due())


def sweep_incoming() -> None:
    """The same for what came in."""
    wakeups.wake_hearing(claims.lanes_due())


def check_accounts() -> None:
    """Look whether accounts that are starting, or were not looked at for long, can be worked with."""
    accounts.check_due()


def purge() -> int:
    """Forget what was sent and what came in once nobody needs it any more; returns how many rows."""
    return retention.purge() + purging.purge()


def confirm() -> int:
    """Ask remotes about what people say they did by hand."""
    return manual.confirm()
