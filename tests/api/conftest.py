"""A partner's program, its token, and requests as it makes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from shop.api.models import AccessToken, Client, Scope, digest
from tests import factories

SECRET = "a-secret-of-a-test"
WANTED: dict[str, Any] = {
    "lines": [{"sku": "CHAIR-1", "quantity": 2}],
    "ship_to": {
        "name": "张伟",
        "phone": "13800138000",
        "country": "CN",
        "region": "广东省",
        "city": "深圳市",
        "district": "南山区",
        "street": "科技路 1 号",
        "postcode": "518057",
    },
}


@dataclass
class Partner:
    """Speaks to the API over Django's own handler, with a token."""

    client: Client
    token: str
    browser: Browser = field(default_factory=lambda: Browser(raise_request_exception=False))

    def get(self, path: str, **params: Any) -> Any:
        return self.browser.get(f"/api/v1/{path}", params, headers=self.headers())

    def order(self, body: Any, key: str | None = "key-1", **headers: str) -> Any:
        named = {**self.headers(), **({"Idempotency-Key": key} if key is not None else {}), **headers}
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.browser.post("/api/v1/orders/", text, content_type="application/json", headers=named)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}


def api_client(code: str = "acme", **fields: Any) -> Client:
    fields.setdefault("scopes", Scope.values)
    return Client.objects.create(name=code, code=code, secret_digest=digest(SECRET), **fields)


def partner(code: str = "acme", *, token: str = "", seconds: float = 600, **fields: Any) -> Partner:
    client = Client.objects.filter(code=code).first() or api_client(code, **fields)
    token = token or f"token-of-{code}"
    AccessToken.objects.create(
        client=client,
        digest=digest(token),
        scopes=client.scopes,
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    return Partner(client, token)


@pytest.fixture
def acme() -> Partner:
    return partner()


@pytest.fixture
def chair() -> Callable[[], Any]:
    """A chair of 113.00 in stock, what tax and country it needs, and shipping."""
    factories.china()
    factories.tax_class("VAT9", "0.09")
    factories.stock("CHAIR-1", SZ=10)
    return factories.product("CHAIR-1")


def problem(response: Any, kind: str) -> dict[str, Any]:
    """The problem document of an answer, which must be of this kind."""
    assert response["Content-Type"] == "application/problem+json", response.content[:500]
    body = response.json()
    assert body["type"].endswith(f"#{kind}"), body
    assert body["status"] == response.status_code
    assert body["title"] and body["detail"] and body["advice"]
    return body
