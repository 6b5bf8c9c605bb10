from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    """What all staff pages share: the search over everything, and lists that people keep."""

    name = "shop.desk"
    label = "desk"
    verbose_name = _("Staff desk")
