from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ErpConfig(AppConfig):
    name = "erp"
    label = "erp"
    verbose_name = _("Back office")

    def ready(self) -> None:
        from erp import wiring

        wiring.connect()
