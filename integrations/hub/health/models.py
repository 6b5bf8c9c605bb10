"""What watching the flows keeps: how old each may get where staff said so, and what went wrong from when to when."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class Objective(models.Model):
    """How old one flow of one account may get, where staff want something else than the code declares."""

    account = models.ForeignKey("hub.Account", on_delete=models.CASCADE, related_name="objectives")
    flow = models.CharField(max_length=96, db_collation="C")
    seconds = models.PositiveIntegerField(_("seconds"), validators=[MinValueValidator(1)])
    set_by = models.CharField(max_length=128, blank=True)
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("objective")
        verbose_name_plural = _("objectives")
        constraints = [models.UniqueConstraint(fields=["account", "flow"], name="objective_unique")]

    def __str__(self) -> str:
        return f"{self.account} {self.flow}: {self.seconds} s"


class AlarmKind(models.TextChoices):
    LATE = "late", _("late")
    PROBLEM = "problem", _("account with a problem")
    PARKED = "parked", _("parked work")
    SILENT = "silent", _("workers are silent")
    GAP = "gap", _("gap in what was read")


class Alarm(models.Model):
    """Something that stands wrong since `opened_at`; at most one is open for each (kind, subject).

    `subject` is what it is about: `<account>:<flow>`, the account's id, or a cluster's name. `facts` are the figures
    of the last look. It ends when it was well without a break for a while, at the moment from which on it was.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=AlarmKind)
    subject = models.CharField(max_length=160, db_collation="C")
    account = models.ForeignKey(
        "hub.Account", on_delete=models.CASCADE, null=True, blank=True, related_name="alarms", verbose_name=_("account")
    )
    facts = models.JSONField(_("facts"), default=dict)
    opened_at = models.DateTimeField(_("since"), db_default=Now())
    well_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    told_at = models.DateTimeField(_("told last"), null=True, blank=True)
    told = models.PositiveIntegerField(default=0)
    acknowledged_at = models.DateTimeField(_("seen at"), null=True, blank=True)
    acknowledged_by = models.CharField(_("seen by"), max_length=128, blank=True)
    note = models.TextField(_("note"), blank=True)
    silent_until = models.DateTimeField(_("silent until"), null=True, blank=True)
    silenced_by = models.CharField(_("silenced by"), max_length=128, blank=True)
    silent_reason = models.TextField(_("why it is silent"), blank=True)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-id"]
        permissions = [("operate_alarm", gettext_noop("Can acknowledge and silence alarms"))]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="alarm_open", condition=Q(ended_at__isnull=True)),
        ]
        indexes = [models.Index(fields=["kind", "subject", "-id"], name="alarm_history")]

    def __str__(self) -> str:
        from integrations.hub.health import words

        return words.of_alarm(self)
