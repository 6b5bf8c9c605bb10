"""The database's clock. Leases and due times stand on it: workers' own clocks may differ by minutes."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """Now, as the database says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        value: datetime = cursor.fetchone()[0]
        return value
