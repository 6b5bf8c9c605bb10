"""The shop, served from this process to the browser, with people logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.test.testcases import LiveServerThread
from django.urls import reverse

from shop.catalogue.models import Product
from shop.customer.models import User
from tests.screenshots import places
from tests.screenshots.company import Company
from tests.shop import steps


def migrate() -> None:
    """All tables, in the throw-away database."""
    call_command("migrate", verbosity=0)


@contextmanager
def served() -> Iterator[str]:
    """The shop on a free port; its address."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()
        connections.close_all()


def cookies(company: Company) -> Callable[[str], list[dict[str, str]]]:
    """Sessions for each who looks: staff by e-mail, the buyer with a basket and an address, nobody."""
    known = {
        places.STAFF: _of(_logged_in(company.boss)),
        places.BUYER: _of(_shopping(company.customer)),
        places.NOBODY: [],
    }

    def of(who: str) -> list[dict[str, str]]:
        if who not in known:
            known[who] = _of(_logged_in(User.objects.get(email=who)))
        return known[who]

    return of


def _logged_in(user: User) -> Client:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(user)
    return client


def _shopping(user: User) -> Client:
    client = _logged_in(user)
    for product in Product.objects.filter(is_featured=True).order_by("pk")[:2]:
        steps.add(client, product, 2)
    steps.give_details(client)
    client.post(reverse("customer:address-new"), steps.ADDRESS)
    return client


def _of(client: Client) -> list[dict[str, str]]:
    wanted = (settings.SESSION_COOKIE_NAME, settings.OSCAR_BASKET_COOKIE_OPEN)
    return [{"name": name, "value": client.cookies[name].value} for name in wanted if name in client.cookies]
