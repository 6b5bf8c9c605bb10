"""Make the fixtures anew from a real Tryton: `python -m tests.connectors.erp.tryton.record`, with complete settings.

What is secret in them is replaced; sessions of a Tryton that is gone open nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import django


def main() -> None:
    django.setup()
    from django.conf import settings

    from erp.local.clerk import Clerk
    from erp.local.tryton_server import DATABASE, ROOT, Home, bring_up
    from erp.providers.tryton import Tryton
    from integrations.hub.testing.fixtures import save
    from integrations.hub.testing.recording import record
    from tests.connectors.erp.tryton.said import CALLS, NOW, SETTINGS, order
    from tests.erp.conftest import PORT

    base = Path(ROOT) / "var" / "tryton-test"
    catalogue = json.loads((Path(ROOT) / "tests" / "erp" / "catalogue.json").read_text(encoding="utf-8"))
    server = bring_up(Home(base, base / "recorded", base / "secrets"), catalogue, PORT, print)
    try:
        passwords = server.home.passwords()
        real = SETTINGS | {"url": server.url, "database": DATABASE, "key": passwords.weft_key}
        real["password"] = passwords.weft
        settings.WEFT_PRIVATE_HOSTS = frozenset({server.url.partition("//")[2]})
        for call, made in CALLS.items():
            if call == "changes":
                shipped = order("W20261122-SHIPPD")
                record(Tryton, real, SETTINGS, lambda: NOW, lambda tryton: tryton.ensure_order(shipped))  # noqa: B023
                with Clerk(server.url, DATABASE, passwords.clerk) as clerk:
                    clerk.ship(shipped.number)
            kept = record(Tryton, real, SETTINGS, lambda: NOW, lambda tryton: _whole(made(tryton)))  # noqa: B023
            save(Path(__file__).with_name(f"{call}.json"), kept)
            print(call, len(kept.exchanges))
    finally:
        server.stop()


def _whole(value: object) -> object:
    return list(value) if hasattr(value, "__next__") else value  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
