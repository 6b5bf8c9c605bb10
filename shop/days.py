"""Days as people say them: without the year where it goes without saying."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

SATURDAY = 5  # as datetime.weekday() counts


def spoken(day: date) -> str:
    """12 December, 12月12日; with the year where it is another one than now, in the reader's language."""
    return date_format(day, "MONTH_DAY_FORMAT" if day.year == timezone.localdate().year else "DATE_FORMAT")


def working_day_ago(now: datetime | None = None) -> datetime:
    """The same time on the working day before; at a weekend, the last working day's beginning. Saturdays and Sundays
    are not worked; public holidays are not known here."""
    at = timezone.localtime(now)
    if at.weekday() >= SATURDAY:
        at = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=at.weekday() - SATURDAY)
    before = at - timedelta(days=1)
    return before - timedelta(days=max(0, before.weekday() - SATURDAY + 1))
