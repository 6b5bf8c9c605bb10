"""Why a channel shows what it shows: in words, for people."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from shop.stock.models import Mode, Push, Share


def mode_of(share: Share) -> Mode:
    """Its own, else its channel's."""
    return Mode(share.mode or share.channel.mode)


def why(share: Share) -> str:
    """What this share is waiting for, or that it is settled. `share.last`: its last push, where that was looked up."""
    if not share.is_offered:
        return _("Not offered there: the channel is told 0.")
    if mode_of(share) == Mode.SHARED and not share.is_guarded:
        words = _("Nothing is set aside: it is told what is free, less a buffer of %(buffer)d.")
        return words % {"buffer": share.channel.buffer}
    if share.live is not None:
        return _waiting(share)
    if not share.is_drained:
        return _under_way(share)
    words = _("It can sell %(escrow)d more, all of them set aside. By weight and demand it should show %(target)d.")
    return words % {"escrow": share.escrow, "target": share.target}


def _waiting(share: Share) -> str:
    words = _(
        "Shows %(figure)d since %(at)s. What is set aside beyond that is free again once its orders up to then are in."
    )
    return words % {"figure": share.live, "at": _time(share.live_at)}


def _under_way(share: Share) -> str:
    last: Push | None = getattr(share, "last", None)
    if last is not None and last.closed_at is None and last.closes_at > timezone.now():
        words = _("%(figure)d was sent, and may arrive until %(at)s. Until then nothing but 0 is sent.")
        return words % {"figure": last.figure, "at": _time(last.closes_at)}
    if not share.is_guarded:
        return _("What it shows is not known: it is told 0 first, and given units once all it has sold is in.")
    return _("The last figure was never confirmed: it is told 0 first, and given units once all it has sold is in.")


def _time(at: object) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "–"  # type: ignore[arg-type]
