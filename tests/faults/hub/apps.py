"""The small business in a worker's process. Leases are as short as WEFT_SWARM_LEASE says, so that a run sees them end:
what a delivery may take is shortened with them, and the sweep comes more often."""

from __future__ import annotations

import os

from django.apps import AppConfig

LEASE = "WEFT_SWARM_LEASE"


class FaultsConfig(AppConfig):
    name = "tests.faults.hub"
    label = "faults"

    def ready(self) -> None:
        from integrations.hub import registry
        from integrations.hub.sending import claims
        from integrations.hub.workers import beats
        from tests.faults.hub import business
        from tests.hub import probe
        from tests.hub.probe import Probe

        registry.connectors()[Probe.kind, Probe.name] = Probe
        probe.register()
        business.register()
        beats.register("hub.sweep", seconds=1, task="integrations.hub.tasks.sweep", work=claims.due)
        if lease := os.environ.get(LEASE):
            shorten(float(lease))


def shorten(lease: float) -> None:
    """The same rules with other numbers: a delivery takes less than its lease, and workers whose lanes stand still are
    restarted after a few leases."""
    from integrations.hub import registry
    from integrations.hub.sending import claims, plans
    from integrations.hub.workers import supervisor

    supervisor.STALL_SECONDS = int(lease * 3)
    supervisor.ASK_SECONDS = 1.0
    claims.LEASE_SECONDS = plans.LEASE_SECONDS = lease  # type: ignore[assignment]
    registry.connect.__kwdefaults__["budget"] = lease * 2 / 3  # type: ignore[index]
