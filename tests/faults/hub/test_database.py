"""F6, F7: PostgreSQL behind a bad line. The shop says 503 and when to come back; an unknown commit has one effect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.db import DatabaseError, connection, connections

from integrations.hub.models import Account, Outgoing
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from runtime.demo import first_page
from runtime.ports import LOOPBACK, any_free_port
from runtime.processes import Child, Command
from shop.order.models import Order
from shop.stock.models import Hold
from tests.api.conftest import WANTED, Partner, chair, partner
from tests.databases import database_url
from tests.faults.ground import ROOT
from tests.faults.hub import business
from tests.faults.hub.conftest import pass_time
from tests.faults.postgres import PostgresProxy
from tests.hub.remote import Remote
from tests.processes import wait_until

__all__ = ["chair"]
pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS_WITHIN = 45  # seconds, on a machine that has other things to do: longer is hanging


@pytest.fixture
def postgres() -> Iterator[PostgresProxy]:
    with PostgresProxy(int(connection.settings_dict["PORT"]), seed=7) as made:
        yield made  # type: ignore[misc]


def through(proxy: PostgresProxy) -> str:
    return database_url().replace(f":{connection.settings_dict['PORT']}/", f":{proxy.port}/")


@dataclass
class Web:
    """The shop under gunicorn, whose database stands behind the line."""

    port: int

    def get(self, path: str = "/") -> requests.Response:
        return requests.get(f"http://{LOOPBACK}:{self.port}{path}", timeout=ANSWERS_WITHIN, allow_redirects=False)

    def order(self, who: Partner, key: str) -> requests.Response:
        return requests.post(
            f"http://{LOOPBACK}:{self.port}/api/v1/orders/", data=json.dumps(WANTED), timeout=ANSWERS_WITHIN,
            headers={**who.headers(), "Idempotency-Key": key, "Content-Type": "application/json"},
        )  # fmt: skip


@pytest.fixture
def web(postgres: PostgresProxy, tmp_path: Path) -> Iterator[Web]:
    port = any_free_port()
    argv = [sys.executable, "-m", "gunicorn", "shop.wsgi:application", "--bind", f"{LOOPBACK}:{port}"]
    argv += ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings", "DATABASE_URL": through(postgres)}
    environment.pop("WEFT_DB_LOCK_SECONDS", None)  # as in production
    child = Child(Command(name="web", argv=argv, log=tmp_path / "web.log", env=environment, cwd=ROOT, grace=5.0))
    try:
        wait_until(lambda: first_page(f"http://{LOOPBACK}:{port}/") == "200", 90, "the shop answered")
        yield Web(port)
    finally:
        postgres.heal()
        child.stop()


def is_good_503(answer: requests.Response) -> bool:
    return answer.status_code == 503 and answer.headers["Retry-After"] == "5"


# --- F6 --------------------------------------------------------------------------------------------------------------


def test_without_the_database_the_shop_says_when_to_come_back(web: Web, postgres: PostgresProxy) -> None:
    """Connections cut, then as many as the server takes: pages and programs are told 503, and all is well after it."""
    postgres.refuse()
    postgres.cut_all()
    page, program = web.get(), web.get("/api/v1/products/")
    assert is_good_503(page) and "Please try again in a few seconds" in page.text
    assert is_good_503(program) or program.status_code == 401
    if program.status_code == 503:
        assert program.json()["type"].endswith("#unavailable")
    postgres.heal()
    assert web.get().status_code == 200


def test_connections_cut_under_load_are_never_a_crash_page(web: Web, postgres: PostgresProxy) -> None:
    answers: list[requests.Response] = []
    stop = threading.Event()

    def visit() -> None:
        while not stop.is_set():
            answers.append(web.get("/products/"))

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for each in visitors:
        each.start()
    for _ in range(10):
        time.sleep(0.2)
        postgres.cut_all()
    stop.set()
    for each in visitors:
        each.join(ANSWERS_WITHIN)
        assert not each.is_alive(), "a request hangs"
    assert all(answer.status_code in (200, 301, 302, 404) or is_good_503(answer) for answer in answers)
    assert web.get().status_code == 200


def test_half_a_second_for_every_message_is_slow_and_no_more(web: Web, postgres: PostgresProxy) -> None:
    postgres.slow_down(0.5)
    answer = web.get()
    assert answer.status_code == 200 or is_good_503(answer)
    postgres.heal()
    assert web.get().status_code == 200


def test_a_lock_that_somebody_holds_is_waited_for_three_seconds(web: Web) -> None:
    with psycopg.connect(database_url()) as other:
        other.execute("LOCK TABLE catalogue_product IN ACCESS EXCLUSIVE MODE")
        answer = web.get("/products/")
        assert is_good_503(answer), answer.status_code
    assert web.get().status_code == 200


def test_the_limits_stand_in_every_connection_but_a_commands() -> None:
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with connection.cursor() as cursor:
        shown = [cursor.execute(f"SHOW {name}").fetchone()[0] for name in limits]
    assert shown == ["15s", f"{os.environ.get('WEFT_DB_LOCK_SECONDS', 3)}s", "30s"]
    ask = "from django.db import connection as c; x = c.cursor(); print([x.execute(f'SHOW {n}').fetchone()[0] for n in "
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", f"{ask}{limits!r}])"],
        env={**os.environ, "DATABASE_URL": database_url()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "['0', '0', '0']", done.stderr


# --- F7 --------------------------------------------------------------------------------------------------------------


def test_an_order_whose_commit_was_not_answered_is_one_order(web: Web, postgres: PostgresProxy, chair: Any) -> None:
    """The client is told 503, asks again with the same key, and is told of the order that is in."""
    acme = partner()
    postgres.lose_commits(1)
    first = web.order(acme, "key-1")
    assert is_good_503(first), (first.status_code, first.text)
    assert postgres.lost == 1 and Order.objects.count() == 1, "it is in, and nobody was told"
    again = web.order(acme, "key-1")
    assert again.status_code in (200, 201), again.text
    assert again.json()["number"] == Order.objects.get().number
    assert [hold.quantity for hold in Hold.objects.all()] == [2]
    assert Outgoing.objects.values("account", "topic", "key").distinct().count() == Outgoing.objects.count()


@pytest.fixture
def behind(postgres: PostgresProxy) -> Iterator[PostgresProxy]:
    """Our own connection goes through the line, too."""
    default = connections["default"]
    right = default.settings_dict["PORT"]
    default.close()
    default.settings_dict["PORT"] = postgres.port
    try:
        yield postgres
    finally:
        postgres.heal()
        default.close()
        default.settings_dict["PORT"] = right


@pytest.mark.parametrize("topic", ["fault.look", "fault.safe", "fault.never", "fault.thing"])
@pytest.mark.parametrize("passing", range(4))
def test_whichever_commit_of_a_delivery_is_not_answered_it_is_one_effect(
    account: Account, remote: Remote, behind: PostgresProxy, settings: Any, passing: int, topic: str
) -> None:
    """The claim's, the attempt's, the settlement's: the worker is told nothing, and whoever comes next finds out."""
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    remote.dedupes = topic == "fault.safe"
    business.found()
    business.register()
    lane = Lane.CATALOGUE if topic == "fault.thing" else Lane.MONEY
    if topic == "fault.thing":
        business.change(["a"])
    else:
        business.order(topic, account, ["a"])
    behind.lose_commits(1, passing=passing)
    for _ in range(5):
        with suppress(DatabaseError):
            drains.drain(lane)
        connection.close()
        pass_time(3600)
    after = Outgoing.objects.get()
    if topic == "fault.never" and after.is_open:
        assert after.is_unknown and after.parked_at and remote.errands["a"] <= 1
    elif topic == "fault.thing":
        assert not after.is_open and remote.things == {"a": {"version": 1}}
    else:
        assert not after.is_open and remote.errands == {"a": 1}
        assert list(business.news().values()) == [1]


def test_a_wish_whose_commit_was_not_answered_is_wished_once_more_and_is_one_command(
    account: Account, remote: Remote, behind: PostgresProxy
) -> None:
    business.found()
    business.register()
    behind.lose_commits(1)
    with pytest.raises(DatabaseError):
        business.order("fault.look", account, ["refund"])
    connection.close()
    business.order("fault.look", account, ["refund"])
    assert Outgoing.objects.get().wanted == 1
    assert drains.drain(Lane.MONEY) == 1
    assert remote.errands == {"refund": 1}
