"""Lists that staff keep: filters, search and order of one list of the admin, under a name."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

LONGEST_QUERY = 2000


class SavedList(models.Model):
    """`list` is a model with a list in the admin, e.g. `order.order`; `query` what stands behind the ? of its address.

    An address is never stored: it is made from the two, so that it cannot lead anywhere else.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_lists", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=64)
    list = models.CharField(_("list"), max_length=100)
    query = models.TextField(_("filters"), max_length=LONGEST_QUERY, blank=True)
    group = models.ForeignKey(
        Group,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="saved_lists",
        verbose_name=_("shared with"),
        help_text=_("Everybody in this group sees it as well; only you can change it."),
    )
    is_default = models.BooleanField(
        _("opens by itself"), default=False, help_text=_("The menu's link to this list opens it like this, for you.")
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("saved list")
        verbose_name_plural = _("saved lists")
        ordering = ["name", "pk"]
        permissions = [("share_savedlist", gettext_noop("Can share saved lists with a group"))]
        constraints = [
            models.UniqueConstraint(fields=["owner", "list", "name"], name="saved_list_name_unique"),
            models.UniqueConstraint(
                fields=["owner", "list"], condition=Q(is_default=True), name="one_default_per_list"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """The address of the list."""
        return reverse(f"admin:{self.list.replace('.', '_')}_changelist")

    @property
    def link(self) -> str:
        """The address of the list with these filters."""
        return f"{self.path}?{self.query}" if self.query else self.path
