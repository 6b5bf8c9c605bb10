"""Finds connectors by their place: every module in a `providers` folder, and the entry-point group `weft.connectors`.

A connector that fails to import is kept in `broken` and shown by a system check; it never stops the shop.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from inspect import getmembers, isclass

from django.conf import settings
from django.utils import timezone

from integrations.hub.connector import Connector
from integrations.hub.errors import Misconfigured
from integrations.hub.http import Door
from integrations.hub.models import Account

log = logging.getLogger("weft.hub")

broken: dict[str, str] = {}


def _modules() -> Iterator[str]:
    for package in settings.WEFT_PROVIDER_PACKAGES:
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
            yield f"{package}.{found.name}"
    for entry in entry_points(group="weft.connectors"):
        yield entry.module


@cache
def connectors() -> dict[tuple[str, str], type[Connector]]:
    """(kind, provider) -> connector class, of all that could be loaded."""
    found: dict[tuple[str, str], type[Connector]] = {}
    for module in _modules():
        try:
            members = getmembers(importlib.import_module(module), isclass)
        except (Exception, SystemExit) as error:  # a third party's module may fail in any way; never fatal
            broken[module] = f"{type(error).__name__}: {error}"
            log.exception("connector %s could not be loaded", module)
            continue
        own = [c for _, c in members if issubclass(c, Connector) and c.__module__ == module and "name" in vars(c)]
        if not own:
            broken[module] = "no connector class with a name in it"
        found |= {(c.kind, c.name): c for c in own}
    return found


def connector_class(account: Account) -> type[Connector]:
    """The class for an account; raises Misconfigured when it is not installed."""
    try:
        return connectors()[account.kind, account.provider]
    except KeyError:
        raise Misconfigured(f"There is no {account.kind} connector named {account.provider!r} here.") from None


def connect(account: Account, *, budget: float = 75.0, now: Callable[[], datetime] = timezone.now) -> Connector:
    """A connector for one piece of work on one account; all its calls together take at most `budget` seconds.

    Raises Misconfigured when the account's form is not filled in.
    """
    found = connector_class(account)
    values = {**account.settings, **account.credentials}
    if missing := [field.label for field in found.fields if field.required and not values.get(field.name)]:
        raise Misconfigured(f"Not filled in: {', '.join(map(str, missing))}.")
    return found(values, Door(budget=budget), now)
