"""The workers as processes: `manage.py supervise` under a watchdog of ours, its clusters found by parent and group."""

from __future__ import annotations

from tests import processes


def supervisors(watchdog: int) -> list[int]:
    """The one supervisor under our watchdog; none when it is dead."""
    return processes.children(watchdog)


def clusters(watchdog: int) -> dict[str, int]:
    """The process groups of the clusters by name; each stands under a watchdog of the supervisor's."""
    watchdogs = [dog for supervisor in supervisors(watchdog) for dog in processes.children(supervisor)]
    leaders = [leader for dog in watchdogs for leader in processes.children(dog)]
    return {name: pid for pid in leaders if (name := processes.variable(pid, "Q_CLUSTER_NAME"))}


def at_work(watchdog: int, cluster: str) -> bool:
    """Its leader, its guard, a worker, the pusher and the monitor live."""
    group = clusters(watchdog).get(cluster)
    return group is not None and len(processes.members([group])) >= 5
