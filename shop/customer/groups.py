"""Who may do what: the seeded groups and their rights. Services and pages check named permissions, never a group."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

ORDERS_SEEN = (
    "order.view_order",
    "order.view_line",
    "fulfilment.view_parcel",
    "stock.view_pool",
    "stock.view_hold",
    "stock.view_shortage",
    "stock.view_brokenpromise",
    "stock.view_supply",
    "stock.view_presale",
    "hub.view_outgoing",
)
RETURNS_SEEN = (
    "returns.view_return",
    "returns.view_returnline",
    "returns.view_creditnote",
    "returns.view_creditnoteline",
)
PAYMENTS_SEEN = tuple(
    f"payments.view_{model}" for model in ("attempt", "entry", "refund", "refundpart", "stray", "dispute")
)
CATALOGUE_SEEN = (
    "catalogue.view_product",
    "catalogue.view_category",
    "catalogue.view_productimage",
    "catalogue.view_productclass",
    "catalogue.view_productattribute",
    "catalogue.view_attributeoptiongroup",
    "catalogue.view_attributeoption",
    "partner.view_partner",
    "pricing.view_taxclass",
)
IMPORTS_SEEN = ("catalogue.view_importrun",)
STOCK_SEEN = (
    "stock.view_movement",
    "stock.view_warehouse",
    "stock.view_reading",
    "stock.view_repair",
    "stock.view_channel",
    "stock.view_share",
    "stock.view_closure",
)
COUNTS_SEEN = ("stock.view_proposal", "stock.view_countsheet")
CHANNELS_RUN = ("stock.add_channel", "stock.change_channel", "stock.change_share", "stock.add_closure",
                "stock.change_closure", "stock.delete_closure")  # fmt: skip
HUB_SEEN = ("hub.view_account", "hub.view_alarm", "hub.view_taken", "hub.view_incoming", "api.view_client")
INTAKES_SEEN = ("order.view_intake",)
SHARE = "desk.share_savedlist"  # whoever works with lists may give one to colleagues

GROUPS: dict[str, tuple[str, ...]] = {
    "sales": (
        *ORDERS_SEEN,
        *RETURNS_SEEN,
        *CATALOGUE_SEEN,
        *INTAKES_SEEN,
        *PAYMENTS_SEEN,
        "payments.refund_payment",
        "order.cancel_order",
        "order.close_return",
        "order.close_intake",
        "stock.manage_presale",
        "stock.enter_promise_cost",
        "customer.view_user",
        "customer.change_user",
        "customer.export_personal",
        SHARE,
    ),
    "warehouse": (
        *ORDERS_SEEN,
        *RETURNS_SEEN,
        *STOCK_SEEN,
        *COUNTS_SEEN,
        "catalogue.view_product",
        "order.ship_order",
        "order.close_return",
        "stock.adjust_stock",
        "stock.manage_supply",
        "stock.add_warehouse",
        "stock.change_warehouse",
        SHARE,
    ),
    "finance": (
        *ORDERS_SEEN,
        *RETURNS_SEEN,
        "returns.view_adjustment",
        *INTAKES_SEEN,
        *COUNTS_SEEN,
        "hub.view_incoming",
        *PAYMENTS_SEEN,
        "payments.refund_payment",
        "payments.approve_refund",
        "payments.settle_payment",
        "stock.view_movement",
        "stock.approve_stock",
        "stock.enter_promise_cost",
        "order.confirm_payment",
        "order.cancel_order",
        "customer.view_user",
        "customer.allow_on_account",
        "customer.export_personal",
        "pricing.view_taxclass",
        "pricing.add_taxclass",
        "pricing.change_taxclass",
        SHARE,
    ),
    "catalogue": (
        *CATALOGUE_SEEN,
        *IMPORTS_SEEN,
        "stock.view_pool",
        "catalogue.add_product",
        "catalogue.change_product",
        "catalogue.add_category",
        "catalogue.change_category",
        "catalogue.delete_category",
        "catalogue.change_productimage",
        "catalogue.delete_productimage",
        "catalogue.add_productclass",
        "catalogue.change_productclass",
        "catalogue.add_productattribute",
        "catalogue.change_productattribute",
        "catalogue.delete_productattribute",
        "catalogue.add_attributeoptiongroup",
        "catalogue.change_attributeoptiongroup",
        "catalogue.add_attributeoption",
        "catalogue.change_attributeoption",
        "catalogue.delete_attributeoption",
        "catalogue.import_products",
        "partner.add_partner",
        "partner.change_partner",
        "partner.add_stockrecord",
        "partner.change_stockrecord",
        SHARE,
    ),
    "integrations": (
        *ORDERS_SEEN,
        *STOCK_SEEN,
        *HUB_SEEN,
        *INTAKES_SEEN,
        "order.close_intake",
        "hub.add_account",
        "hub.change_account",
        "hub.operate_account",
        "hub.operate_outgoing",
        "hub.operate_incoming",
        "hub.operate_alarm",
        "api.add_client",
        "api.change_client",
        "api.operate_client",
        *CHANNELS_RUN,
        SHARE,
    ),
    "auditor": (
        *ORDERS_SEEN,
        *RETURNS_SEEN,
        "returns.view_adjustment",
        *STOCK_SEEN,
        *COUNTS_SEEN,
        *CATALOGUE_SEEN,
        *IMPORTS_SEEN,
        *HUB_SEEN,
        *INTAKES_SEEN,
        *PAYMENTS_SEEN,
        "customer.view_user",
        "auth.view_group",
        "admin.view_logentry",
    ),
}


def ensure_groups() -> dict[str, Group]:
    """Make the groups and give them exactly these rights; doing it again changes nothing.

    Raises LookupError for a right that no migration made.
    """
    wanted = {name for rights in GROUPS.values() for name in rights}
    known = _permissions(wanted)
    if missing := wanted - set(known):
        raise LookupError(f"no such permissions: {', '.join(sorted(missing))}")
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in GROUPS}
    for name, rights in GROUPS.items():
        groups[name].permissions.set(known[right] for right in rights)
    return groups


def _permissions(names: Iterable[str]) -> dict[str, Permission]:
    which = Q()
    for name in names:
        label, _, codename = name.partition(".")
        which |= Q(content_type__app_label=label, codename=codename)
    found = Permission.objects.filter(which).select_related("content_type")
    return {f"{p.content_type.app_label}.{p.codename}": p for p in found}
