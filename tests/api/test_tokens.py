"""Getting a token, and what is kept of it."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from shop import tasks
from shop.api.models import AccessToken, Scope, digest
from tests.api.conftest import SECRET, api_client, partner, problem

pytestmark = pytest.mark.django_db


def post(form: dict[str, str], headers: dict[str, str] | None = None) -> Any:
    browser = Browser(raise_request_exception=False)
    form_type = "application/x-www-form-urlencoded"
    return browser.post("/api/v1/token/", urlencode(form), content_type=form_type, headers=headers)


def ask(**form: str) -> Any:
    return post({"grant_type": "client_credentials", **form})


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def test_id_and_secret_give_a_token_that_works() -> None:
    client = api_client()
    answer = ask(client_id=client.client_id, client_secret=SECRET)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert token["scope"].split() == sorted(Scope.values)
    got = Browser().get("/api/v1/stock/", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert got.status_code == 200
    client.refresh_from_db()
    assert client.last_token_at is not None


def test_the_same_by_http_basic_with_fewer_scopes() -> None:
    client = api_client()
    form = {"grant_type": "client_credentials", "scope": "stock:read"}
    answer = post(form, basic(client.client_id, SECRET))
    assert answer.json()["scope"] == "stock:read"
    token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert Browser().get("/api/v1/stock/", headers=token).status_code == 200
    refused = Browser().get("/api/v1/orders/", headers={**token, "Accept-Language": "en"})
    assert "orders:read" in problem(refused, "not-permitted")["detail"]


def test_neither_secret_nor_token_is_kept() -> None:
    client = api_client()
    token = ask(client_id=client.client_id, client_secret=SECRET).json()["access_token"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(c)::text FROM api_client c UNION SELECT row_to_json(t)::text FROM api_accesstoken t"
        )
        kept = " ".join(row[0] for row in cursor.fetchall())
    assert token not in kept and SECRET not in kept
    assert digest(token) in kept


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "nul\0"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_what_is_refused(form: dict[str, str], status: int, error: str) -> None:
    client = api_client()
    answer = ask(**{"client_id": client.client_id, "client_secret": SECRET, **form})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /w==", "Bearer x"])
def test_broken_credentials_are_refused(header: str) -> None:
    form = {"grant_type": "client_credentials"}
    answer = post(form, {"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_two_ids_in_one_request_are_refused() -> None:
    client = api_client()
    form = {"grant_type": "client_credentials", "client_id": "somebody-else"}
    answer = post(form, basic(client.client_id, SECRET))
    assert answer.json()["error"] == "invalid_client"


def test_a_client_that_is_shut_out_gets_none_and_its_tokens_end_at_once() -> None:
    acme = partner()
    assert acme.get("stock/").status_code == 200
    acme.client.is_active = False
    acme.client.save()
    problem(acme.get("stock/"), "not-authenticated")
    assert ask(client_id=acme.client.client_id, client_secret=SECRET).json()["error"] == "invalid_client"


def test_a_right_that_is_taken_away_is_gone_from_tokens_too() -> None:
    acme = partner()
    acme.client.scopes = ["products:read"]
    acme.client.save()
    problem(acme.get("stock/"), "not-permitted")
    assert acme.get("products/").status_code == 200


def test_expired_tokens_are_refused_and_pruned() -> None:
    acme = partner(seconds=600)
    old = partner(token="old", seconds=-1)
    refused = old.get("stock/")
    problem(refused, "not-authenticated")
    assert refused["WWW-Authenticate"].startswith("Bearer")
    assert tasks.prune_tokens() == 1
    assert tasks.prune_tokens() == 0
    assert acme.get("stock/").status_code == 200
    assert AccessToken.objects.get().expires_at > timezone.now() + timedelta(seconds=500)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x y", "Token abc", "Bearer \u00ff", "Basic YTpi"])
def test_without_a_good_token_nothing_is_told(header: str) -> None:
    for path in ("products/", "stock/", "orders/", "products/CHAIR-1/", "orders/W1/"):
        answer = Browser().get(f"/api/v1/{path}", headers={"Authorization": header})
        assert answer.status_code == 401, path
        problem(answer, "not-authenticated")


def test_guessing_secrets_is_slowed_down() -> None:
    client = api_client()
    answers = [ask(client_id=client.client_id, client_secret=f"guess {n}") for n in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {401}
    problem(answers[30], "too-many-requests")
    assert int(answers[30]["Retry-After"]) > 0


def test_the_command_prints_a_secret_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_client", "Acme shop", scope=["stock:read"])
    lines = dict(line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.split("\n") if line)
    answer = ask(client_id=lines["CLIENT_ID"], client_secret=lines["CLIENT_SECRET"])
    assert answer.json()["scope"] == "stock:read"
    call_command("api_client", "Acme shop")
    assert ask(client_id=lines["CLIENT_ID"], client_secret=lines["CLIENT_SECRET"]).status_code == 401


def test_the_command_says_what_is_wrong_with_a_name() -> None:
    with pytest.raises(CommandError, match="\\S"):
        call_command("api_client", "纬")
