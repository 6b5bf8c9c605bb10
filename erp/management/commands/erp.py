"""`manage.py erp up|announce|down|status|reset|ship NUMBER`: the local Tryton of development and the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.accounts import announce, connect
from erp.local import clerk, tryton_server
from erp.local.provision import API_USER, SHIPPING_SKU, WEB_SHOP
from erp.local.rpc import Refused
from erp.local.tryton_server import DATABASE, BringUpFailed, Home, TrytonServer

ACCOUNT = "Tryton"


def _warehouses() -> tuple[str, ...]:
    """Codes of the warehouses that are Tryton's: all of the demo's."""
    return tuple(place["code"] for place in tryton_server.read_catalogue()["warehouses"])


class Command(BaseCommand):
    """Thin: the work is in `erp/local/`."""

    help = "The local Tryton: up, down, status, reset, ship NUMBER"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One word, and what belongs to it."""
        words = parser.add_subparsers(dest="word", required=True)
        up = words.add_parser("up", help="install (once), build (once), start, connect to the shop")
        up.add_argument("--foreground", action="store_true", help="stay; end with whoever started us")
        up.add_argument("--port", type=int, default=int(os.environ.get("WEFT_TRYTON_PORT") or tryton_server.PORT))
        words.add_parser("announce", help="its account, before it is up: work for it waits from now on")
        words.add_parser("down", help="stop it; its data stay")
        words.add_parser("status", help="say how it is")
        words.add_parser("reset", help="forget all that was done in it")
        ship = words.add_parser("ship", help="do in Tryton what a warehouse clerk would")
        ship.add_argument("number", help="our order number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Dispatch; what goes wrong is said in one line."""
        home = Home.default()
        try:
            getattr(self, options["word"])(home, options)
        except (BringUpFailed, Refused, clerk.NothingToShip, OSError) as error:
            raise CommandError(str(error)) from None

    def say(self, text: str) -> None:
        """One line, at once."""
        self.stdout.write(text)
        self.stdout.flush()

    def up(self, home: Home, options: dict[str, Any]) -> None:
        """Bring it up: here until it ends, or in a process of its own."""
        if not options["foreground"]:
            self._up_in_background(home, options["port"])
            return
        code = tryton_server.serve(home, tryton_server.read_catalogue(), options["port"], self.say, self._connect)
        if code:
            raise CommandError(home.state())

    def announce(self, home: Home, options: dict[str, Any]) -> None:
        """The shop sells before Tryton is up; what is meant for it waits."""
        account = announce("tryton", ACCOUNT, _warehouses())
        self.say(f"{account.name}: {account.get_state_display()}")

    def _connect(self, server: TrytonServer) -> None:
        passwords = server.home.passwords()
        settings = {
            "url": server.url,
            "database": DATABASE,
            "web_shop": WEB_SHOP,
            "user": API_USER,
            "key": passwords.weft_key,
            "password": passwords.weft,
            "shipping_sku": SHIPPING_SKU,
        }
        connect(provider="tryton", name=ACCOUNT, settings=settings, warehouses=_warehouses())
        self.say(f"{ACCOUNT} answers at {server.url} and is connected to the shop")

    def _up_in_background(self, home: Home, port: int) -> None:
        home.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = home.instance / "up.log"
        manage = Path(sys.argv[0]).resolve()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(manage), "erp", "up", "--foreground", "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        seen = 0
        while True:
            lines = log.read_text(errors="replace").splitlines()
            for line in lines[seen:]:
                self.say(line)
            seen = len(lines)
            if process.poll() is not None:
                raise CommandError(f"Tryton did not come up; see {log}")
            if any("is connected to the shop" in line for line in lines):
                return
            time.sleep(0.2)

    def down(self, home: Home, options: dict[str, Any]) -> None:
        """Stop it."""
        self.say("stopped" if tryton_server.down(home) else "it was not up")

    def status(self, home: Home, options: dict[str, Any]) -> None:
        """One line."""
        self.say(tryton_server.status(home))

    def reset(self, home: Home, options: dict[str, Any]) -> None:
        """Begin anew; a running one comes back by itself."""
        self.say("it is up again, as new" if tryton_server.reset(home) else "the next `erp up` begins anew")

    def ship(self, home: Home, options: dict[str, Any]) -> None:
        """Ship an order as a clerk."""
        if not home.state() == "ready":
            raise CommandError(f"Tryton is not up ({tryton_server.status(home)})")
        for parcel in clerk.ship(home.url(), DATABASE, home.passwords().clerk, options["number"]):
            goods = ", ".join(f"{quantity} x {sku}" for sku, quantity in parcel.goods.items())
            self.say(f"shipment {parcel.number} has left {parcel.warehouse}: {goods}")
