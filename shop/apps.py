from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    """The storefront as a whole: its wiring, its commands."""

    name = "shop"
    label = "shop"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from shop import wiring

        wiring.connect()
