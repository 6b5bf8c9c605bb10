"""What can be sent: topics, registered by the floors above from their `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from integrations.hub.errors import HubError
from integrations.hub.models import Account
from integrations.hub.values import Absent, Done, Lane, Later, NotReady, Pending, Repeat, Unneeded


class Topic:
    """What state and commands share. `kind` is the kind of account the topic is for."""

    name: ClassVar[str]
    label: ClassVar[Any] = ""  # what people call it, in their language; else its name
    lane: ClassVar[Lane]
    kind: ClassVar[str]
    batch: ClassVar[int] = 1  # documents in one delivery; more only where the remote takes them together
    operation: ClassVar[str] = ""  # what it asks of the connector, for `Connector.budget`
    visibility_delay: ClassVar[timedelta] = timedelta(0)
    by_hand: ClassVar[bool] = False  # a person may do it at the remote instead
    needs: ClassVar[tuple[str, ...]] = ()  # what they must enter then, besides its number there: "amount"
    outlives_account: ClassVar[bool] = False  # goes on after its account is retired: look-ups, closing, refunds
    acts_on_goods: ClassVar[bool] = False  # the remote may ship because of it
    fresh_within: ClassVar[timedelta] = timedelta(minutes=5)  # an older wish is late; staff may change it by account

    def worked(self, doc: Any, done: Done) -> Done:
        """What a person did by hand, as the remote would have answered. `doc`: what was to be sent."""
        return done

    def subject(self, key: str) -> str:
        """What the row is about, e.g. `order:W20261122-7Q2M9K`; shown and searched, never parsed."""
        raise NotImplementedError


class State(Topic):
    """Make the remote look like this. Built at send time from what stands in the database then."""

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        """Which accounts want each key. Called inside the business transaction; few queries for all keys."""
        raise NotImplementedError

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Any | Absent | NotReady | Unneeded]:
        """The document of each key. Outside a transaction; few queries for all keys."""
        raise NotImplementedError

    def lock(self, account: Account, keys: Collection[str]) -> None:
        """Lock what `charge` will change; before any hub row is locked, in the same transaction."""

    def charge(self, account: Account, docs: Mapping[str, Any]) -> Mapping[str, Any | Later]:
        """In the transaction that commits the attempts, before every send, retries too: what is sent of each key, or
        when to try again."""
        return docs

    def deliver(self, remote: Any, docs: Mapping[str, Any]) -> Mapping[str, Done | HubError]:
        """Send. `remote` is the account's connector. Every key of `docs` is answered."""
        raise NotImplementedError

    def settle(self, account: Account, key: str, done: Done) -> None:
        """What the news means here; in the settling transaction, before the outgoing row is touched."""


class Command(Topic):
    """Do this once. The row's key is the idempotency key and never changes."""

    version: ClassVar[int] = 1
    repeat: ClassVar[Repeat] = Repeat.NEVER
    resends: ClassVar[int | None] = None  # how often it may be sent again after an unknown outcome; None = no limit
    expires_after: ClassVar[timedelta] = timedelta(hours=72)

    def upgrade(self, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        """`payload` as written by `version` (one older), in today's form."""
        return payload

    def send(self, remote: Any, payload: dict[str, Any], key: str) -> Done:
        """Do it. Raises a HubError."""
        raise NotImplementedError

    def look(self, remote: Any, payload: dict[str, Any], key: str) -> Done | Pending | None:
        """Was it done? None: surely not there."""
        raise NotImplementedError

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        """What the news means here; in the settling transaction, before the outgoing row is touched."""


_topics: dict[str, Topic] = {}


def register(topic: Topic) -> None:
    """Make a topic known. Names are unique; the same class may be registered again (reloads, tests)."""
    known = _topics.get(topic.name)
    if known is not None and type(known) is not type(topic):
        raise ValueError(f"two topics are named {topic.name!r}")
    _topics[topic.name] = topic


def find(name: str) -> Topic | None:
    """The topic of that name, None if nobody registered it."""
    return _topics.get(name)


def label(name: str) -> Any:
    """What people call the topic of that name, registered or not."""
    topic = _topics.get(name)
    return topic.label or name if topic else name


def registered() -> dict[str, Topic]:
    """All topics by name."""
    return dict(_topics)


SubjectLink = Callable[[str], str]
_links: dict[str, SubjectLink] = {}
_kinds: dict[str, Any] = {}


def register_subject(prefix: str, link: SubjectLink, label: Any = "") -> None:
    """`link(rest)` is the admin address of `prefix:rest`; it must not query. `label`: what people call such a thing."""
    _links[prefix] = link
    _kinds[prefix] = label or prefix


def subject_link(subject: str) -> str:
    """The admin address of a subject, '' where nobody registered its kind."""
    prefix, _, rest = subject.partition(":")
    link = _links.get(prefix)
    return link(rest) if link and rest else ""


def subject_words(subject: str) -> str:
    """A subject as people read it: `order:W2026...` is `order W2026...`, in their language."""
    prefix, _, rest = subject.partition(":")
    return f"{_kinds[prefix]} {rest}" if prefix in _kinds else subject


def subject_kinds() -> list[str]:
    """The kinds of subjects that have an admin address, e.g. `order`."""
    return sorted(_links)
