"""What can go wrong with a remote, named by what to do next. Anything else that is raised is a bug."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any


class Scope(Enum):
    """How far a postponement reaches."""

    ROW = "row"
    OPERATION = "operation"
    ACCOUNT = "account"


class HubError(Exception):
    """Base of all expected failures. `message` is for people: plain words, no secrets, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TryAgain(HubError):
    """Surely not done; do it again later. 429, 401, a refused connection: `scope` OPERATION or ACCOUNT, no attempt."""

    def __init__(self, message: str, *, after: timedelta | None = None, scope: Scope = Scope.ROW) -> None:
        super().__init__(message)
        self.after = after
        self.scope = scope


class NoTime(TryAgain):
    """The time for one piece of work is over; says nothing of the remote."""


class OutcomeUnknown(HubError):
    """Perhaps done: time-out after sending, a cut connection, an unreadable answer. Look first, never just repeat.

    `after`: how long the remote asked us to leave this operation alone.
    """

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class Conflict(HubError):
    """The remote has another document under our key, or one that differs. `existing` is what it has."""

    def __init__(self, message: str, *, existing: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.existing = dict(existing or {})


class Rejected(HubError):
    """The remote's business rules refuse this document. `fields` names what to mend: field -> reason."""

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class Misconfigured(HubError):
    """The account's settings or rights are wrong. A person must mend the account; its rows wait."""


class Forged(HubError):
    """An incoming message's signature does not hold."""


class Unsupported(HubError):
    """The connector or the remote does not offer this operation."""
