"""Where what was read of an account has a hole. Kept until it is filled, or until somebody says it is none."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class GapKind(models.TextChoices):
    EARLY = "early", _("the pages ended early")
    COUNT = "count", _("fewer were told than the remote counts")
    SEQUENCE = "sequence", _("numbers are missing")
    RETENTION = "retention", _("older than the remote still tells")


class Gap(models.Model):
    """Of the cursor `name`, after `since` and up to `until` by the remote's clock, something was not told.

    `facts`: `missing` numbers, or how many were `told` and `read`. It is read again with every poll; what the remote no
    longer tells only a person can close.
    """

    account = models.ForeignKey("hub.Account", on_delete=models.CASCADE, related_name="gaps")
    name = models.CharField(max_length=64)
    kind = models.CharField(_("kind"), max_length=16, choices=GapKind)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))
    facts = models.JSONField(default=dict)
    found_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)
    times = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=128, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")
        ordering = ["since", "id"]
        indexes = [models.Index(fields=["account", "name"], name="gap_open", condition=Q(closed_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name", "kind", "since"], name="gap_unique", condition=Q(closed_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.name} {self.kind} {self.since}"
