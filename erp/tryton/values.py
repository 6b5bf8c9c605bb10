"""How Tryton writes values that JSON has no word for. Its times are naive UTC."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any


def dumps(value: Any) -> str:
    """JSON as Tryton reads it."""
    return json.dumps(value, default=_encode)


def loads(text: bytes | str) -> Any:
    """JSON as Tryton writes it; raises ValueError when it is none."""
    return json.loads(text, object_hook=_decode)


def packed(value: Any) -> str:
    """JSON for a query string or a header (REST domains, orders, contexts)."""
    return urlsafe_b64encode(dumps(value).encode()).decode()


def _encode(value: Any) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{part: getattr(value, part) for part in parts}}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    raise TypeError(f"Tryton has no word for {type(value).__name__}")


def _decode(value: dict[str, Any]) -> Any:
    kind = value.get("__class__")
    parts = {key: item for key, item in value.items() if key != "__class__"}
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "datetime":
        return datetime(**parts)
    if kind == "date":
        return date(**parts)
    if kind == "timedelta":
        return timedelta(**parts)
    return value
