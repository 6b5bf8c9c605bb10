"""D17: every task, run twice and run twice at once, leaves what one run leaves: in every table and at every remote.

A beat, or a task that is queued anywhere, without a case here fails the suite.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils.module_loading import import_string

from integrations.hub import registry
from integrations.hub.clock import now
from integrations.hub.values import Lane
from integrations.hub.workers import beats
from shop import invariants
from tests.channels.conftest import KEY
from tests.faults.hub import business, crowd, databases
from tests.faults.hub.crowd import Outside, PaperErp
from tests.hub import probe
from tests.hub.probe import Probe
from tests.hub.remote import Remote
from tests.payments.till import Till
from tests.threads import at_once

# dotted name -> the arguments it is queued with; what it must have changed in one run, or the case would prove nothing
CASES: dict[str, list[tuple[tuple[Any, ...], str]]] = {
    "integrations.hub.tasks.pulse": [(("weft",), "")],  # a sign of life, which is bookkeeping
    "integrations.hub.tasks.drain": [((int(lane),), "hub_outgoing") for lane in Lane],
    "integrations.hub.tasks.sweep": [((), "")],
    "integrations.hub.tasks.sweep_incoming": [((), "")],  # wake-ups, which are bookkeeping
    "integrations.hub.tasks.check_accounts": [((), "hub_account")],
    "integrations.hub.tasks.hear": [((int(Lane.MONEY),), "hub_incominghint")],
    "integrations.hub.tasks.purge": [((), "hub_attempt")],
    "integrations.hub.tasks.confirm": [((), "hub_outgoing")],
    "integrations.hub.health.tasks.look": [((), "hub_alarm")],
    "shop.tasks.expire_overdue": [((), "order_order")],
    "shop.tasks.finish_cancellations": [((), "order_order")],
    "shop.tasks.fill_waiting": [((), "stock_waiting")],
    "shop.tasks.prune_tokens": [((), "api_accesstoken")],
    "shop.channels.tasks.poll": [((), "order_order")],
    "shop.channels.tasks.poll_by_date": [((), "order_order")],
    "shop.channels.tasks.rebalance": [((), "hub_outgoing")],
    "shop.channels.tasks.count_demand": [((), "stock_demand")],
    "shop.payments.tasks.look": [((), "payments_entry")],
    "shop.payments.tasks.close_overdue": [((), "payments_attempt")],
    "shop.payments.tasks.advance": [((), "order_order")],
    "shop.payments.tasks.recheck": [((), "payments_stray")],
    "erp.tasks.poll": [((), "fulfilment_parcel")],
    "erp.tasks.ensure_missing": [((), "hub_outgoing")],
}
FLOORS = ("integrations", "shop", "erp")
ROOT = Path(django_settings.BASE_DIR)


def test_every_task_has_a_case() -> None:
    """Beats; whatever text in the code names a function of a `tasks` module; every public function of these modules."""
    known = {beat.task for beat in beats.registered() if not beat.name.startswith("test.")}
    for path in (path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")):
        known |= set(_named(path))
    assert known - CASES.keys() == set(), "tasks without a case in CASES"
    assert CASES.keys() - known == set(), "cases of tasks that are gone"
    assert all(callable(import_string(name)) for name in CASES)


def _named(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name == "tasks.py":
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield from (f"{module}.{n.name}" for n in tree.body if isinstance(n, ast.FunctionDef) if n.name[0] != "_")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] in ("queue", "async_task"):
            yield from _first(node, path)


def _first(call: ast.Call, path: Path) -> Iterator[str]:
    """The task of a call that queues one: a text, or the name of one. A beat's own name is among the beats."""
    match call.args[0]:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name != "task":
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            yield getattr(module, name)


@dataclass
class Stage:
    """The prepared database, the remotes, and what one run of each case came to."""

    database: str
    outside: Outside
    since: datetime
    before: dict[str, list[str]]
    broken: set[str]  # I7: an order whose row for the ERP is missing, so that a task finds it

    def after(self, run: Callable[[], object], name: str) -> tuple[dict[str, list[str]], dict[str, Any]]:
        """What is everywhere after `run` on a copy."""
        with databases.copy_of(self.database, f"{self.database}_{name}"):
            self.outside.again()
            run()
            connection.close()
            assert _broken() <= self.broken
            return databases.contents(self.since), self.outside.journals()


def _broken() -> set[str]:
    return {f"{row.invariant} {row.subject}" for each in invariants.registered() for row in invariants.broken(each)}


@pytest.fixture(scope="module")
def stage(
    django_db_setup: None, django_db_blocker: Any, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("twice")
    patch = pytest.MonkeyPatch()
    remote = Remote(dedupes=False)
    server = remote.start()
    market = crowd.a_market(folder, KEY)
    threading.Thread(target=market.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    hosts = frozenset({f"127.0.0.1:{remote.port}", f"127.0.0.1:{market.server_port}"})
    patch.setattr(django_settings, "WEFT_PRIVATE_HOSTS", hosts, raising=False)
    for connector in (Probe, PaperErp, Till):
        patch.setitem(registry.connectors(), (connector.kind, connector.name), connector)
    probe.register()
    business.register()
    outside = Outside(market, remote, folder)
    name = f"fault_crowd_{worker_id}"
    with django_db_blocker.unblock(), databases.copy_of(django_settings.DATABASES["default"]["NAME"], name):
        with patch.context():
            crowd.company(outside, patch)
        outside.keep()
        since = now()
        stage = Stage(name, outside, since, databases.contents(since), _broken())
        connection.close()
        yield stage
    patch.undo()
    for each in (server, market):
        each.shutdown()
        each.server_close()


ALL = [
    pytest.param(name, args, seen, id=f"{name}{args or ''}") for name, cases in CASES.items() for args, seen in cases
]


@pytest.mark.xdist_group("twice")
@pytest.mark.parametrize(("name", "args", "seen"), ALL)
def test_twice_is_once(stage: Stage, name: str, args: tuple[Any, ...], seen: str) -> None:
    task = import_string(name)

    def twice() -> None:
        task(*args)
        task(*args)

    def at_the_same_time() -> None:
        wrong = [r for r in at_once(lambda _: task(*args), 2) if isinstance(r, Exception)]
        assert wrong == []

    rows, told = stage.after(lambda: task(*args), "once")
    if seen:
        assert rows[seen] != stage.before[seen], "there was nothing for it to do"
    for how, run in (("twice", twice), ("at_once", at_the_same_time)):
        other_rows, other_told = stage.after(run, how)
        assert other_told == told, how
        assert _differences(rows, other_rows) == {}, how


def _differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, Any]:
    return {
        table: {
            "missing": [r for r in rows if r not in other[table]],
            "more": [r for r in other[table] if r not in rows],
        }
        for table, rows in one.items()
        if rows != other[table]
    }


def test_the_comparison_sees_a_task_that_is_not_idempotent(stage: Stage) -> None:
    """Planted: a task that adds a unit each time it runs."""

    def more() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE fault_thing SET version = version + 1")

    once, _ = stage.after(more, "once")
    twice, _ = stage.after(lambda: (more(), more()), "twice")
    assert set(_differences(once, twice)) == {"fault_thing"}
