"""What connectors offer: the operations of their kind's contract, of which each overrides those that it can do."""

from __future__ import annotations

import inspect

from integrations.hub.connector import Connector

NOT_OPERATIONS = frozenset(
    {"parse", "answer", "quoted", "budget"}
)  # parts of hearing, and what is handed to or asked of connectors


def contract_of(found: type[Connector]) -> type[Connector]:
    """The class that defines the connector's kind; Connector itself where the connector does."""
    for base in found.__mro__[1:]:
        if "kind" in vars(base):
            return base
    return Connector


def operations(contract: type[Connector]) -> list[str]:
    """The names of a contract's operations: what it adds first, then what every connector may offer."""
    names: list[str] = []
    for base in contract.__mro__:
        if issubclass(base, Connector):
            names += [name for name, member in vars(base).items() if inspect.isfunction(member)]
    return [name for name in dict.fromkeys(names) if not name.startswith("_") and name not in NOT_OPERATIONS]


def offered(found: type[Connector]) -> dict[str, bool]:
    """Each operation of the connector's contract, and whether it overrides it."""
    contract = contract_of(found)
    return {name: getattr(found, name) is not getattr(contract, name) for name in operations(contract)}
