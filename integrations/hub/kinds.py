"""The kinds of connectors there are: one for each `providers` folder, with its contract and its starter."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from inspect import getmembers, isclass
from pathlib import Path

from django.conf import settings

from integrations.hub.connector import Connector


@dataclass(frozen=True, slots=True)
class Kind:
    """`package` is the folder of its connectors, `contract` their base, `starter` the folder of what a new one gets."""

    name: str
    package: str
    contract: type[Connector]
    starter: Path


def kinds() -> dict[str, Kind]:
    """By name. A `providers` package stands beside the `base` module with its contract."""
    found = {}
    for package in settings.WEFT_PROVIDER_PACKAGES:
        parent = package.rpartition(".")[0]
        base = importlib.import_module(f"{parent}.base")
        for _name, each in getmembers(base, isclass):
            if issubclass(each, Connector) and each.__module__ == base.__name__ and "kind" in vars(each):
                place = Path(str(base.__file__)).parent / "starter"
                found[each.kind] = Kind(each.kind, package, each, place)
    return found
