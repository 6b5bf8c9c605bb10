"""Who may use the partner API, with what, and which of their requests became orders.

Secrets and tokens are 256 random bits, so a plain SHA-256 of them is kept: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def new_client_id() -> str:
    return secrets.token_hex(16)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Scope(models.TextChoices):
    """What a client may do."""

    PRODUCTS_READ = "products:read", _("Read products and prices")
    STOCK_READ = "stock:read", _("Read what is in stock")
    ORDERS_READ = "orders:read", _("Read its own orders")
    ORDERS_WRITE = "orders:write", _("Place orders")


class Client(models.Model):
    """A partner's program. Its orders carry `source`, and it sees no others."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    code = models.SlugField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9-]+$", _("Small letters, digits and hyphens only."))],
        help_text=_("Stands on its orders as their source, and never changes."),
    )
    contact = models.EmailField(_("contact"), blank=True, help_text=_("Whom to ask when its requests go wrong."))
    client_id = models.CharField(_("client id"), max_length=32, unique=True, editable=False, default=new_client_id)
    secret_digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope), verbose_name=_("rights"), default=list)
    may_buy_on_account = models.BooleanField(
        _("may buy on account"), default=False, help_text=_("Orders are accepted without payment first.")
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Clear this to shut it out at once."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_token_at = models.DateTimeField(_("last token issued"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        ordering = ["name"]
        permissions = [("operate_client", gettext_noop("Can make new secrets for API clients and end their tokens"))]

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        """`source_account` of its orders."""
        return f"api:{self.code}"

    @property
    def is_authenticated(self) -> bool:
        """What frameworks ask of who stands behind a request."""
        return True

    def renew_secret(self) -> str:
        """Set a new secret and return it: the only moment at which anybody can read it. Not saved yet."""
        secret = new_secret()
        self.secret_digest = digest(secret)
        return secret

    def end_tokens(self) -> int:
        """End every token it was given; returns how many."""
        return self.tokens.all().delete()[0]


class AccessToken(models.Model):
    """A bearer token that has been given to a client. What is stored cannot be used."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=32))
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return f"{self.client_id}: {self.expires_at:%Y-%m-%d %H:%M}"

    @classmethod
    def prune(cls) -> int:
        """Remove what has expired; returns how many."""
        return cls.objects.filter(expires_at__lt=timezone.now()).delete()[0]


class PlacedRequest(models.Model):
    """A request that became an order, written in the order's transaction: the same key gives the same order again.

    `fingerprint` is the SHA-256 of what was asked for; the body itself, a person's address among it, is not kept twice.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    order = models.OneToOneField("order.Order", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("placed request")
        verbose_name_plural = _("placed requests")
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="placed_request_unique")]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.key}"
