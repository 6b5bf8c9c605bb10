"""The database's clock: the one that leases, due times and pauses go by, whatever the hosts' clocks say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Func


class Clock(Func):
    """`clock_timestamp()` in a query; add a timedelta for later."""

    template = "clock_timestamp()"
    output_field: Any = DateTimeField()


def now() -> datetime:
    """What the database's clock says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        value: datetime = cursor.fetchone()[0]
        return value
