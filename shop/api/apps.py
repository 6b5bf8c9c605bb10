from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """The partner API."""

    name = "shop.api"
    label = "api"
    verbose_name = _("Partner API")
