"""The admin site's set-up: only our own admin classes; Oscar's are not loaded."""

from importlib import import_module

from django.contrib.admin.apps import SimpleAdminConfig

ADMINS = (
    "integrations.hub.admin",
    "shop.order.admin",
    "shop.order.admin_intake",
    "shop.payments.admin",
    "shop.payments.admin_refunds",
    "shop.payments.admin_strays",
    "shop.payments.admin_disputes",
    "shop.stock.admin",
    "shop.stock.admin_ledgers",
    "shop.stock.admin_proposals",
    "shop.stock.admin_sheets",
    "shop.stock.admin_warehouses",
    "shop.channels.admin",
    "shop.stock.admin_supply",
    "shop.stock.admin_presales",
    "shop.stock.admin_promises",
    "shop.stock.admin_shortages",
    "shop.fulfilment.admin",
    "shop.returns.admin",
    "shop.catalogue.admin",
    "shop.pricing.admin",
    "shop.customer.admin",
    "shop.api.admin",
    "shop.customer.admin_groups",
    "shop.desk.admin",
)


class BackofficeConfig(SimpleAdminConfig):
    default_site = "shop.desk.site.DeskSite"

    def ready(self) -> None:
        super().ready()
        for module in ADMINS:
            import_module(module)
