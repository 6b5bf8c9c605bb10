"""What the hub keeps of what remotes send: messages, hints in them, the addresses they come to, what was refused."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from integrations.hub.values import Lane

LANES = [(lane.value, lane.name.lower()) for lane in Lane]


class HookAddress(models.Model):
    """Where a remote sends to: /hooks/<kind>/<provider>/<token>/. Of the token only the SHA-256 is kept."""

    account = models.ForeignKey(
        "hub.Account", on_delete=models.PROTECT, related_name="addresses", verbose_name=_("account")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ends_in = models.CharField(_("ends in"), max_length=4)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    ends_at = models.DateTimeField(_("valid until"), null=True, blank=True)

    class Meta:
        verbose_name = _("address for messages")
        verbose_name_plural = _("addresses for messages")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"…{self.ends_in}"


class HookRefusal(models.Model):
    """How many messages to an account were refused because nothing proved who sent them. One row for each account."""

    account = models.OneToOneField("hub.Account", on_delete=models.PROTECT, primary_key=True, related_name="refusals")
    times = models.BigIntegerField(_("times"), default=0)
    last_at = models.DateTimeField(_("last at"), db_default=Now())
    last_reason = models.TextField(_("last reason"), blank=True)

    class Meta:
        verbose_name = _("refused messages")
        verbose_name_plural = _("refused messages")

    def __str__(self) -> str:
        return f"{self.account_id}: {self.times}"


class Incoming(models.Model):
    """A message that a remote sent and that was proven to be its own, once for each event.

    Open until `done_at`. `sealed` is what was sent (headers that parsing needs, query, body), encrypted; None once it
    was purged. An anomaly came under the id of another message with another body: it is kept for people, never heeded.
    """

    account = models.ForeignKey(  # found by `incoming_unique`
        "hub.Account", on_delete=models.PROTECT, db_index=False, related_name="incoming", verbose_name=_("account")
    )
    dedupe = models.CharField(max_length=300, db_collation="C", editable=False)
    event = models.CharField(_("event"), max_length=200, db_collation="C", blank=True)
    digest = models.CharField(_("SHA-256 of the body"), max_length=64)
    sealed = models.BinaryField(null=True, editable=False)
    version = models.PositiveSmallIntegerField(default=1)
    lane = models.PositiveSmallIntegerField(_("lane"), choices=LANES)
    subject = models.CharField(_("about"), max_length=160, blank=True)
    is_anomaly = models.BooleanField(_("anomaly"), default=False)
    received_at = models.DateTimeField(_("received at"), db_default=Now(), editable=False)
    last_received_at = models.DateTimeField(_("last received at"), db_default=Now(), editable=False)
    times = models.PositiveIntegerField(_("times received"), default=1)
    parsed_at = models.DateTimeField(_("understood at"), null=True, blank=True)
    next_at = models.DateTimeField(_("next try"), db_default=Now())
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_size = models.PositiveSmallIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    crashes = models.PositiveSmallIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    attempts = models.JSONField(_("attempts"), default=list, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    parked_at = models.DateTimeField(_("parked at"), null=True, blank=True)
    parked_reason = models.TextField(_("why it is parked"), blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    note = models.CharField(_("closed by hand"), max_length=255, blank=True)
    # Of the request that brought it first; what is written while it is heeded bears the same.
    trace = models.CharField(_("trace"), max_length=64, blank=True, db_default="", editable=False)

    class Meta:
        verbose_name = _("incoming message")
        verbose_name_plural = _("incoming messages")
        ordering = ["-id"]
        permissions = [("operate_incoming", gettext_noop("Can retry and close incoming messages"))]
        constraints = [
            models.UniqueConstraint(fields=["account", "dedupe"], name="incoming_unique"),
            models.CheckConstraint(
                name="incoming_done_or_parked", condition=Q(done_at__isnull=True) | Q(parked_at__isnull=True)
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "lane", "next_at", "id"],
                name="incoming_due",
                condition=Q(done_at__isnull=True, parked_at__isnull=True),
            ),
            models.Index(fields=["account"], name="incoming_leased", condition=Q(lease_token__isnull=False)),
            models.Index(fields=["parked_at"], name="incoming_parked", condition=Q(parked_at__isnull=False)),
            models.Index(fields=["done_at"], name="incoming_sealed", condition=Q(sealed__isnull=False)),
            models.Index(fields=["event"], name="incoming_event", condition=~Q(event="")),
            models.Index(fields=["subject"], name="incoming_subject", condition=~Q(subject="")),
            models.Index(fields=["trace"], name="incoming_trace", condition=~Q(trace="")),
        ]

    def __str__(self) -> str:
        return self.event or self.digest[:12]

    @property
    def is_open(self) -> bool:
        return self.done_at is None


class IncomingHint(models.Model):
    """What a message says may have happened. Settled once: `applied` counts how often, in the transaction that did."""

    incoming = models.ForeignKey(Incoming, on_delete=models.CASCADE, db_index=False, related_name="hints")
    kind = models.CharField(_("kind of news"), max_length=64, db_collation="C")
    key = models.CharField(_("key"), max_length=200, db_collation="C")
    subject = models.CharField(_("about"), max_length=160, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    applied = models.PositiveSmallIntegerField(default=0, editable=False)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("hint")
        verbose_name_plural = _("hints")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["incoming", "kind", "key"], name="hint_unique")]
        indexes = [
            models.Index(fields=["subject"], name="hint_subject", condition=~Q(subject="")),
            models.Index(fields=["incoming"], name="hint_open", condition=Q(settled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class IncomingClock(models.Model):
    """When incoming messages of a lane were last claimed: the supervisor's sign of life."""

    lane = models.PositiveSmallIntegerField(primary_key=True)
    claimed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("lane of incoming messages")
        verbose_name_plural = _("lanes of incoming messages")

    def __str__(self) -> str:
        return Lane(self.lane).name
