"""What came of heeding a message: given back, put off, parked or failed. Written by whoever holds the lease."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.hub.door import pauses
from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Scope, TryAgain
from integrations.hub.incoming.claims import PAUSE, Batch
from integrations.hub.models import Account, Incoming, Pause
from integrations.hub.sending.outcomes import PATIENCE, LeaseLost, backoff

log = logging.getLogger("weft.hub")

ATTEMPTS_KEPT = 20
UNLEASED: dict[str, Any] = {"lease_token": None, "lease_until": None, "lease_size": 0}

__all__ = ["UNLEASED", "LeaseLost", "failed", "park", "release", "reopen"]


def release(batch: Batch, row: Incoming) -> None:
    """Give a row back untouched; it is due at once."""
    _write(batch, row)


def park(batch: Batch, row: Incoming, reason: str, **also: Any) -> None:
    """Set a row aside for a person, with the reason in words."""
    _write(batch, row, parked_at=timezone.now(), parked_reason=reason, last_error=reason, **also)
    log.warning("parked message %s of %s: %s", row.pk, batch.account, reason)


def _write(batch: Batch, row: Incoming, **values: Any) -> None:
    Incoming.objects.filter(pk=row.pk, lease_token=batch.token).update(**values, **UNLEASED)


def reopen(batch: Batch) -> None:
    """The remote answers again."""
    if batch.paused:
        Pause.objects.filter(account=batch.account, topic__in=batch.paused).delete()
        batch.paused.clear()


def failed(batch: Batch, row: Incoming, error: Exception) -> None:
    """Write down what went wrong and what happens next (the table of errors in docs/delivery.md)."""
    if isinstance(error, LeaseLost):
        log.warning("lease of message %s lost before it was settled", row.pk)
        return
    message = _message(error)
    attempt = {"at": timezone.now().isoformat(), "outcome": _outcome(error), "message": message}
    attempts = [*row.attempts, attempt][-ATTEMPTS_KEPT:]
    with transaction.atomic():
        match error:
            case TryAgain(scope=Scope.OPERATION | Scope.ACCOUNT):
                _close(batch, PAUSE if error.scope is Scope.OPERATION else "", error.after, message)
                _write(batch, row, last_error=message, attempts=attempts)
            case Misconfigured():
                Account.objects.filter(pk=batch.account.pk).update(problem=message)
                _close(batch, "", timedelta(minutes=5), message)
                _write(batch, row, last_error=message, attempts=attempts)
            case TryAgain() | OutcomeUnknown():
                _again(batch, row, attempts, getattr(error, "after", None), is_bug=False)
            case HubError():
                park(batch, row, message, attempts=attempts)
            case _:
                log.error(
                    "bug while heeding message %s:\n%s", row.pk, "".join(traceback.format_tb(error.__traceback__))
                )
                _again(batch, row, attempts, None, is_bug=True)


def _message(error: Exception) -> str:
    """For people. Of a bug only its kind and place: its own words may hold what was sent."""
    if isinstance(error, HubError):
        return error.message
    place = traceback.extract_tb(error.__traceback__)[-1]
    name = place.filename.rsplit("/", 1)[-1]
    return f"An error in Weft: {type(error).__name__} at {name}:{place.lineno}. Its trace is in the log."


def _outcome(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, HubError) else "bug"


def _again(
    batch: Batch, row: Incoming, attempts: list[dict[str, str]], after: timedelta | None, *, is_bug: bool
) -> None:
    """Later again; after ten failures in a row while others got through, or of our own, it is set aside."""
    failures, message = row.failures + 1, attempts[-1]["message"]
    also = {"attempts": attempts, "failures": failures, "failing_since": row.failing_since or timezone.now()}
    if failures >= PATIENCE and is_bug:
        park(batch, row, f"Failed {failures} times. Last: {message}", **also)
    elif failures >= PATIENCE and _neighbours_get_through(row):
        park(batch, row, f"Failed {failures} times while others got through. Last: {message}", **also)
    else:
        due = timezone.now() + (after or backoff(row.failures))
        _write(batch, row, next_at=due, last_error=message, **also)


def _neighbours_get_through(row: Incoming) -> bool:
    """Of the last 30 days, by `incoming_sealed`; and not what people closed by hand."""
    since = row.failing_since or timezone.now()
    done = Incoming.objects.filter(account_id=row.account_id, done_at__gt=since, sealed__isnull=False)
    return done.exclude(pk=row.pk).exists()


def _close(batch: Batch, topic: str, after: timedelta | None, reason: str) -> None:
    """What the remote refused as a whole: once for a batch, and none of its rows is to blame."""
    if topic not in batch.closed:
        batch.closed.add(topic)
        pauses.shut(batch.account, topic, after, reason)
