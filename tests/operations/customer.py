"""Somebody outside: reaches the shop by its name over TLS, which a proxy ends. Here an adapter is that proxy."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from erp.local.visitor import Page, Visitor
from runtime.ports import LOOPBACK

BUYER = {
    "email": "buyer@weft.test", "name": "李雷", "phone": "13800138000", "country": "CN", "region": "广东省",
    "city": "深圳市", "district": "南山区", "street": "科技路 1 号", "postcode": "518057",
}  # fmt: skip


class Proxy(HTTPAdapter):
    """Ends TLS for one shop: hands each request on to its port, and says by which way it came."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        inner = request.copy()
        parts = urlsplit(str(request.url))
        inner.url = f"http://{LOOPBACK}:{self.port}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        inner.headers.update({"Host": parts.netloc, "X-Forwarded-Proto": "https"})
        answer = super().send(inner, *args, **kwargs)
        answer.url, answer.request = str(request.url), request
        return answer


def visitor(name: str, port: int) -> Visitor:
    """A browser that reaches the shop of that name."""
    found = Visitor(f"https://{name}")
    found.session.mount(f"https://{name}", Proxy(port))
    return found


def log_in(person: Visitor, email: str, password: str) -> Page:
    """At the admin."""
    page = person.open("/admin/login/?next=/admin/")
    page = person.send(page, page.form(with_field="password"), username=email, password=password)
    assert "/login/" not in page.url, page.text[:300]
    return page


def buy(person: Visitor, product: str) -> Page:
    """As a guest, by bank transfer; the last page, which says the number."""
    page = person.open(product)
    page = person.send(page, page.form(to="/basket/add/"), quantity="2")
    page = person.open("/checkout/")
    page = person.send(page, page.form(with_field="street"), **BUYER)
    return person.send(page, page.form(with_field="token"), payment_method="bank_transfer")
