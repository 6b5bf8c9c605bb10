"""Finds connectors by their place: every module in a `providers` folder, and the entry-point group `weft.connectors`.

A connector that fails to import, or is none, is kept in `broken` and shown by a system check, by the doctor and by
`manage.py connector list`; it never stops the shop.
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

from integrations.hub.connector import Connector, Field
from integrations.hub.errors import Misconfigured
from integrations.hub.http import Door
from integrations.hub.models import Account

log = logging.getLogger("weft.hub")

ENTRY_POINTS = "weft.connectors"

broken: dict[str, str] = {}


def _modules() -> Iterator[str]:
    for package in settings.WEFT_PROVIDER_PACKAGES:
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
            yield f"{package}.{found.name}"
    for entry in entry_points(group=ENTRY_POINTS):
        yield entry.module


@cache
def connectors() -> dict[tuple[str, str], type[Connector]]:
    """(kind, provider) -> connector class, of all that could be loaded."""
    found: dict[tuple[str, str], type[Connector]] = {}
    for module in dict.fromkeys(_modules()):
        try:
            own = _classes(module)
        except (Exception, SystemExit) as error:  # a third party's module may fail in any way; never fatal
            broken[module] = f"{type(error).__name__}: {error}"
            log.exception("connector %s could not be loaded", module)
            continue
        for each in own:
            if wrong := _fault(each) or _taken(each, found):
                broken[module] = wrong
            else:
                found[each.kind, each.name] = each
        if not own:
            broken[module] = "no connector class with a name in it"
    return found


def _classes(module: str) -> list[type[Connector]]:
    members = getmembers(importlib.import_module(module), isclass)
    return [c for _, c in members if issubclass(c, Connector) and c.__module__ == module and "name" in vars(c)]


def _fault(found: type[Connector]) -> str:
    """Why the class is no connector that a form and an account can be made of; '' when it is one."""
    for what in ("kind", "name", "label"):
        if not isinstance(getattr(found, what, None), str) or not getattr(found, what):
            return f"{found.__qualname__} has no {what}"
    fields = found.fields
    if not isinstance(fields, tuple) or not all(isinstance(field, Field) for field in fields):
        return f"{found.__qualname__}.fields is not a tuple of Field"
    return ""


def _taken(found: type[Connector], others: dict[tuple[str, str], type[Connector]]) -> str:
    """The first one keeps the name: what accounts use must not depend on what was installed last."""
    other = others.get((found.kind, found.name))
    return f"{found.kind} {found.name!r} is taken by {other.__module__}" if other else ""


def connector_class(account: Account) -> type[Connector]:
    """The class for an account; raises Misconfigured when it is not installed, saying why where that is known."""
    try:
        return connectors()[account.kind, account.provider]
    except KeyError:
        for module, why in broken.items():
            if _names(module, account):
                raise Misconfigured(
                    f"There is no {account.kind} connector named {account.provider!r} here. "
                    f"{module} could not be loaded: {why}"
                ) from None
        raise Misconfigured(f"There is no {account.kind} connector named {account.provider!r} here.") from None


def _names(module: str, account: Account) -> bool:
    """Does a broken module look like the one that an account needs? By the names it has."""
    return account.provider.lower() in module.lower().replace(".", "_").split("_")


def connect(account: Account, *, budget: float = 75.0, now: Callable[[], datetime] = timezone.now) -> Connector:
    """A connector for one piece of work on one account; all its calls together take at most `budget` seconds.

    Raises Misconfigured when the account's form is not filled in.
    """
    found = connector_class(account)
    values = {**account.kept, **account.settings, **account.credentials}
    require(found, values)
    return found(values, Door(budget=budget), now)


def require(found: type[Connector], values: dict[str, str]) -> None:
    """Raises Misconfigured that names the required fields which are empty."""
    if missing := [field.label for field in found.fields if field.required and not values.get(field.name)]:
        raise Misconfigured(f"Not filled in: {', '.join(map(str, missing))}.")
