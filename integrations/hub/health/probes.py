"""What machines ask: `/healthz` (does this process live?), `/readyz` (can it serve?) and `/metrics`.

Answered before everything else: a probe comes by address and without TLS, and needs no session. Nothing secret is in
the answers; `/metrics` wants its token all the same, as it names accounts and how much is sold.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from integrations.hub.symptoms import SILENT

SECONDS = 2  # for the connection, and for each statement
Answer = Callable[[HttpRequest], HttpResponse]


class Probes:
    """The first middleware. An address that is not offered here is anybody else's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = _ANSWERS.get(request.path_info)
        if answer is None or (answer is metrics and not settings.WEFT_METRICS_TOKEN):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. The database is not asked: restarting us would not mend it."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 where pages can be served, else 503 with the reasons.

    Silent workers are told, and are no reason: the shop sells without them. `/readyz?workers` makes them one.
    """
    reasons, warnings = _look()
    if "workers" in request.GET:
        reasons, warnings = reasons + warnings, []
    told = {"ready": not reasons, "reasons": reasons, "warnings": warnings}
    return JsonResponse(told, status=503 if reasons else 200)


def _look() -> tuple[list[str], list[str]]:
    """Reasons and warnings. By a connection of its own: could one be had now, and does it answer in time?"""
    try:
        with psycopg.connect(**_way()) as fresh:
            applied = set(fresh.execute("SELECT app, name FROM django_migrations").fetchall())
            beaten = fresh.execute(
                "SELECT cluster, extract(epoch FROM clock_timestamp() - beaten_at)::float8 FROM hub_pulse"
            ).fetchall()
    except psycopg.errors.UndefinedTable:
        return ["migrations: the tables are missing"], []
    except psycopg.Error:
        return ["database: it does not answer"], []
    missing = sorted(f"{app}.{name}" for app, name in needed() - applied)
    reasons = [f"migrations: {len(missing)} not applied, first {missing[0]}"] if missing else []
    return reasons, list(_silent(dict(beaten)))


def _way() -> dict[str, Any]:
    wanted = connection.get_connection_params()
    kept = {name: wanted[name] for name in wanted if name not in ("cursor_factory", "context", "prepare_threshold")}
    limit = f"{kept.get('options', '')} -c statement_timeout={SECONDS * 1000}".strip()
    return {**kept, "connect_timeout": SECONDS, "options": limit, "autocommit": True}


@cache
def needed() -> set[tuple[str, str]]:
    """The migrations this code wants, read from its files once. What a squashed one replaces counts for it."""
    return {key for key, migration in MigrationLoader(None).disk_migrations.items() if not migration.replaces}


def _silent(beaten: dict[str, float]) -> Iterator[str]:
    for cluster in (settings.Q_CLUSTER["name"], settings.WEFT_URGENT_CLUSTER):
        age = beaten.get(cluster)
        if age is None:
            yield f"workers: {cluster} never gave a sign of life"
        elif age > SILENT.total_seconds():
            yield f"workers: {cluster} gave no sign of life for {int(age)} s"


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures for Prometheus, to whoever shows the token."""
    from integrations.hub.health import metrics as figures

    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    known = secrets.compare_digest(token.strip().encode(), settings.WEFT_METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not known:
        refused = HttpResponse("unauthorized\n", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refused
    try:
        body, kind = figures.exposition(request.headers.get("accept", ""))
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse(body, content_type=kind)


_ANSWERS: dict[str, Answer] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
