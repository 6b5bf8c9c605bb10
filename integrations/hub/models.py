"""What the hub keeps: accounts with remotes, work on its way to them, each try of it, and where reading stands.

Nothing here knows an order or a product: rows carry a topic, a key and a `subject` such as `order:W20261122-...`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from integrations.hub import secrets
from integrations.hub.errors import Misconfigured
from integrations.hub.incoming.models import HookAddress, HookRefusal, Incoming, IncomingClock, IncomingHint
from integrations.hub.values import Lane

__all__ = [
    "Account", "AccountState", "Attempt", "Cursor", "HookAddress", "HookRefusal", "Incoming", "IncomingClock",
    "IncomingHint", "LaneClock", "Outgoing", "Pause", "Pulse",
]  # fmt: skip

LANES = [(lane.value, lane.name.lower()) for lane in Lane]


class AccountState(models.TextChoices):
    STARTING = "starting", _("starting")
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused by staff")
    RETIRED = "retired", _("retired")


class Account(models.Model):
    """One login at one remote. Accounts with history are retired, never deleted."""

    kind = models.CharField(_("kind"), max_length=32)
    provider = models.CharField(_("provider"), max_length=32)
    name = models.CharField(_("name"), max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=AccountState, default=AccountState.STARTING)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    active_since = models.DateTimeField(_("active since"), null=True, blank=True, editable=False)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True, editable=False)
    problem = models.TextField(_("problem"), blank=True, editable=False)
    remote_version = models.CharField(_("remote's version"), max_length=64, blank=True, editable=False)
    notes = models.JSONField(_("notes"), default=list, blank=True, editable=False)
    kept = models.JSONField(default=dict, db_default={}, blank=True, editable=False)  # by the connector, see `Health`

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["kind", "name"]
        permissions = [("operate_account", gettext_noop("Can test, pause and resume accounts"))]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("Accounts with history are retired, never deleted.")

    @property
    def credentials(self) -> dict[str, str]:
        """Secret settings, decrypted. Never log or show them."""
        return secrets.unseal(self.sealed)

    @credentials.setter
    def credentials(self, values: dict[str, str]) -> None:
        self.sealed = secrets.seal(values)

    @property
    def readable_credentials(self) -> dict[str, str]:
        """The same, or none where the key ring does not fit: then they have to be entered anew."""
        try:
            return self.credentials
        except Misconfigured:
            return {}


class Taken(models.Model):
    """Rows that a person took to do them by hand: a worksheet. They are not sent until they are given back."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="worksheets", verbose_name=_("account"))
    actor = models.CharField(_("taken by"), max_length=128)
    taken_at = models.DateTimeField(_("taken at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("worksheet")
        verbose_name_plural = _("worksheets")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.account}"


class Outgoing(models.Model):
    """Work for a remote: *state* ("make it look like this") or a *command* ("do this once").

    Open while `delivered < wanted`. For state, `wanted` counts wishes and `delivered` is the wish the remote has; for
    a command both go from (1, 0) to (1, 1).
    """

    account = models.ForeignKey(  # found by `outgoing_unique`
        Account, on_delete=models.PROTECT, db_index=False, related_name="outgoing", verbose_name=_("account")
    )
    topic = models.CharField(_("topic"), max_length=64, db_collation="C")
    key = models.CharField(_("key"), max_length=160, db_collation="C")
    subject = models.CharField(_("about"), max_length=160, db_index=True)
    lane = models.PositiveSmallIntegerField(_("lane"), choices=LANES)
    is_command = models.BooleanField(_("command"), default=False)
    serial = models.CharField(_("serial"), max_length=160, blank=True, help_text=_("Strictly in order within it."))
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    wanted = models.BigIntegerField(_("wanted"), default=1)
    delivered = models.BigIntegerField(_("delivered"), default=0)
    wished_at = models.DateTimeField(_("waits since"), db_default=Now(), editable=False)  # the oldest unmet wish
    next_at = models.DateTimeField(_("next try"), db_default=Now())
    waits_topic = models.CharField(max_length=64, blank=True, default="")
    waits_key = models.CharField(max_length=160, blank=True, default="")
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_size = models.PositiveSmallIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    crashes = models.PositiveSmallIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    is_unknown = models.BooleanField(_("outcome unknown"), default=False)
    last_error = models.TextField(_("last error"), blank=True)
    parked_at = models.DateTimeField(_("parked at"), null=True, blank=True)
    parked_reason = models.TextField(_("why it is parked"), blank=True)
    expires_at = models.DateTimeField(_("too late after"), null=True, blank=True)
    taken = models.ForeignKey(
        Taken, on_delete=models.PROTECT, null=True, blank=True, related_name="rows", db_index=False,
        verbose_name=_("worksheet"),
    )  # fmt: skip
    taken_revision = models.BigIntegerField(_("revision taken"), null=True, blank=True)
    is_unconfirmed = models.BooleanField(
        _("unconfirmed"), default=False, db_default=False, help_text=_("Done by hand; the remote has not said so yet.")
    )
    trace = models.CharField(_("trace"), max_length=64, blank=True, db_default="", editable=False)
    refs = models.JSONField(_("remote's documents"), default=list, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("outgoing work")
        verbose_name_plural = _("outgoing work")
        ordering = ["-id"]
        permissions = [("operate_outgoing", gettext_noop("Can retry parked work"))]
        constraints = [
            models.UniqueConstraint(fields=["account", "topic", "key"], name="outgoing_unique"),
            models.CheckConstraint(name="outgoing_not_ahead", condition=Q(delivered__lte=F("wanted"))),
        ]
        indexes = [
            models.Index(
                fields=["account", "lane", "next_at", "id"],
                name="outgoing_due",
                condition=Q(delivered__lt=F("wanted"), parked_at__isnull=True, waits_key="", taken__isnull=True),
            ),
            models.Index(fields=["taken"], name="outgoing_taken", condition=Q(taken__isnull=False)),
            models.Index(fields=["account"], name="outgoing_unconfirmed", condition=Q(is_unconfirmed=True)),
            models.Index(fields=["account"], name="outgoing_leased", condition=Q(lease_token__isnull=False)),
            models.Index(
                fields=["account", "waits_topic", "waits_key"], name="outgoing_waiting", condition=~Q(waits_key="")
            ),
            models.Index(fields=["account", "serial", "id"], name="outgoing_serial", condition=~Q(serial="")),
            models.Index(fields=["parked_at"], name="outgoing_parked", condition=Q(parked_at__isnull=False)),
            models.Index(fields=["account", "delivered_at"], name="outgoing_delivered"),  # an account's last success
            models.Index(fields=["trace"], name="outgoing_trace", condition=~Q(trace="")),
            GinIndex(  # by the remote's own numbers
                fields=["refs"], name="outgoing_refs", opclasses=["jsonb_path_ops"], condition=~Q(refs=[])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"

    @property
    def is_open(self) -> bool:
        return self.delivered < self.wanted


# Attempts that ended, and not well.
FAILED = Q(finished_at__isnull=False) & ~Q(outcome__in=["done", "looked up", ""])


class Attempt(models.Model):
    """One try, committed before the wire: a row without `finished_at` was perhaps sent."""

    outgoing = models.ForeignKey(Outgoing, on_delete=models.CASCADE, related_name="attempts")
    lease_token = models.UUIDField(editable=False)
    revision = models.BigIntegerField(_("revision"))
    started_at = models.DateTimeField(_("started at"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=32, blank=True)
    message = models.TextField(_("message"), blank=True)
    exchanges = models.JSONField(  # of tries that failed: what was asked and answered, redacted before it is written
        _("requests and replies"), default=list, db_default=[], blank=True
    )
    # Of whose wish it was made: written by a trigger, from the row as it stood then.
    trace = models.CharField(_("trace"), max_length=64, blank=True, db_default="", editable=False)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["outgoing"], name="attempt_open", condition=Q(finished_at__isnull=True)),
            models.Index(fields=["-id"], name="attempt_failed", condition=FAILED),  # few: an account's last failure
            BrinIndex(fields=["started_at"], name="attempt_started"),  # rows come in this order; for the purge
        ]

    def __str__(self) -> str:
        return f"{self.outgoing_id} {self.outcome or '…'}"


class Pause(models.Model):
    """An (account, topic) left alone for a while, or counted: see `pauses`. '' = all topics."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="pauses")
    topic = models.CharField(max_length=64, blank=True, default="", db_collation="C")
    until = models.DateTimeField(_("until"))
    reason = models.TextField(_("reason"), blank=True)
    times = models.PositiveIntegerField(default=0, db_default=0)  # in a row; 0 = only counted so far
    failures = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [models.UniqueConstraint(fields=["account", "topic"], name="pause_unique")]

    def __str__(self) -> str:
        return f"{self.account} {self.topic}"


class Budget(models.Model):
    """How many calls a remote's limit leaves: see `budgets`."""

    key = models.CharField(max_length=160, primary_key=True, db_collation="C")
    tokens = models.FloatField()
    filled_at = models.DateTimeField()
    learnt = models.FloatField(_("learnt rate, calls a second"), null=True, blank=True)
    learnt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("rate budget")
        verbose_name_plural = _("rate budgets")

    def __str__(self) -> str:
        return self.key


class Cursor(models.Model):
    """How far an account's changes were read. `value` is the connector's, opaque. One reader at a time, by lease."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="cursors")
    name = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField(default=1)
    value = models.TextField(blank=True)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="cursor_unique")]

    def __str__(self) -> str:
        return f"{self.account} {self.name}"


class Pulse(models.Model):
    """When a worker of a cluster last ran what the supervisor asks of it every minute: the whole way works.

    Without a host none ever did, and `beaten_at` is when the cluster was started first.
    """

    cluster = models.CharField(max_length=64, primary_key=True)
    beaten_at = models.DateTimeField(db_default=Now())
    host = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")

    def __str__(self) -> str:
        return self.cluster


class LaneClock(models.Model):
    """When rows of a lane were last claimed: the supervisor's sign of life."""

    lane = models.PositiveSmallIntegerField(primary_key=True)
    claimed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")

    def __str__(self) -> str:
        return Lane(self.lane).name


# Tables in a module of their own; here, because Django looks for models in this one.
from integrations.hub.health.models import Alarm as Alarm  # noqa: E402
from integrations.hub.health.models import Objective as Objective  # noqa: E402
from integrations.hub.reading.models import Gap as Gap  # noqa: E402
