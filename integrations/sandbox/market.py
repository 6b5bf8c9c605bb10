"""A practice marketplace: sells from its own copy of a figure, and tells its orders when asked. Knows nothing of Weft.

    python -m integrations.sandbox.market --port 8720 --key-file FILE [--state FILE] [--every 20]

PUT  /v1/stock     {"items": [{"sku": "A", "quantity": 3}]}   -> {"live_at": "..."}
GET  /v1/stock                                                -> {"figures": {"A": 3}}
GET  /v1/orders?after=0&limit=100     -> {"orders": [...], "next": 7, "more": false, "until": "..."}
GET  /v1/orders/by-date?since=&until=&after=0&limit=100  -> {"orders": [...], "next": 7, "more": false, "total": 3}
POST /v1/buy       {"sku": "A", "quantity": 1}                -> 201 with the order, 409 when its figure is smaller
POST /v1/cancel    {"number": "M-1"}                          -> the order
POST /v1/reveal    {}                                         -> tells again what it hid; {"orders": 2}
POST /v1/faults    {"lose": 1}                                -> all faults: how many of the next calls go wrong

Faults of a figure: `lose` (it never arrives), `delay` (no answer, and it arrives some seconds later), `drop_answers`
(it arrives, no answer), `repeat` (it arrives twice); of orders: `hide_orders` (not told now), `shuffle` (told in any
order), `hide` (an order is taken, and told to nobody until it is revealed), `end_early` (a page by date says it is the
last one); of both: `too_often` (429, come back after a minute).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PEOPLE = ("林小满", "赵一鸣", "孙悦", "Grace Li", "周末", "吴迪")
CITIES = (("广东省", "深圳市", "南山区"), ("浙江省", "杭州市", "西湖区"), ("四川省", "成都市", "武侯区"))
FAULTS = ("lose", "delay", "drop_answers", "repeat", "hide_orders", "shuffle", "hide", "end_early", "too_often")
LATE = 3.0  # seconds, for a figure that is delayed
COME_BACK = 60  # seconds, after a call too many


def _now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass
class Sale:
    """An order as the market tells it. `change` is its place among all changes: a cancelled order is told again."""

    number: str
    sold_at: str
    change: int
    buyer: str
    address: dict[str, str]
    lines: list[dict[str, Any]]
    currency: str = "CNY"
    state: str = "paid"


@dataclass
class Market:
    """What the market has. Every method is one moment; a lock makes it so."""

    figures: dict[str, int] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=dict)
    sales: list[Sale] = field(default_factory=list)
    changes: int = 0
    hidden: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def show(self, figures: dict[str, int]) -> str:
        """From now on sell from these; what was shown before is forgotten."""
        with self.lock:
            self.figures |= figures
            return _now()

    def buy(self, sku: str, quantity: int = 1, at: str = "") -> Sale | None:
        """Somebody orders; None when the figure is smaller."""
        with self.lock:
            if quantity < 1 or self.figures.get(sku, 0) < quantity:
                return None
            self.figures[sku] -= quantity
            self.changes += 1
            region, city, district = random.choice(CITIES)
            sale = Sale(
                f"M-{len(self.sales) + 1:06}", at or _now(), self.changes, random.choice(PEOPLE),
                {"line": f"解放路 {random.randint(1, 200)} 号", "district": district, "city": city, "region": region,
                 "postcode": "510000", "country": "CN", "phone": "+8613800138000"},
                [{"sku": sku, "title": sku, "quantity": quantity, "price": self.prices.get(sku, "99.00")}],
            )  # fmt: skip
            self.sales.append(sale)
            return sale

    def cancel(self, number: str) -> Sale | None:
        """The buyer gives the order up; its units do not go back on sale."""
        with self.lock:
            sale = next((sale for sale in self.sales if sale.number == number), None)
            if sale and sale.state != "cancelled":
                self.changes += 1
                sale.state, sale.change = "cancelled", self.changes
            return sale

    def told(self, after: int, limit: int) -> dict[str, Any]:
        """Sales changed since, oldest change first, and until when all are told."""
        with self.lock:
            told = [sale for sale in self.sales if sale.change > after and sale.number not in self.hidden]
            changed = sorted(told, key=lambda sale: sale.change)
            some = changed[:limit]
            more = len(changed) > limit
            until = some[-1].sold_at if more else _now()
            if more:  # older sales may have changed again and stand further back
                until = min(sale.sold_at for sale in changed)
            return {
                "orders": [asdict(sale) for sale in some],
                "next": some[-1].change if some else after,
                "more": more,
                "until": until,
            }

    def by_date(self, since: datetime, until: datetime, after: int, limit: int) -> dict[str, Any]:
        """Sales of a stretch of time (after `since`, up to `until`) in the order of their numbers."""
        with self.lock:
            there = [
                (place, sale) for place, sale in enumerate(self.sales, 1)
                if since < datetime.fromisoformat(sale.sold_at) <= until and sale.number not in self.hidden
            ]  # fmt: skip
            rest = [(place, sale) for place, sale in there if place > after]
            some = rest[:limit]
            return {
                "orders": [asdict(sale) for _place, sale in some],
                "next": some[-1][0] if some else after,
                "more": len(rest) > limit,
                "total": len(there),
            }

    def reveal(self) -> int:
        """Tell everything again; returns how many orders were hidden."""
        with self.lock:
            hidden = len(self.hidden)
            self.hidden.clear()
            return hidden

    def dump(self) -> dict[str, Any]:
        with self.lock:
            return {"figures": self.figures, "prices": self.prices, "changes": self.changes,
                    "hidden": sorted(self.hidden), "sales": [asdict(sale) for sale in self.sales]}  # fmt: skip


def load(file: Path | None) -> Market:
    """A market as it was left; a new one where there is no file."""
    if file is None or not file.exists():
        return Market()
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Market(kept["figures"], kept["prices"], [Sale(**sale) for sale in kept["sales"]], kept["changes"],
                  set(kept.get("hidden", ())))  # fmt: skip


class Site(ThreadingHTTPServer):
    """The market behind HTTP, with the faults a network has."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], market: Market, key: str, state: Path | None = None) -> None:
        super().__init__(address, Handler)
        self.market, self.key, self.state = market, key, state
        self.late = LATE
        self.faults = dict.fromkeys(FAULTS, 0)
        self.faulty = threading.Lock()

    def strikes(self, fault: str) -> bool:
        """Is this call the one that goes wrong?"""
        with self.faulty:
            struck = self.faults[fault] > 0
            self.faults[fault] -= struck
            return struck

    def keep(self) -> None:
        """Write the state, whole or not at all."""
        if self.state is not None:
            with self.market.lock:
                draft = self.state.with_suffix(f".{os.getpid()}")
                draft.write_text(json.dumps(self.market.dump()), encoding="utf-8")
                draft.replace(self.state)


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"/v1/orders": self._orders, "/v1/orders/by-date": self._by_date, "/v1/stock": self._figures})

    def do_PUT(self) -> None:
        self._answer({"/v1/stock": self._stock})

    def do_POST(self) -> None:
        self._answer(
            {"/v1/buy": self._buy, "/v1/cancel": self._cancel, "/v1/faults": self._faults, "/v1/reveal": self._reveal}
        )

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the demo's log is read by people."""

    def _answer(self, routes: dict[str, Callable[[dict[str, Any]], tuple[int, Any]]]) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        route = routes.get(urlsplit(self.path).path)
        if route is None:
            return self._send(404, {"error": "no such address"})
        if self.headers.get("x-market-key") != self.server.key:
            return self._send(401, {"error": "wrong key"})
        try:
            data = json.loads(body) if body else {}
        except ValueError:
            return self._send(400, {"error": "no JSON"})
        if self.command != "POST" and self.server.strikes("too_often"):
            return self._send(429, {"error": "too often"})
        if self.command == "PUT" and self.server.strikes("lose"):
            return self._cut()
        if self.command == "PUT" and self.server.strikes("delay"):
            threading.Timer(self.server.late, route, [data]).start()
            return self._cut()
        status, answer = route(data)
        if self.command == "PUT" and self.server.strikes("repeat"):
            route(data)
        self.server.keep()
        if self.command == "PUT" and self.server.strikes("drop_answers"):
            return self._cut()
        return self._send(status, answer)

    def _cut(self) -> None:
        """The line goes dead."""
        self.close_connection = True
        self.connection.close()

    def _send(self, status: int, answer: Any) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        if status == 429:
            self.send_header("retry-after", str(COME_BACK))
        self.end_headers()
        self.wfile.write(data)

    def _stock(self, data: dict[str, Any]) -> tuple[int, Any]:
        figures = {str(item["sku"]): int(item["quantity"]) for item in data.get("items", [])}
        wrong = sorted(sku for sku, quantity in figures.items() if quantity < 0)
        if wrong:
            return 422, {"error": "below 0", "skus": wrong}
        self.server.market.prices |= {str(i["sku"]): str(i["price"]) for i in data.get("items", []) if "price" in i}
        return 200, {"live_at": self.server.market.show(figures)}

    def _figures(self, data: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"figures": self.server.market.figures}

    def _orders(self, data: dict[str, Any]) -> tuple[int, Any]:
        asked = parse_qs(urlsplit(self.path).query)
        after, limit = int(asked.get("after", ["0"])[0]), int(asked.get("limit", ["100"])[0])
        if self.server.strikes("hide_orders"):
            return 503, {"error": "busy"}
        told = self.server.market.told(after, min(max(limit, 1), 100))
        if self.server.strikes("shuffle"):
            random.shuffle(told["orders"])
        return 200, told

    def _by_date(self, data: dict[str, Any]) -> tuple[int, Any]:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if self.server.strikes("hide_orders"):
            return 503, {"error": "busy"}
        try:
            since, until = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
        except (KeyError, ValueError):
            return 400, {"error": "since and until, with their zone"}
        limit = min(max(int(asked.get("limit", "100")), 1), 100)
        told = self.server.market.by_date(since, until, int(asked.get("after", "0")), limit)
        if self.server.strikes("end_early"):
            told["more"] = False
            told["orders"] = told["orders"][: len(told["orders"]) // 2]
        if self.server.strikes("shuffle"):
            random.shuffle(told["orders"])
        return 200, told

    def _reveal(self, data: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"orders": self.server.market.reveal()}

    def _buy(self, data: dict[str, Any]) -> tuple[int, Any]:
        sale = self.server.market.buy(str(data["sku"]), int(data.get("quantity", 1)))
        if sale and self.server.strikes("hide"):
            self.server.market.hidden.add(sale.number)
        return (201, asdict(sale)) if sale else (409, {"error": "sold out"})

    def _cancel(self, data: dict[str, Any]) -> tuple[int, Any]:
        sale = self.server.market.cancel(str(data["number"]))
        return (200, asdict(sale)) if sale else (404, {"error": "no such order"})

    def _faults(self, data: dict[str, Any]) -> tuple[int, Any]:
        with self.server.faulty:
            self.server.faults |= {name: int(data[name]) for name in FAULTS if name in data}
            return 200, dict(self.server.faults)


def shoppers(site: Site, every: float, stop: threading.Event) -> None:
    """Somebody buys one of something about every so many seconds."""
    while not stop.wait(random.expovariate(1 / every)):
        there = [sku for sku, figure in site.market.figures.items() if figure > 0]
        if there:
            site.market.buy(random.choice(there))
            site.keep()


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.market", description=__doc__)
    parser.add_argument("--port", type=int, default=8720)
    parser.add_argument("--key-file", type=Path, required=True, help="holds the key that callers must name")
    parser.add_argument("--state", type=Path)
    parser.add_argument("--every", type=float, default=0, help="seconds between buyers; 0 = nobody comes by itself")
    options = parser.parse_args()
    key = options.key_file.read_text(encoding="utf-8").strip()
    site = Site(("127.0.0.1", options.port), load(options.state), key, options.state)
    stop = threading.Event()
    if options.every:
        threading.Thread(target=shoppers, args=(site, options.every, stop), daemon=True).start()
    try:
        site.serve_forever()
    except KeyboardInterrupt:
        stop.set()


if __name__ == "__main__":
    main()
