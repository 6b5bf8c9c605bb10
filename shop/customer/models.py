"""Who buys and who works here. `User` is AUTH_USER_MODEL; everything else is Oscar's."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from oscar.apps.customer.abstract_models import AbstractProductAlert

from shop.phones import backwards


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str | None, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalise(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    @staticmethod
    def normalise(email: str | None) -> str | None:
        """Lower case, None when empty: an account without an address must not collide with another."""
        return email.strip().lower() or None if email else None


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. E-mail may be missing (WeChat accounts have none) and is unique when present."""

    email = models.EmailField(_("e-mail address"), unique=True, null=True, blank=True)
    name = models.CharField(_("full name"), max_length=255, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    may_buy_on_account = models.BooleanField(
        _("may buy on account"), default=False, help_text=_("Orders are accepted without payment first.")
    )
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May log in to the admin."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Clear this instead of deleting accounts."))
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("allow_on_account", gettext_noop("Can let customers buy on account")),
            ("export_personal", gettext_noop("Can export lists with names, addresses and phone numbers")),
        ]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]
        indexes = [
            models.Index(OpClass(Lower("name"), name="text_pattern_ops"), name="user_name"),
            models.Index(OpClass(backwards("phone"), name="text_pattern_ops"), name="user_phone"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or f"#{self.pk}"

    def clean(self) -> None:
        super().clean()
        self.email = UserManager.normalise(self.email)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or (self.email or "").split("@")[0]


class ProductAlert(AbstractProductAlert):
    pass
