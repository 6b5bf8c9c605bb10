"""Figures for Prometheus, read from the database when asked. Its cost follows what is open, not what was delivered.

Requests of the web are not counted here: docs/decisions/0022-metrics.md says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.db import connection
from django.db.models import Count
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from integrations.hub.health import alarms, flows
from integrations.hub.health.models import AlarmKind

ATTEMPTS_LOOKED_AT = 5000
MINUTES = 5

Source = Callable[[], Iterable[Metric]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Have these figures told as well. Few statements, whose cost does not grow with what is done."""
    if source not in _sources:
        _sources.append(source)


def exposition(accept: str) -> tuple[bytes, str]:
    """Body and content type, in the format the asker prefers."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


class _Figures(Collector):
    def describe(self) -> list[Metric]:
        """Nothing is asked of the database before somebody asks for it."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _flows()
        yield _attempts()
        yield _alarms()
        yield _pulses()
        for source in _sources:
            yield from source()


def _flows() -> Iterator[Metric]:
    rows = GaugeMetricFamily("weft_outgoing_rows", "Open work by state.", labels=["account", "topic", "state"])
    ages = GaugeMetricFamily("weft_flow_age_seconds", "How old the oldest is, or the last reading.",
                             labels=["account", "flow"])  # fmt: skip
    wanted = GaugeMetricFamily("weft_flow_objective_seconds", "How old it may get.", labels=["account", "flow"])
    up = GaugeMetricFamily("weft_account_up", "1: no problem, and not paused by staff.", labels=["account", "kind"])
    seen: set[int] = set()
    for flow in flows.measure():
        of = flow.account
        ages.add_metric([of.name, flow.name], flow.age)
        wanted.add_metric([of.name, flow.name], flow.objective)
        if not flow.is_read:
            for state, count in (("waiting", flow.waiting), ("failing", flow.failing), ("parked", flow.parked)):
                rows.add_metric([of.name, flow.name, state], count)
        if of.id not in seen:
            seen.add(of.id)
            up.add_metric([of.name, of.kind], float(of.state == "active" and not of.problem))
    yield from (rows, ages, wanted, up)


_ATTEMPTS = """
SELECT c.name, o.topic, t.outcome, count(*) FROM (
    SELECT outgoing_id, outcome, finished_at FROM hub_attempt ORDER BY id DESC LIMIT %s
) t JOIN hub_outgoing o ON o.id = t.outgoing_id JOIN hub_account c ON c.id = o.account_id
WHERE t.finished_at > clock_timestamp() - make_interval(mins => %s) GROUP BY 1, 2, 3
"""


def _attempts() -> Metric:
    """A gauge of the last minutes, not a counter: attempts are not counted for good anywhere, and are purged."""
    tried = GaugeMetricFamily(
        "weft_attempts_recent",
        f"Attempts that ended in the last {MINUTES} minutes (of the newest {ATTEMPTS_LOOKED_AT}).",
        labels=["account", "topic", "outcome"],
    )
    with connection.cursor() as cursor:
        cursor.execute(_ATTEMPTS, [ATTEMPTS_LOOKED_AT, MINUTES])
        for account, topic, outcome, count in cursor.fetchall():
            tried.add_metric([account, topic, outcome], count)
    return tried


def _alarms() -> Metric:
    standing = GaugeMetricFamily("weft_alarms_open", "Alarms that stand.", labels=["kind"])
    counted = dict(alarms.opened().order_by().values_list("kind").annotate(n=Count("pk")))
    for kind in AlarmKind.values:
        standing.add_metric([kind], counted.get(kind, 0))
    return standing


def _pulses() -> Metric:
    ages = GaugeMetricFamily("weft_workers_silent_seconds", "Since a cluster's last sign of life; +Inf: never.",
                             labels=["cluster"])  # fmt: skip
    for cluster, age in alarms.clusters().items():
        ages.add_metric([cluster], float("inf") if age is None else age)
    return ages
