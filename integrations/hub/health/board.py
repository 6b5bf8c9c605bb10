"""What the page of all flows shows: how each stands in words, with its last success and its last error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrations.hub import said
from integrations.hub.health import flows, spans
from integrations.hub.health.flows import Flow
from integrations.hub.models import AccountState, Cursor
from integrations.hub.reading import gaps

DELIVERED_LOOKED_AT = 200  # of each account, and
FAILED_LOOKED_AT = 1000  # of all together: an older success or failure is no news, and looking for it would read all

# Words and colour of each state, the worst first: the first that fits is shown.
STATES: dict[str, tuple[Any, str]] = {
    "late": (gettext_lazy("late"), "danger"),
    "paused": (gettext_lazy("paused by staff"), "warning"),
    "resting": (gettext_lazy("resting"), "warning"),
    "parked": (gettext_lazy("waits for a decision"), "warning"),
    "gaps": (gettext_lazy("has gaps"), "warning"),
    "failing": (gettext_lazy("trying again"), "warning"),
    "waiting": (gettext_lazy("on its way"), "info"),
    "well": (gettext_lazy("well"), "success"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the board."""

    flow: Flow
    state: str
    success: datetime | None
    error: str
    error_at: datetime | None
    problem: str = ""
    holes: int = 0

    @property
    def words(self) -> Any:
        return STATES[self.state][0]

    @property
    def colour(self) -> str:
        return STATES[self.state][1]

    @property
    def age(self) -> str:
        return spans.words(self.flow.age) if self.flow.age >= 1 else "–"

    @property
    def objective(self) -> str:
        return spans.words(self.flow.objective)

    @property
    def why(self) -> str:
        """What hinders it: the account's problem, or what it rests for and until when."""
        if self.flow.account.problem:
            return said.in_words(self.flow.account.problem)
        if self.problem:
            return said.in_words(self.problem)
        if self.holes:
            return ngettext("%(n)d gap: see the account", "%(n)d gaps: see the account", self.holes) % {"n": self.holes}
        rest = self.flow.rest
        if rest is None or rest.until <= timezone.now():
            return ""
        until = f"{timezone.localtime(rest.until):%m-%d %H:%M:%S}"
        return _("left alone until %(at)s: %(reason)s") % {"at": until, "reason": said.in_words(rest.reason)}

    def list(self, state: str) -> str:
        """The list of exactly the rows that a number counts."""
        if self.flow.name == flows.HEARD:
            heard = {"account__id__exact": self.flow.account.id, "state": "parked" if state == "parked" else "open"}
            return f"{reverse('admin:hub_incoming_changelist')}?{urlencode(heard)}"
        query: dict[str, str | int] = {
            "account__id__exact": self.flow.account.id,
            "topic": self.flow.name,
            "state": state,
        }
        return f"{reverse('admin:hub_outgoing_changelist')}?{urlencode(query)}"

    @property
    def waiting_list(self) -> str:
        return self.list("open")

    @property
    def failing_list(self) -> str:
        return self.list("failing")

    @property
    def parked_list(self) -> str:
        return self.list("parked")


def state_of(flow: Flow) -> str:
    """As one of STATES."""
    if flow.is_late:
        return "late"
    if flow.account.state == AccountState.PAUSED:
        return "paused"
    if flow.rest and flow.rest.until > timezone.now():
        return "resting"
    for state in ("parked", "failing", "waiting"):
        if getattr(flow, state):
            return state
    return "well"


def rows() -> list[Row]:
    """All of them, in four statements."""
    measured = flows.measure()
    delivered, failed = _delivered(), _failed()
    holes = gaps.opened().filter(account=OuterRef("account"), name=OuterRef("name")).order_by().values("name")
    counted = Cursor.objects.annotate(holes=Subquery(holes.annotate(n=Count("pk")).values("n")))
    read = {(cursor.account_id, cursor.name): cursor for cursor in counted}
    return list(_rows(measured, delivered, failed, read))


def _rows(measured: Iterable[Flow], delivered: Any, failed: Any, read: Any) -> Iterator[Row]:
    for flow in measured:
        if flow.is_read:
            cursor = read.get((flow.account.id, flow.name.partition(":")[2]))
            problem, holes = (cursor.problem, cursor.holes or 0) if cursor else ("", 0)
            state = state_of(flow)
            state = "gaps" if holes and state == "well" else state
            yield Row(flow, state, cursor and cursor.read_at, "", None, problem, holes)
        else:
            key = (flow.account.id, flow.name)
            error, at = failed.get(key, ("", None))
            yield Row(flow, state_of(flow), delivered.get(key), said.in_words(error), at)


_DELIVERED = """
SELECT a.id, d.topic, max(d.delivered_at) FROM hub_account a CROSS JOIN LATERAL (
    SELECT o.topic, o.delivered_at FROM hub_outgoing o WHERE o.account_id = a.id AND o.delivered_at IS NOT NULL
    ORDER BY o.delivered_at DESC LIMIT %s
) d WHERE a.state <> %s GROUP BY 1, 2
"""
_FAILED = """
SELECT DISTINCT ON (o.account_id, o.topic) o.account_id, o.topic, t.message, t.finished_at FROM (
    SELECT id, outgoing_id, message, finished_at FROM hub_attempt
    WHERE finished_at IS NOT NULL AND NOT (outcome IN ('done', 'looked up', '')) ORDER BY id DESC LIMIT %s
) t JOIN hub_outgoing o ON o.id = t.outgoing_id ORDER BY o.account_id, o.topic, t.id DESC
"""


def _delivered() -> dict[tuple[int, str], datetime]:
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, [DELIVERED_LOOKED_AT, AccountState.RETIRED])
        return {(account, topic): at for account, topic, at in cursor.fetchall()}


def _failed() -> dict[tuple[int, str], tuple[str, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, [FAILED_LOOKED_AT])
        return {(account, topic): (message, at) for account, topic, message, at in cursor.fetchall()}
