"""What machines ask: does it live, can it serve, and the figures for Prometheus."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from integrations.hub import outgoing
from integrations.hub.health import alarms, probes
from integrations.hub.models import Account, Attempt, Cursor, Outgoing, Pulse
from runtime.ports import any_free_port
from tests import factories
from tests.health.conftest import wait
from tests.hub.conftest import send_due
from tests.hub.remote import Remote
from tests.statements import counted, same

TOKEN = "a-token-for-tests"


@pytest.fixture
def production(settings: Any) -> Client:
    """As a probe comes: by address, over plain HTTP, to a shop that wants TLS and its own name."""
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["shop.weft.test"]
    return Client(headers={"host": "10.0.0.7:8000"})


def test_it_lives_without_a_database(production: Client, settings: Any) -> None:
    """No `db` fixture: any statement would fail the test."""
    answer = production.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.cookies


@pytest.mark.django_db(transaction=True)
def test_it_is_ready_and_says_which_workers_are_silent(production: Client) -> None:
    Pulse.objects.create(cluster="weft")
    Pulse.objects.create(cluster="weft-urgent", beaten_at=timezone.now() - timedelta(seconds=300))
    answer = production.get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert told["ready"] and told["reasons"] == []
    (warning,) = told["warnings"]
    assert warning.startswith("workers: weft-urgent gave no sign of life for 30")
    strict = production.get("/readyz?workers")
    assert strict.status_code == 503 and strict.json()["reasons"] == [warning]


@pytest.mark.django_db(transaction=True)
def test_workers_that_never_were_are_told(production: Client) -> None:
    answer = production.get("/readyz")
    assert answer.status_code == 200 and len(answer.json()["warnings"]) == 2


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_missing(production: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'hub' AND name = '0008_health'")
    try:
        answer = production.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["migrations: 1 not applied, first hub.0008_health"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('hub', '0008_health', now())")


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_hangs_is_no_readiness(production: Client) -> None:
    """Somebody has locked the table; the probe gives up, and soon."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        try:
            answer = production.get("/readyz")
        finally:
            cursor.execute("ROLLBACK")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database: it does not answer"]


def test_a_database_that_is_gone_and_no_secret_is_told(production: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    way = {**probes._way(), "port": any_free_port(), "password": "a-password"}
    monkeypatch.setattr(probes, "_way", lambda: way)
    answer = production.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["database: it does not answer"], "warnings": []}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_looking_is_answered(production: Client, settings: Any, path: str) -> None:
    settings.WEFT_METRICS_TOKEN = TOKEN
    assert production.post(path).status_code == 405


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_without_a_token_there_are_no_figures(client: Client, settings: Any) -> None:
    settings.WEFT_METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ä"])
def test_the_token_must_be_the_right_one(client: Client, settings: Any, shown: str) -> None:
    settings.WEFT_METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"authorization": shown})
    assert answer.status_code == 401 and "weft_" not in answer.content.decode()


def figures(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.mark.django_db
def test_the_figures(client: Client, settings: Any, account: Account, remote: Remote) -> None:
    settings.WEFT_METRICS_TOKEN = TOKEN
    remote.misbehave("/things/a", "503")
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a", "b", "c"])
    Outgoing.objects.filter(key="c").update(parked_at=timezone.now())
    wait(400)
    send_due(account)
    Pulse.objects.create(cluster="weft", beaten_at=timezone.now() - timedelta(seconds=20))
    alarms.look()
    found = figures(client)

    def of(name: str, **labels: str) -> float | None:
        return found.get((name, frozenset(labels.items())))

    row = {"account": account.name, "topic": "test.thing"}
    assert of("weft_outgoing_rows", **row, state="waiting") == 1
    assert of("weft_outgoing_rows", **row, state="failing") == 1
    assert of("weft_outgoing_rows", **row, state="parked") == 1
    assert of("weft_attempts_recent", **row, outcome="done") == 1
    assert of("weft_attempts_recent", **row, outcome="TryAgain") == 1
    assert of("weft_flow_age_seconds", account=account.name, flow="test.thing") == pytest.approx(400, abs=10)
    assert of("weft_flow_objective_seconds", account=account.name, flow="test.thing") == 300
    assert of("weft_account_up", account=account.name, kind="probe") == 1
    assert of("weft_alarms_open", kind="late") == 1 and of("weft_alarms_open", kind="silent") == 0
    assert of("weft_workers_silent_seconds", cluster="weft") == pytest.approx(20, abs=5)
    assert of("weft_workers_silent_seconds", cluster="weft-urgent") == float("inf")


@pytest.mark.django_db(transaction=True)
def test_figures_cost_the_same_with_many_accounts(client: Client, settings: Any, account: Account) -> None:
    settings.WEFT_METRICS_TOKEN = TOKEN
    figures(client)
    with counted("one account") as few:
        figures(client)
    for _ in range(20):
        other = factories.account("probe", "probe")
        Cursor.objects.create(account=other, name="news")
        row = Outgoing.objects.create(account=other, topic="t", key="k", subject="x", lane=1)
        Attempt.objects.create(outgoing=row, lease_token="0" * 32, revision=1, outcome="done",
                               finished_at=timezone.now())  # fmt: skip
    with counted("twenty more") as many:
        assert len(figures(client)) > 100
    same(few, many)
    assert len(many) <= 4


@pytest.mark.django_db
def test_the_doctor_names_flows_that_are_late(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
    wait(400)
    with pytest.raises(SystemExit):
        call_command("doctor", "--only", "flows", "--only", "alarms", "--language", "en", "--json")
    found = json.loads(capsys.readouterr().out)["findings"]
    late = next(one for one in found if one["id"] == "flows")
    assert late["level"] == "todo" and "test.thing waits for" in late["what"]
    assert next(one for one in found if one["id"] == "alarms")["level"] == "note"
