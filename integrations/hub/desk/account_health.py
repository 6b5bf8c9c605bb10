"""How accounts are doing: last success and failure, what waits and for how long, what is parked. A few subqueries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub import said
from integrations.hub.desk.admin_pages import StaffAdmin
from integrations.hub.models import FAILED, Account, Attempt, Outgoing, Pause
from integrations.hub.reading import gaps

FAILURES_LOOKED_AT = 1000


# What waits, in the two parts that have an index each (`outgoing_due`, `outgoing_waiting`): together they would have
# none, and every row an account ever had would be read. What is parked has `outgoing_parked`.
DUE = Q(parked_at__isnull=True, waits_key="")
HELD_UP = Q(parked_at__isnull=True) & ~Q(waits_key="")
PARKED = Q(parked_at__isnull=False)


def _undelivered(which: Q) -> QuerySet[Outgoing]:
    return Outgoing.objects.filter(which, account=OuterRef("pk"), delivered__lt=F("wanted")).order_by()


def _rows(which: Q) -> Coalesce:
    """How many of an account's outgoing rows are such, as one subquery."""
    counted = _undelivered(which).values("account").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _oldest(which: Q) -> Subquery:
    rows = _undelivered(which).order_by("created_at").values("created_at")[:1]
    return Subquery(rows, output_field=DateTimeField())


def _last_success() -> Subquery:
    rows = Outgoing.objects.filter(account=OuterRef("pk"), delivered_at__isnull=False).order_by("-delivered_at")
    return Subquery(rows.values("delivered_at")[:1])


def _last_failure(what: str) -> Subquery:
    """Among the latest failures of all accounts: an old one is no news, and looking for it would read them all."""
    latest = Attempt.objects.filter(FAILED).order_by("-pk").values("pk")[:FAILURES_LOOKED_AT]
    rows = Attempt.objects.filter(pk__in=latest, outgoing__account=OuterRef("pk")).order_by("-pk")
    return Subquery(rows.values(what)[:1])


def _at(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "m-d H:i:s") if moment else "–"


class AccountHealth(StaffAdmin):
    """The columns and facts of an account's health."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                waiting=_rows(DUE) + _rows(HELD_UP),
                parked=_rows(PARKED),
                oldest=Least(_oldest(DUE), _oldest(HELD_UP)),
                last_success=_last_success(),
                last_failure=_last_failure("finished_at"),
                last_words=_last_failure("message"),
            )
            .prefetch_related(Prefetch("pauses", Pause.objects.filter(until__gt=timezone.now())))
        )

    @display(description=gettext_lazy("health"))
    def health(self, account: Account) -> str:
        if account.problem:
            return format_html('<span class="weft-bad">{}</span>', said.in_words(account.problem))
        if pause := next((pause for pause in account.pauses.all() if not pause.topic), None):
            words = _("left alone until %(at)s: %(reason)s") % {
                "at": _at(pause.until), "reason": said.in_words(pause.reason),
            }  # fmt: skip
            return format_html('<span class="weft-bad">{}</span>', words)
        if not account.checked_at:
            return _("not asked yet")
        return format_html('<span class="weft-good">{}</span>', _("works"))

    @display(description=gettext_lazy("last success"), ordering="last_success")
    def shown_success(self, account: Any) -> str:
        return _at(account.last_success)

    @display(description=gettext_lazy("last failure"), ordering="last_failure")
    def shown_failure(self, account: Any) -> str:
        if not account.last_failure:
            return "–"
        words = said.in_words(account.last_words)
        return format_html('<span title="{}">{}</span>', words, _at(account.last_failure))

    @display(description=gettext_lazy("oldest waits for"), ordering="oldest")
    def oldest_wait(self, account: Any) -> str:
        return timesince(account.oldest) if account.oldest else "–"

    @display(description=gettext_lazy("waiting"), ordering="waiting")
    def waiting(self, account: Any) -> str:
        return self._counted(account, account.waiting, "open")

    @display(description=gettext_lazy("parked"), ordering="parked")
    def parked(self, account: Any) -> str:
        return self._counted(account, account.parked, "parked")

    def _counted(self, account: Account, number: int, state: str) -> str:
        link = f"{reverse('admin:hub_outgoing_changelist')}?account__id__exact={account.pk}&state={state}"
        return format_html('<a href="{}">{}</a>', link, number) if number else "0"

    @display(description=gettext_lazy("reading"))
    def readings(self, account: Account) -> str:
        """How far its news was read, and what hinders it."""
        rows = ((cursor.name, _at(cursor.read_at), said.in_words(cursor.problem)) for cursor in account.cursors.all())
        shown = format_html_join("", '<p>{}: {} <span class="weft-bad">{}</span></p>', rows)
        holes = ((gaps.in_words(gap),) for gap in gaps.opened().filter(account=account)[:20])
        return shown + format_html_join("", '<p class="weft-bad">{}</p>', holes) or "–"
