"""The bad line itself: each fault is what it says, the seed draws which comes, healed it is a line again."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.databases import database_url
from tests.faults.postgres import PostgresProxy
from tests.faults.proxy import Does, Fault, HttpProxy, Plan, answers
from tests.hub.remote import Remote

BIG = {"value": "x" * 2000}


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    made = Remote(journal=tmp_path / "journal.jsonl", dedupes=False)
    server = made.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def line(remote: Remote) -> Iterator[HttpProxy]:
    with HttpProxy(remote.port, seed=3) as made:
        yield made  # type: ignore[misc]


def call(line: HttpProxy, path: str = "/errands/a", timeout: float = 5) -> tuple[int, bytes, dict[str, str]]:
    calling = http.client.HTTPConnection("127.0.0.1", line.port, timeout=timeout)
    try:
        calling.request("POST", path, body=json.dumps(BIG))
        answer = calling.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        calling.close()


def test_a_healed_line_carries_what_is_sent_and_said(line: HttpProxy, remote: Remote) -> None:
    line.always(Fault(Does.DROP))
    line.heal()
    status, body, _ = call(line)
    assert (status, json.loads(body)) == (200, {"number": "R-a"})
    assert [(entry["path"], entry["body"], entry["effect"]) for entry in remote.lines()] == [("/errands/a", BIG, True)]


@pytest.mark.parametrize(
    ("does", "done"),
    [(Does.DROP, 0), (Does.HOLE, 0), (Does.LOSE, 1), (Does.RESET, 1)],
)
def test_without_an_answer_it_was_done_or_not(line: HttpProxy, remote: Remote, does: Does, done: int) -> None:
    line.next(Fault(does))
    with pytest.raises((OSError, http.client.HTTPException)):
        call(line, timeout=0.5)
    assert remote.effects()["a"] == done
    assert line.hit == [("POST /errands/a", Fault(does))]
    assert call(line)[0] == 200


def test_an_answer_that_ends_in_the_middle(line: HttpProxy) -> None:
    line.next(Fault(Does.HALF_CLOSE))
    with pytest.raises(http.client.IncompleteRead):
        call(line)


def test_a_byte_that_is_another_one(line: HttpProxy) -> None:
    line.next(Fault(Does.CORRUPT))
    _, body, _ = call(line)
    right = b'{"number": "R-a"}'
    assert len(body) == len(right) and sum(a != b for a, b in zip(body, right, strict=True)) == 1


def test_a_request_that_is_carried_twice(line: HttpProxy, remote: Remote) -> None:
    line.next(Fault(Does.TWICE))
    assert call(line)[0] == 200
    assert remote.effects()["a"] == 2


def test_the_proxys_own_answer(line: HttpProxy, remote: Remote) -> None:
    line.next(answers(503, retry_after="7"))
    status, _, headers = call(line)
    assert (status, headers["Retry-After"], remote.lines()) == (503, "7", [])


def test_late_and_slow(line: HttpProxy) -> None:
    line.next(Fault(Does.DELAY, seconds=0.3), Fault(Does.SLOW, rate=400))
    for _ in range(2):
        started = time.monotonic()
        assert call(line)[0] == 200
        assert time.monotonic() - started >= 0.3


def test_what_is_drawn_comes_from_the_seed() -> None:
    def drawn(seed: int) -> list[str]:
        plan = Plan(seed, rate=0.3, some=(answers(500), answers(429), Fault(Does.LOSE)))
        return [str(plan.draw()) for _ in range(200)]

    assert drawn(5) == drawn(5) != drawn(6)
    assert 30 < sum(one != "None" for one in drawn(5)) < 90


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture
def postgres(db: None) -> Iterator[PostgresProxy]:
    with PostgresProxy(int(connection.settings_dict["PORT"])) as made:
        yield made  # type: ignore[misc]


def through(proxy: PostgresProxy) -> psycopg.Connection[tuple[object, ...]]:
    port = connection.settings_dict["PORT"]
    return psycopg.connect(database_url().replace(f":{port}/", f":{proxy.port}/"), connect_timeout=5)


def test_a_commit_whose_answer_is_lost_is_in(postgres: PostgresProxy) -> None:
    with through(postgres) as other:
        other.execute("CREATE TABLE IF NOT EXISTS fault_commits (name text)")
        other.commit()
        other.execute("INSERT INTO fault_commits VALUES ('lost'), ('lost')")
        postgres.lose_commits(1)
        with pytest.raises(psycopg.OperationalError):
            other.commit()
    assert postgres.lost == 1
    with through(postgres) as look:
        assert look.execute("SELECT count(*) FROM fault_commits").fetchone() == (2,)
        look.execute("DROP TABLE fault_commits")


def test_open_connections_can_be_cut_and_new_ones_refused(postgres: PostgresProxy) -> None:
    with through(postgres) as other:
        assert other.execute("SELECT 1").fetchone() == (1,)
        assert postgres.cut_all() == 1
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
    postgres.refuse()
    with pytest.raises(psycopg.OperationalError, match="too many clients"):
        through(postgres)
    postgres.heal()
    with through(postgres) as again:
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_every_message_can_come_late(postgres: PostgresProxy) -> None:
    with through(postgres) as other:
        postgres.slow_down(0.2)
        started = time.monotonic()
        other.execute("SELECT 1")
        assert time.monotonic() - started >= 0.2


def test_nothing_is_left_listening() -> None:
    with HttpProxy(9) as made:
        port = made.port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
