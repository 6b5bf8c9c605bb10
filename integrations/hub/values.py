"""Plain values that every floor shares. Frozen, no Django, no behaviour beyond their own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any


class Lane(IntEnum):
    """How urgent outgoing work is. Lower is claimed first."""

    MONEY = 0
    PARCELS = 1
    ORDERS = 2
    STOCK = 3
    CATALOGUE = 4


class Repeat(Enum):
    """What may be done when an operation was perhaps sent already."""

    SAFE = "the provider dedupes our key"
    LOOK = "look before every resend"
    NEVER = "a person decides"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one ISO 4217 currency, already quantised to its exponent."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. `lines` are street lines, most specific last; `country` is ISO 3166-1 alpha-2."""

    name: str
    lines: tuple[str, ...]
    district: str
    city: str
    region: str
    postcode: str
    country: str
    phone: str


@dataclass(frozen=True, slots=True)
class Ref:
    """Somebody else's document: `id` is opaque to us, `number` is what their people read."""

    id: str
    number: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The remote looks as we wanted (or the command was carried out).

    `refs` are the remote's documents, `facts` is small JSON kept on the outgoing row, `warnings` are shown to staff.
    """

    refs: tuple[Ref, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A look-up's answer: the remote has it, but it is not finished yet."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A builder's answer: the subject is gone; the remote should not have it either."""


@dataclass(frozen=True, slots=True)
class Unneeded:
    """A builder's answer: the remote never heard of it and need not: settled without a call."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """A builder's answer: this row waits for another of the same account. Not an attempt."""

    topic: str
    key: str


@dataclass(frozen=True, slots=True)
class Later:
    """What `charge` says of a document that may not be sent now. Not an attempt."""

    after: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Health:
    """What a connector's `health()` saw: `version` of the remote's software, and notes for staff.

    `kept`: what the connector finds among its settings from now on (public things only, say the remote's certificates);
    a name of a form's field is the form's.
    """

    version: str = ""
    notes: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of the remote: at most `per_second` calls on average, `burst` at once, counted under `key`.

    `key` names whom the remote counts (an app, a merchant), so accounts may share one. `cost` is what one delivery
    takes, in calls; at most `burst`.
    """

    key: str
    per_second: float
    burst: int = 1
    cost: int = 1

    def __post_init__(self) -> None:
        if self.per_second <= 0 or not 1 <= self.cost <= self.burst:
            raise ValueError(f"not a budget: {self}")


@dataclass(frozen=True, slots=True)
class Inbound:
    """What somebody sent to an account's address, unread: `headers` by lower-case name, `query` and `body` as sent."""

    headers: Mapping[str, str]
    body: bytes
    query: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """A connector's word that the remote itself sent it, for this account, lately.

    `event` is the remote's own id of the event, the same in every redelivery; '' where it has none (then the digest of
    `content` stands for it). `content` is what two deliveries of one event have in common: without the time of sending
    and the signature over it, decrypted; None: the whole body. Only its digest is kept.
    """

    event: str = ""
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may have happened: `kind` says to what (a kind of news), `key` to which, in our words.

    `facts` are the money facts and ids the message names, small and without personal data. They are kept for good and
    compared, never believed: the truth is looked up at the remote.
    """

    kind: str
    key: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to the remote, in its own exact words."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


ABSENT = Absent()
