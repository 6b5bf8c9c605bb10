"""Days as people say them: without the year where it goes without saying."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from django.utils.formats import date_format


def spoken(day: date) -> str:
    """12 December, 12月12日; with the year where it is another one than now, in the reader's language."""
    return date_format(day, "MONTH_DAY_FORMAT" if day.year == timezone.localdate().year else "DATE_FORMAT")
