"""Weft's fork of Oscar's `communication` app: its models as they are, with migrations of our own."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class CommunicationConfig(OscarConfig):
    name = "shop.communication"
    label = "communication"
    verbose_name = _("Communication")
