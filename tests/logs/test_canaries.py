"""Twenty-five secrets and personal values, planted in a checkout, the admin, the API, a delivery that is refused and
bugs on both sides; then the logs of the real web server and the real workers are read, at DEBUG: none is in them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from django.conf import settings
from django.db import connection

from integrations.hub.models import Account, Outgoing
from runtime.ports import LOOPBACK, any_free_port
from shop.api.models import Client
from shop.catalogue.models import Product
from shop.customer.models import User
from shop.order import lifecycle
from shop.order.models import Order
from tests import factories
from tests.connectors.messages.smtp.test_smtp import serving
from tests.databases import database_url
from tests.hub.conftest import wait_until

PLANTED = {
    "name": "欧阳晓彤", "english name": "Wilhelmina Quackenbush", "street": "望京西园 417 号", "district": "昌平镇",
    "mail": "canary.buyer@example.com", "second mail": "canary.second@example.com", "phone": "13912345678",
    "note": "请放在门口的黑色柜子里", "card": "6222021234567890123", "password": "canary-Password-1",
    "wrong password": "canary-Wrong-Password-2", "staff mail": "canary.staff@example.com",
    "staff password": "canary-Staff-Password-3", "searched": "canary.searched@example.com",
    "client secret": "canarySecretOfAClient4", "bearer": "canary.bearer.token.5xyz", "forged trace": "canary-forged-6",
    "smtp password": "canary-smtp-password-7", "smtp reply": "canary reply 欢迎光临", "erp key": "canary-erp-key-8abc",
    "bug": "canary bug 王府井", "library": "canary library 西单", "host": "canary-host-9.example",
    "agent": "canary-agent-10", "path": "canary@path.example",
}  # fmt: skip
assert len(PLANTED) == 25

CONNECTOR = """
import logging
from erp.base import Changes, Erp
from integrations.hub.connector import Field
from integrations.hub.values import Health

class Canary(Erp):
    name, label = "canary", "Canary"
    fields = (Field("key", "Key", secret=True),)

    def health(self):
        return Health("1.0")

    def ensure_customer(self, customer):
        logging.getLogger("a.library").warning(f"%s: {customer}", self.settings["key"])
        try:
            raise KeyError(repr(customer) + "BUG")
        except KeyError as error:
            raise ValueError(f"BUG {customer.name} {customer.email} {self.settings}") from error

    def changes(self, cursor):
        raise RuntimeError(f"BUG {self.settings}")
""".replace("BUG", PLANTED["bug"]).replace("%s: ", f"{PLANTED['library']} %s: ")


def connector(folder: Path) -> None:
    """An ERP with bugs, as pip would have installed it."""
    (folder / "weft_canary").mkdir()
    (folder / "weft_canary" / "__init__.py").write_text("")
    (folder / "weft_canary" / "connector.py").write_text(CONNECTOR)
    told = folder / "weft_canary-0.1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: weft-canary\nVersion: 0.1\n")
    (told / "entry_points.txt").write_text("[weft.connectors]\ncanary = weft_canary.connector\n")


@contextmanager
def process(log: Path, *argv: str, **environment: str) -> Iterator[None]:
    """One that writes to this file; ended politely, its watchdogs' groups with it."""
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, *argv], cwd=settings.BASE_DIR, env={**os.environ, **environment}, stdout=out, stderr=out
        )
        try:
            yield
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


class Browser:
    """A guest at the real web server."""

    def __init__(self, shop: str) -> None:
        self.shop, self.session = shop, requests.Session()
        self.session.headers["User-Agent"] = PLANTED["agent"]
        self.session.headers["X-Request-ID"] = PLANTED["forged trace"]

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(self.shop + path, timeout=60, **more)

    def post(self, path: str, **data: str) -> requests.Response:
        """As the form of that page would."""
        cookie = next((c.value for c in self.session.cookies if c.name.endswith("csrf")), "")
        headers = {"X-CSRFToken": cookie or ""}
        return self.session.post(self.shop + path, data=data, headers=headers, timeout=60, allow_redirects=False)


def buy(browser: Browser, product: Product, **changes: str) -> requests.Response:
    """The whole way; the last answer."""
    browser.get(product.get_absolute_url())
    browser.post(f"/basket/add/{product.pk}/", quantity="1")
    details = {
        "email": PLANTED["mail"], "name": PLANTED["name"], "phone": PLANTED["phone"], "country": "CN",
        "region": "北京市", "city": "北京市", "district": PLANTED["district"], "street": PLANTED["street"],
        "postcode": "100102", **changes,
    }  # fmt: skip
    assert browser.post("/checkout/", **details).status_code == 302
    page = browser.get("/checkout/review/").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    note = f"{PLANTED['note']} {PLANTED['card']}"
    return browser.post("/checkout/review/", payment_method="bank_transfer", token=token, note=note)


def visit(shop: str, product: Product) -> tuple[str, list[str]]:
    """Everything a visitor can plant; the trace of the purchase, and secrets that were made on the way."""
    browser = Browser(shop)
    placed = buy(browser, product)
    assert placed.status_code == 302, placed.text
    other = Browser(shop)
    refused = buy(other, product, name=PLANTED["english name"], email=PLANTED["second mail"], postcode="999999")
    assert refused.status_code == 500
    other.get(f"/search/?q={quote(PLANTED['searched'])}")
    other.get(f"/nothing/{quote(PLANTED['path'])}/%0d%0aforged: line/")
    other.get("/", headers={"Host": PLANTED["host"]})
    for mail, password in (("mail", "wrong password"), ("staff mail", "staff password")):
        other.get("/account/login/")
        other.post("/account/login/", username=PLANTED[mail], password=PLANTED[password])
    other.post("/account/register/", email=PLANTED["second mail"], password1=PLANTED["password"])
    staff = Browser(shop)
    staff.get("/admin/login/")
    staff.post("/admin/login/?next=/admin/", username=PLANTED["staff mail"], password=PLANTED["staff password"])
    assert staff.get(f"/admin/search/?s={quote(PLANTED['mail'])}").status_code == 200
    secret = ("nobody", PLANTED["client secret"])
    requests.post(f"{shop}/api/v1/token/", data={"grant_type": "client_credentials"}, auth=secret, timeout=60)
    bearer = {"Authorization": f"Bearer {PLANTED['bearer']}"}
    requests.get(f"{shop}/api/v1/orders/", headers=bearer, timeout=60)
    made = [c.value or "" for each in (browser, other, staff) for c in each.session.cookies if len(c.value or "") > 20]
    return placed.headers["X-Request-ID"], [*made, placed.headers["Location"].rstrip("/").rpartition("/")[2]]


@pytest.fixture
def goods() -> Iterator[Product]:
    factories.china()
    factories.tax_class("VAT9", "0.09")
    product = factories.product()
    factories.stock(SZ=50)
    User.objects.create_superuser(email=PLANTED["staff mail"], password=PLANTED["staff password"])
    User.objects.create_user(email=PLANTED["mail"], password=PLANTED["password"])
    with connection.cursor() as cursor:  # a bug: PostgreSQL quotes the whole row that it refuses
        cursor.execute(
            "ALTER TABLE order_shippingaddress ADD CONSTRAINT planted CHECK (postcode <> '999999') NOT VALID"
        )
    yield product
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE order_shippingaddress DROP CONSTRAINT planted")


@pytest.mark.django_db(transaction=True)
def test_none_of_them_is_in_any_log(goods: Product, tmp_path: Path) -> None:
    connector(tmp_path)
    port = any_free_port()
    environment = {
        "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "shop.settings", "WEFT_LOG_LEVEL": "DEBUG",
        "WEFT_LOG_FORMAT": "json", "PYTHONPATH": str(tmp_path), "WEFT_BIND": f"{LOOPBACK}:{port}",
        "WEFT_WEB_PROCESSES": "1", "WEFT_WORKERS": "1", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    web, workers = tmp_path / "web.log", tmp_path / "workers.log"
    with serving(RCPT=f"550 {PLANTED['smtp reply']} {PLANTED['mail']}") as mail:
        smtp = {"host": LOOPBACK, "port": str(mail.server_address[1]), "security": "none", "user": "shop"}
        account = factories.account("messages", "smtp", settings=smtp)
        account.credentials = {"password": PLANTED["smtp password"]}
        account.save()
        erp = factories.account("erp", "canary")
        erp.credentials = {"key": PLANTED["erp key"]}
        erp.save()
        serve = ("-m", "gunicorn", "-c", "python:runtime.web", "shop.wsgi:application")
        with process(web, *serve, **environment), process(workers, "manage.py", "supervise", **environment):
            shop = f"http://{LOOPBACK}:{port}"
            wait_until(lambda: _answers(shop), 90)
            trace, made = visit(shop, goods)
            for order in Order.objects.all():
                lifecycle.confirm_payment(order.number, actor="staff:1")
            wait_until(lambda: Outgoing.objects.filter(topic="mail", parked_at__isnull=False).exists(), 120)
            wait_until(lambda: Outgoing.objects.filter(account=erp, failures__gt=0).exists(), 120)
            wait_until(lambda: erp.cursors.exclude(problem="").exists(), 60)
    _read(web.read_text(), trace, made, least=30)
    _read(workers.read_text(), trace, made, least=10)
    assert Client.objects.count() == 0 and Account.objects.count() == 2
    assert PLANTED["smtp reply"].split()[0] in Outgoing.objects.get(topic="mail", key__endswith="placed").parked_reason


def _answers(shop: str) -> bool:
    try:
        return requests.get(f"{shop}/", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _read(log: str, trace: str, made: list[str], least: int) -> None:
    """Every line is one object; none of it holds what was planted, however it is spelled; some bear the trace."""
    lines = log.splitlines()
    told = [json.loads(line) for line in lines]
    assert len(told) >= least
    assert any(trace in line.get("trace", "") for line in told)
    assert any(line.get("exception") for line in told), "the bugs are told"
    whole = "\n".join([log, *(json.dumps(line, ensure_ascii=False) for line in told)])
    forms = {
        what: {value, quote(value), value.encode("unicode_escape").decode()} for what, value in PLANTED.items()
    } | {f"made {number}": {value} for number, value in enumerate(made)}
    found = {what for what, spellings in forms.items() for each in spellings if each and each in whole}
    assert found == set()
    assert "forged: line" not in whole.replace("%20", " ") or all(line.get("event") for line in told)
    for part in ("Wilhelmina", "Quackenbush", "晓彤", "望京", "王府井", "西单", "canary."):
        assert part not in whole, part
    assert threading.active_count() < 50
