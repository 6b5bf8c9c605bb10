"""Holes in what was read by windows: found, read again, closed when they are filled or by a person with a note."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.hub.models import Account
from integrations.hub.reading.models import Gap, GapKind

if TYPE_CHECKING:
    from integrations.hub.reading.windows import Place, Polling, Seen, Source

AT_ONCE = 20  # read again with one poll, the oldest first
NUMBERS = 1000  # named in one gap; of more missing ones the rest is found when these are there


def opened() -> QuerySet[Gap]:
    """Holes that are neither filled nor closed."""
    return Gap.objects.filter(closed_at=None)


def found(account: Account, name: str, kind: str, since: datetime, until: datetime, facts: dict[str, Any]) -> None:
    """Keep a hole. One of the same kind that meets it grows instead."""
    same = opened().filter(account=account, name=name, kind=kind, since__lte=until, until__gte=since).first()
    if same is None:
        Gap.objects.get_or_create(
            account=account,
            name=name,
            kind=kind,
            since=since,
            closed_at=None,
            defaults={"until": until, "facts": facts},
        )
        return
    numbers = sorted({*same.facts.get("missing", []), *facts.get("missing", [])})
    same.facts = {**same.facts, **facts, **({"missing": numbers} if numbers else {})}
    same.since, same.until = min(same.since, since), max(same.until, until)
    same.save(update_fields=["facts", "since", "until"])


def keep(account: Account, name: str, seen: Seen, since: datetime, until: datetime) -> None:
    """Keep what a window's own words say is not whole."""
    if seen.broken:
        found(account, name, seen.broken, since, until, {"read": seen.read, "told": seen.told})


def missing(account: Account, name: str, seen: Seen, place: Place, until: datetime) -> Place:
    """Keep which running numbers are missing up to the highest one seen; returns the place after this window."""
    from integrations.hub.reading.windows import Place

    if not seen.numbers:
        return Place(until, place.number, place.number_at)
    numbers = dict(seen.numbers)
    if place.number is not None and place.number_at is not None:
        numbers = {n: at for n, at in numbers.items() if n > place.number} | {place.number: place.number_at}
    low, high = min(numbers), max(numbers)
    if lost := _lost(numbers, low, high):
        below, above = max(n for n in numbers if n < lost[0]), min(n for n in numbers if n > lost[-1])
        found(account, name, GapKind.SEQUENCE, numbers[below], numbers[above], {"missing": lost})
    return Place(until, high, numbers[high])


def _lost(numbers: dict[int, datetime], low: int, high: int) -> list[int]:
    lost = []
    for number in range(low + 1, high):
        if number not in numbers:
            lost.append(number)
            if len(lost) == NUMBERS:
                break
    return lost


def again(polling: Polling, account: Account, source: Source) -> int:
    """Read every open hole again; returns how many things were new. What the remote no longer tells stays."""
    from integrations.hub.reading import windows

    new = 0
    readable = opened().filter(account=account, name=polling.name).exclude(kind=GapKind.RETENTION)
    for gap in readable.order_by("read_at", "pk")[:AT_ONCE]:
        # A thing may carry a time a little beside its neighbours' in number.
        margin = polling.span.overlap if gap.kind == GapKind.SEQUENCE else polling.span.overlap * 0
        seen = windows.read(source, gap.since - margin, gap.until + margin)
        new += seen.new
        _read_again(gap, seen)
    return new


def _read_again(gap: Gap, seen: Seen) -> None:
    now = timezone.now()
    gap.read_at, gap.times = now, gap.times + 1
    if gap.kind == GapKind.SEQUENCE:
        gap.facts["missing"] = [number for number in gap.facts["missing"] if number not in seen.numbers]
        is_filled = not gap.facts["missing"]
    else:
        gap.facts |= {"read": seen.read, "told": seen.told}
        is_filled = not seen.broken
    gap.closed_at = now if is_filled else None
    gap.save(update_fields=["read_at", "times", "facts", "closed_at"])


def close(account: Account, note: str, *, by: str) -> int:
    """A person says that there is nothing to be found (any more); returns how many holes were closed."""
    return opened().filter(account=account).update(closed_at=timezone.now(), closed_by=by, note=note)


def in_words(gap: Gap) -> str:
    """What is missing, for people."""
    span = {"since": _at(gap.since), "until": _at(gap.until)}
    match gap.kind:
        case GapKind.SEQUENCE:
            numbers = gap.facts.get("missing", [])
            shown = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
            words = {**span, "count": len(numbers), "numbers": shown}
            return _("Between %(since)s and %(until)s %(count)s numbers were not told: %(numbers)s") % words
        case GapKind.COUNT:
            words = {**span, "told": gap.facts.get("told"), "read": gap.facts.get("read")}
            return _("Between %(since)s and %(until)s the remote counts %(told)s and told %(read)s") % words
        case GapKind.RETENTION:
            return _("From %(since)s to %(until)s nothing was read, and the remote no longer tells it") % span
    return _("Between %(since)s and %(until)s the pages ended early") % span


def _at(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%m-%d %H:%M}"
