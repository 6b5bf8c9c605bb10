"""What partners ask, beside bare views of the same rows; and placing an order, beside the storefront's own button."""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from bench import shops
from bench.client import Failed
from bench.rows import Row, judged
from bench.shops import Say
from bench.web import Spent, Web, percentile
from shop.api.models import AccessToken, Client, Scope, digest

CLIENTS = 200  # many, so that each stays within what it is allowed
ASKERS = 4
ROUNDS = 5
SECONDS = 3.0  # of one round
ORDERS = 40  # of one round


@dataclass(frozen=True, slots=True)
class List:
    id: str
    path: str
    bare: str
    rows: int


LISTS = (
    List("api.products", "/api/v1/products/", "/bare/products/", 100),
    List("api.stock", "/api/v1/stock/", "/bare/stock/", 1000),
)


@dataclass(frozen=True, slots=True)
class Round:
    """`rate` in answers a second, `spent` per answer in milliseconds, `seconds` of every answer."""

    rate: float
    spent: Spent
    seconds: list[float]


class Partners:
    """Requests to the API, each with another client's token and on a connection of its own."""

    def __init__(self, web: Web, tokens: Sequence[str]) -> None:
        self.web = web
        self._tokens = itertools.cycle(tokens)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        sent = {
            "Authorization": f"Bearer {next(self._tokens)}",
            "Connection": "close",
            "Accept-Language": "en",
            **headers,
        }
        link = HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        try:
            link.request(method, path, None if body is None else json.dumps(body), sent)
            answer = link.getresponse()
            text = answer.read()
        finally:
            link.close()
        if answer.status not in (200, 201):
            raise Failed(answer.status, path, text.decode()[:500])
        return text


def timed(call: Callable[[], Any]) -> float:
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def until(call: Callable[[], Any], end: float) -> list[float]:
    """Again and again until the time is over; seconds of each."""
    took = [timed(call)]
    while time.monotonic() < end:
        took.append(timed(call))
    return took


def play(web: Web, call: Callable[[], Any]) -> Round:
    """One round. The rate is the sum of the askers' own rates, so that whoever ends first costs nothing."""
    before, end = web.spent(), time.monotonic() + SECONDS
    with ThreadPoolExecutor(ASKERS) as pool:
        askers = [asker.result() for asker in [pool.submit(until, call, end) for _ in range(ASKERS)]]
    every = [one for took in askers for one in took]
    return Round(sum(len(took) / sum(took) for took in askers), (web.spent() - before).each(len(every)), every)


def read(partners: Partners, kind: List) -> Row:
    """Both answers must be the same JSON; then asked in turns."""
    paths = (kind.path, kind.bare)
    for path in paths * 8:
        partners.ask("GET", path)
    ours, bare = (json.loads(partners.ask("GET", path))["results"] for path in paths)
    if ours != bare or len(ours) != kind.rows:
        raise AssertionError(f"{kind.id}: the bare view does not answer the same {kind.rows} rows")
    rounds: dict[str, list[Round]] = {path: [] for path in paths}
    for _ in range(ROUNDS):
        for path in paths:
            rounds[path].append(play(partners.web, lambda path=path: partners.ask("GET", path)))
    return compared(kind.id, "answers/s", rounds[kind.path], rounds[kind.bare], 0.5, ("Weft", "bare"))


def compared(id: str, unit: str, ours: list[Round], other: list[Round], least: float, names: tuple[str, str]) -> Row:
    """The middle rates of both."""
    note = "; ".join(_said(name, rounds) for name, rounds in zip(names, (ours, other), strict=True))
    mine, baseline = (statistics.median(one.rate for one in rounds) for rounds in (ours, other))
    return judged(id, unit, mine, baseline, on="ratio", least=least, note=note)


def _said(name: str, rounds: Sequence[Round]) -> str:
    spent = Spent.median([one.spent for one in rounds])
    seconds = [one for played in rounds for one in played.seconds]
    return f"{name}: {spent}, p50 {percentile(seconds, 50):.0f} ms, p99 {percentile(seconds, 99):.0f} ms"


# --- orders ----------------------------------------------------------------------------------------------------------


def order(partners: Partners, shop: shops.Weft) -> Row:
    """The same orders, of one piece each: a partner's POST, and the POST of the storefront's last button. What comes
    before that button (product, basket, address) is not counted."""
    skus = itertools.cycle(shops.products(8))
    rounds: dict[str, list[Round]] = {"partner": [], "storefront": []}
    for number in range(ROUNDS + 1):
        played = {
            "partner": burst(shop.web, [wish(partners, next(skus)) for _ in range(ORDERS)]),
            "storefront": burst(shop.web, list(buttons(shop, skus))),
        }
        if number:  # the first is to warm up
            for name, one in played.items():
                rounds[name].append(one)
    return compared("api.order", "orders/s", rounds["partner"], rounds["storefront"], 0.7, ("API", "storefront"))


def burst(web: Web, calls: Sequence[Callable[[], Any]]) -> Round:
    """All of them, a few at once."""
    before, begun = web.spent(), time.monotonic()
    with ThreadPoolExecutor(ASKERS) as pool:
        took = list(pool.map(timed, calls))
    elapsed = time.monotonic() - begun
    return Round(len(calls) / elapsed, (web.spent() - before).each(len(calls)), took)


def wish(partners: Partners, sku: str) -> Callable[[], Any]:
    address = {name: value for name, value in shops.Weft.details.items() if name != "email"}
    body = {"lines": [{"sku": sku, "quantity": 1}], "ship_to": address, "email": shops.Weft.details["email"]}
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
    return lambda: partners.ask("POST", "/api/v1/orders/", body, **headers)


def buttons(shop: shops.Weft, skus: Iterator[str]) -> Iterator[Callable[[], Any]]:
    """Guests who have the last page open: what is left is the button."""
    offers = shop.offers()
    for _ in range(ORDERS):
        yield shop.at_the_button(offers[next(skus)])


# --- the shop --------------------------------------------------------------------------------------------------------


def tokens() -> list[str]:
    """Clients with a token each."""
    clients = Client.objects.bulk_create(
        Client(name=f"bench {n}", code=f"bench-{n}", secret_digest=digest(str(n)), scopes=Scope.values)
        for n in range(CLIENTS)
    )
    made = [uuid.uuid4().hex for _ in clients]
    AccessToken.objects.bulk_create(
        AccessToken(
            client=client,
            digest=digest(token),
            scopes=client.scopes,
            expires_at=timezone.now() + timedelta(hours=3),
        )
        for client, token in zip(clients, made, strict=True)
    )
    return made


def measure(say: Say) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as name:
        say("filling Weft")
        given = tokens()
        env = shops.filled(Path(name))
        connection.close()
        with Web("weft", "bench.bare_api.wsgi:application", env, Path(name)) as web:
            shop = shops.Weft(web, env["DATABASE_URL"])
            web.wait(shop.categories()[0])
            partners = Partners(web, given)
            rows = []
            for kind in LISTS:
                say(kind.id)
                rows.append(read(partners, kind))
            say("api.order")
            return [*rows, order(partners, shop)]
