"""What can be heard: kinds of news, registered by the floors above from their `AppConfig.ready`.

A message only hints. The truth is looked up at the remote, outside any transaction, and then settled: once for each
hint of each message. Two messages may hint at the same thing, in any order, so `settle` gets the truth as it stands
and must change nothing where it says nothing new.
"""

from __future__ import annotations

from typing import Any, ClassVar

from integrations.hub.models import Account
from integrations.hub.values import Hint, Lane


class Hearing:
    """One kind of news of one kind of account; `name` is what hints of it call it."""

    name: ClassVar[str]
    label: ClassVar[Any] = ""  # what people call it, in their language; else its name
    lane: ClassVar[Lane]
    kind: ClassVar[str]
    personal: ClassVar[frozenset[str]] = frozenset()  # facts that tell of a person: erased with their subject

    def subject(self, key: str) -> str:
        """What it is about, e.g. `order:W20261122-7Q2M9K`; shown and searched, and what erasing goes by."""
        raise NotImplementedError

    def look(self, remote: Any, hint: Hint) -> Any:
        """The truth, asked of the remote: `remote` is the account's connector. Outside any transaction.

        Raises TryAgain where it cannot be seen yet, and the other errors of the hub.
        """
        raise NotImplementedError

    def lock(self, account: Account, hint: Hint) -> None:
        """Lock what `settle` will change; before the hint's row is locked, in the same transaction."""

    def settle(self, account: Account, hint: Hint, truth: Any) -> None:
        """What the truth means here. In one transaction with the hint's end and all wishes (`outgoing.recording()`)."""
        raise NotImplementedError


_hearings: dict[tuple[str, str], Hearing] = {}


def register(one: Hearing) -> None:
    """Make a kind of news known. Unique within its kind of account; the same class may be registered again."""
    known = _hearings.get((one.kind, one.name))
    if known is not None and type(known) is not type(one):
        raise ValueError(f"two kinds of news of {one.kind!r} accounts are named {one.name!r}")
    _hearings[one.kind, one.name] = one


def find(kind: str, name: str) -> Hearing | None:
    """What hears news of that name from that kind of account; None if nobody registered it."""
    return _hearings.get((kind, name))


def label(kind: str, name: str) -> Any:
    """What people call it, registered or not."""
    one = find(kind, name)
    return one.label or name if one else name


def lane_of(kind: str) -> Lane:
    """How urgent messages to such accounts are: as the most urgent news they may bring."""
    return min((one.lane for (of, _name), one in _hearings.items() if of == kind), default=Lane.ORDERS)
