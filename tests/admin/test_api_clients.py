"""API clients in the admin."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shop.api.models import AccessToken, Client, digest
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said
from tests.api.conftest import SECRET, api_client, partner

pytestmark = pytest.mark.django_db


def test_a_client_is_made_and_its_secret_is_shown_once(login: Login) -> None:
    staff = login("integrations")
    form = {"name": "Acme", "code": "acme", "contact": "it@acme.test", "scopes": ["stock:read"], "is_active": "on"}
    assert staff.post(reverse("admin:api_client_add"), form).status_code == 302
    client = Client.objects.get()
    url = action("api_client", "new_secret", client.pk)
    assert staff.get(url).status_code == 200
    page = staff.post(url)
    secret = re.search(r"<code>([\w-]{43})</code>", page.content.decode())
    assert secret is not None and "no-store" in page["Cache-Control"]
    client.refresh_from_db()
    assert client.secret_digest == digest(secret[1])
    shown = staff.get(reverse("admin:api_client_change", args=[client.pk])).content.decode()
    assert secret[1] not in shown and client.secret_digest not in shown and client.client_id in shown


@pytest.mark.parametrize("group", ["auditor", "sales", ""])
def test_others_get_no_secret(login: Login, group: str) -> None:
    client = api_client()
    answer = login(group).post(action("api_client", "new_secret", client.pk))
    assert answer.status_code == 403
    client.refresh_from_db()
    assert client.secret_digest == digest(SECRET)


def test_a_new_secret_ends_the_old_one_and_its_tokens(login: Login) -> None:
    acme = partner()
    login("integrations").post(action("api_client", "new_secret", acme.client.pk))
    acme.client.refresh_from_db()
    assert acme.client.secret_digest != digest(SECRET)
    assert not AccessToken.objects.exists()


def test_tokens_are_ended(login: Login) -> None:
    acme = partner()
    answer = login("integrations").post(action("api_client", "end_tokens", acme.client.pk))
    assert "1" in said(answer)
    assert acme.get("stock/").status_code == 401


@pytest.mark.parametrize(
    "wrong", [{"code": "Acme Shop"}, {"code": ""}, {"scopes": ["everything"]}, {"scopes": []}, {"contact": "nobody"}]
)
def test_what_makes_no_sense_is_refused(login: Login, wrong: dict[str, object]) -> None:
    form = {"name": "Acme", "code": "acme", "scopes": ["stock:read"], "is_active": "on", **wrong}
    assert login("integrations").post(reverse("admin:api_client_add"), form).status_code == 200
    assert not Client.objects.exists()


def test_a_code_never_changes(login: Login) -> None:
    client = api_client()
    form = {"name": "Acme", "code": "other", "scopes": ["stock:read"], "is_active": "on"}
    login("integrations").post(reverse("admin:api_client_change", args=[client.pk]), form)
    client.refresh_from_db()
    assert (client.name, client.code) == ("Acme", "acme")


def test_its_orders_are_a_click_away(login: Login) -> None:
    acme = api_client()
    factories.stock("CHAIR-1", SZ=10)
    mine = factories.order({"CHAIR-1": 1}, source_account=acme.source)
    other = factories.order({"CHAIR-1": 1})
    staff = login("integrations")
    link = re.search(
        r'href="([^"]+source_account[^"]+)"', staff.get(reverse("admin:api_client_changelist")).content.decode()
    )
    assert link is not None
    page = staff.get(link[1].replace("&amp;", "&"))
    assert page.status_code == 200
    assert mine.number in page.content.decode() and other.number not in page.content.decode()
