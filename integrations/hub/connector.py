"""What every connector is: constants, the fields of its account form, and operations over a door it is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from integrations.hub.errors import Unsupported
from integrations.hub.values import Answer, Budget, Health, Hint, Inbound, Verified

if TYPE_CHECKING:
    from integrations.hub.http import Door


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an account's form. `secret` fields are encrypted at rest and never shown again.

    `long`: of many lines, as keys and certificates are.
    """

    name: str
    label: str
    secret: bool = False
    required: bool = True
    help: str = ""
    default: str = ""
    long: bool = False


class Connector:
    """Base of all connectors.

    A connector never imports a Django model, another connector or `requests`. It gets its account's settings
    (secrets decrypted), the HTTP door bound to the account, and a clock. One instance serves one drain of one
    account, in one thread; it may keep a remote session on itself.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    label: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    checks: ClassVar[str] = ""  # what `health` tries, for people: "signs in, reads the version"
    identity: ClassVar[tuple[str, ...]] = ()
    keeps: ClassVar[tuple[str, ...]] = ()  # headers that `parse` needs, in lower case: only these are kept

    def __init__(self, settings: Mapping[str, str], http: Door, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self.http = http
        self.now = now

    def health(self) -> Health:
        """Ask the remote whether we may work with it; writes nothing.

        Raises Misconfigured (wrong credentials, unsupported version, missing rights) or TryAgain (not reachable).
        """
        raise NotImplementedError

    def budget(self, operation: str) -> Budget | None:
        """How often the remote lets `operation` be asked (a topic's word for what it asks); None: no limit is known."""
        return None

    def quoted(self, said: str | bytes, longest: int = 200) -> str:
        """What a remote said, fit for a message: one line, not endless, none of this account's secrets in it.

        Some remotes send back what they were sent.
        """
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        for name in (field.name for field in self.fields if field.secret):
            if secret := self.settings.get(name):
                words = words.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return "".join(letter if letter.isprintable() else " " for letter in words)[:longest].strip()

    # What the remote sends us. A connector that overrides `verify` has an address: /hooks/<kind>/<name>/<token>/

    def verify(self, inbound: Inbound) -> Verified:
        """Did the remote send this, for this account, lately? Pure: no HTTP, no database; digests in constant time.

        Raises Forged (no, another's, or too old for the remote's own tolerance by `self.now()`).
        """
        raise Unsupported(f"{self.label} sends nothing.")

    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        """What it says may have happened. Called after it was stored, with the headers in `keeps`; pure as `verify`.

        Raises Rejected for what cannot be understood.
        """
        raise Unsupported(f"{self.label} sends nothing.")

    @classmethod
    def hears(cls) -> bool:
        """Does its remote send anything?"""
        return cls.verify is not Connector.verify

    def answer(self, accepted: bool) -> Answer:
        """The words the remote wants: it is kept (so it stops sending), or it is not (so it sends it again).

        Of what is not kept because nothing proves who sent it, the status is always 401 or 429.
        """
        return Answer() if accepted else Answer(503)
