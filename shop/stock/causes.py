"""Why promises cannot be kept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Cause(models.TextChoices):
    """What took away units that were promised."""

    READING = "reading", _("ERP's figure fell")
    COUNT = "count", _("count")
    DAMAGE = "damage", _("damage")
    SHIPPED = "shipped", _("shipped more than was there")
    CHANNEL = "channel", _("sold on a channel beyond what it was given")
    MOVED = "moved", _("moved off the shelf")
    CLOSED = "closed", _("warehouse closed for sale")
    REPAIR = "repair", _("found by a repair")


SUPPLY = "supply"  # no shortage of a pool: what was sold ahead did not come, or came late
WHY_BROKEN = [*Cause.choices, (SUPPLY, _("incoming supply failed or was late"))]
