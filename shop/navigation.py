"""The admin's frame: what stands in its sidebar, for whom, and which mode it says it runs in."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _

from shop.desk import saved


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links; unfold hides what the person may not see, and a group without links."""
    groups = [
        {"title": "", "items": [_link(_("What needs you"), "home", "admin:index", "")]},
        {"title": _("Saved lists"), "separator": True, "items": _saved(request)},
        {"title": _("Orders"), "separator": True, "items": _orders()},
        {"title": _("Payments"), "separator": True, "items": _payments()},
        {"title": _("Stock"), "separator": True, "items": _stock()},
        {"title": _("Catalogue"), "separator": True, "items": _catalogue()},
        {"title": _("Customers"), "separator": True, "items": _customers(request)},
        {
            "title": _("Integrations"),
            "separator": True,
            "items": [
                _link(_("Flows"), "monitor_heart", "admin:hub_account_flows", "hub.view_account") | {"opens": False},
                _link(_("Alarms"), "notifications", "admin:hub_alarm_changelist", "hub.view_alarm", "?state=open"),
                _accounts(request),
                _link(_("Outgoing work"), "outbox", "admin:hub_outgoing_changelist", "hub.view_outgoing"),
                _link(_("Worksheets"), "edit_note", "admin:hub_taken_changelist", "hub.view_taken", "?open=yes"),
                _link(_("Incoming messages"), "inbox", "admin:hub_incoming_changelist", "hub.view_incoming"),
                _link(_("API clients"), "key", "admin:api_client_changelist", "api.view_client"),
            ],
        },
    ]
    opened = saved.defaults(request)
    for item in (item for group in groups for item in group["items"] if item.get("opens")):
        item["link"] = opened.get(item["link"].partition("?")[0], item["link"])
    return groups


def _orders() -> list[dict[str, Any]]:
    return [
        _link(_("Orders"), "receipt_long", "admin:order_order_changelist", "order.view_order"),
        _link(_("Order lines"), "list_alt", "admin:order_line_changelist", "order.view_line"),
        _link(_("Parcels"), "local_shipping", "admin:fulfilment_parcel_changelist", "fulfilment.view_parcel"),
        _link(_("Returns"), "assignment_return", "admin:returns_return_changelist", "returns.view_return"),
        _link(_("Credit notes"), "request_quote", "admin:returns_creditnote_changelist", "returns.view_creditnote"),
        _link(_("Money adjustments"), "balance", "admin:returns_adjustment_changelist", "returns.view_adjustment"),
        _link(_("Refused imports"), "rule", "admin:order_intake_changelist", "order.view_intake", "?state=open"),
    ]


def _payments() -> list[dict[str, Any]]:
    return [
        _link(_("Payments"), "payments", "admin:payments_attempt_changelist", "payments.view_attempt"),
        _link(_("Refunds"), "currency_exchange", "admin:payments_refund_changelist", "payments.view_refund"),
        _link(
            _("Failed refunds"), "money_off", "admin:payments_refundpart_changelist", "payments.view_refundpart",
            "?state=open",
        ),
        _link(
            _("Money without an order"), "help_center", "admin:payments_stray_changelist", "payments.view_stray",
            "?state=open",
        ),
        _link(_("Disputes"), "gavel", "admin:payments_dispute_changelist", "payments.view_dispute", "?state=open"),
        _link(_("Movements of money"), "receipt", "admin:payments_entry_changelist", "payments.view_entry"),
    ]  # fmt: skip


def _customers(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        _people(request, _("Customers"), "person", staff=False),
        _people(request, _("Staff"), "badge", staff=True),
        _link(_("Groups"), "groups", "admin:auth_group_changelist", "auth.view_group"),
        _link(_("Staff log"), "history", "admin:admin_logentry_changelist", "admin.view_logentry"),
    ]


def _saved(request: HttpRequest) -> list[dict[str, Any]]:
    """The person's saved lists, and those shared with them. Unfold shows titles as they are: names are escaped here."""
    rows = [
        {"title": escape(row.name), "icon": "bookmark", "link": row.link, "active": saved.is_open(row, request)}
        for row in saved.seen_by(request)
    ]
    manage = _link(_("Manage"), "edit", "admin:desk_savedlist_changelist", "")
    return [*rows, manage] if rows else []


def _stock() -> list[dict[str, Any]]:
    return [
        _link(_("Stock board"), "inventory_2", "admin:stock_pool_changelist", "stock.view_pool"),
        _link(
            _("Incoming supply"), "move_to_inbox", "admin:stock_supply_changelist", "stock.view_supply", "?state=open"
        ),
        _link(_("Presales"), "schedule", "admin:stock_presale_changelist", "stock.view_presale"),
        _link(_("Shortages"), "warning", "admin:stock_shortage_changelist", "stock.view_shortage"),
        _link(
            _("Promises not kept"), "heart_broken", "admin:stock_brokenpromise_changelist", "stock.view_brokenpromise"
        ),
        _link(
            _("Adjustments to approve"),
            "approval",
            "admin:stock_proposal_changelist",
            "stock.view_proposal",
            "?state__exact=waiting",
        ),
        _link(
            _("Count sheets"), "checklist", "admin:stock_countsheet_changelist", "stock.view_countsheet", "?open=yes"
        ),
        _link(_("Holds"), "lock_clock", "admin:stock_hold_changelist", "stock.view_hold", "?state=open"),
        _link(_("Movements"), "swap_vert", "admin:stock_movement_changelist", "stock.view_movement"),
        _link(_("Sales channels"), "storefront", "admin:stock_channel_changelist", "stock.view_channel"),
        _link(_("Shares of channels"), "pie_chart", "admin:stock_share_changelist", "stock.view_share"),
        _link(_("Warehouses"), "warehouse", "admin:stock_warehouse_changelist", "stock.view_warehouse"),
        _link(_("ERP readings"), "sync", "admin:stock_reading_changelist", "stock.view_reading"),
        _link(_("Repairs"), "build", "admin:stock_repair_changelist", "stock.view_repair"),
    ]


def _catalogue() -> list[dict[str, Any]]:
    return [
        _link(_("Products"), "sell", "admin:catalogue_product_changelist", "catalogue.view_product"),
        _link(_("Categories"), "account_tree", "admin:catalogue_category_changelist", "catalogue.view_category"),
        _link(_("Product types"), "category", "admin:catalogue_productclass_changelist", "catalogue.view_productclass"),
        _link(
            _("Option lists"),
            "list",
            "admin:catalogue_attributeoptiongroup_changelist",
            "catalogue.view_attributeoptiongroup",
        ),
        _link(_("Imports"), "upload_file", "admin:catalogue_importrun_changelist", "catalogue.view_importrun"),
        _link(_("Suppliers"), "factory", "admin:partner_partner_changelist", "partner.view_partner"),
        _link(_("Tax classes"), "percent", "admin:pricing_taxclass_changelist", "pricing.view_taxclass"),
    ]


def _link(title: str, icon: str, name: str, permission: str, query: str = "") -> dict[str, Any]:
    """`opens`: a list that opens as the person wants it, where they said how (`SavedList.is_default`)."""
    return {
        "opens": True,
        "title": title,
        "icon": icon,
        "link": reverse(name) + query,
        "permission": (lambda request: request.user.has_perm(permission)) if permission else None,
    }


def _accounts(request: HttpRequest) -> dict[str, Any]:
    """The page of flows lies below the list's address, and has a link of its own."""
    link = _link(_("Accounts"), "hub", "admin:hub_account_changelist", "hub.view_account")
    on_accounts = request.path.startswith(reverse("admin:hub_account_changelist"))
    return {**link, "active": on_accounts and request.path != reverse("admin:hub_account_flows")}


def _people(request: HttpRequest, title: str, icon: str, *, staff: bool) -> dict[str, Any]:
    """Two links into one list; the marked one is the one whose filter is in the address."""
    link = _link(title, icon, "admin:customer_user_changelist", "customer.view_user", f"?is_staff__exact={int(staff)}")
    on_people = request.path.startswith(reverse("admin:customer_user_changelist"))
    sees_staff = "is_staff__exact=1" in unquote(request.META.get("QUERY_STRING", ""))
    return {**link, "opens": False, "active": on_people and sees_staff == staff}


def environment(request: HttpRequest) -> list[Any] | None:
    """The mode, unless it is production."""
    return None if settings.PRODUCTION else [_("demo") if settings.WEFT_MODE == "demo" else _("test"), "warning"]


def stylesheet(request: HttpRequest) -> str:
    return static("weft/admin.css")


def script(request: HttpRequest) -> str:
    return static("weft/admin.js")


def logo(request: HttpRequest) -> str:
    return static("weft/favicon.svg")
