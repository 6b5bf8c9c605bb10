"""What the page of one order shows."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.admin.utils import quote
from django.db.models import Count, Prefetch, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from integrations.hub.desk.admin_pages import badge
from integrations.hub.models import Outgoing
from shop.customer.addresses import country_name
from shop.fulfilment.models import Parcel, ParcelLine, Sourcing
from shop.order import kits
from shop.order.models import Line, LineKind, Order, Status
from shop.order.timeline import Entry, timeline
from shop.payments import admin_page as payments_page
from shop.payments.models import Attempt
from shop.returns.models import ReturnLine

OTHERS_SHOWN = 5
COLOURS = {
    Status.PENDING_PAYMENT: "warning",
    Status.PAID: "info",
    Status.ON_ACCOUNT: "info",
    Status.PARTLY_SHIPPED: "info",
    Status.SHIPPED: "success",
    Status.CANCELLING: "danger",
    Status.CANCELLED: "",
    Status.EXPIRED: "",
}


def status_badge(order: Order) -> str:
    """The order's status, coloured."""
    return badge(order.get_status_display(), COLOURS.get(Status(order.status), ""))


def flags(order: Order) -> str:
    """What is special about the order, as badges."""
    is_said = order.payment_said_at and not order.paid_at and order.status in (Status.PENDING_PAYMENT, Status.EXPIRED)
    shown = [
        badge(_("said to be paid"), "warning") if is_said else "",
        badge(_("needs a return"), "danger") if order.needs_return and not order.return_closed_at else "",
        badge(_("money to give back"), "danger") if order.needs_refund else "",
        badge(_("test")) if order.is_test else "",
        badge(_("historical")) if order.is_historical else "",
    ]
    return format_html("{}{}{}{}{}", *shown)


def with_details(orders: QuerySet[Order]) -> QuerySet[Order]:
    """All that the page of an order shows, in a fixed number of queries."""
    lines = (
        kits.awaiting(Line.objects.all())
        .prefetch_related(
            "holds",
            Prefetch("return_lines", ReturnLine.objects.select_related("returned")),
            Prefetch("sourcings", Sourcing.objects.select_related("warehouse")),
        )
        .order_by("pk")
    )
    return orders.select_related("user", "shipping_address").prefetch_related(
        Prefetch("lines", lines),
        "status_changes",
        Prefetch("parcels", Parcel.objects.select_related("account")),
        Prefetch("parcels__lines", ParcelLine.objects.select_related("warehouse")),
        Prefetch("attempts", payments_page.with_details(Attempt.objects.all())),
    )


def page(order: Order, request: HttpRequest) -> dict[str, Any]:
    """What the template of an order's page shows."""
    left = units_left(order)
    lines = [line_row(line, left[line.pk]) for line in order.lines.all()]
    sees_customers = order.user_id and request.user.has_perm("customer.view_user")
    sees_hub = request.user.has_perm("hub.view_outgoing")
    told = _told(order)
    entries = timeline(order, told)
    chosen = request.GET.get("system", "")
    others = other_orders(order)
    return {
        "order": order,
        "status": status_badge(order),
        "flags": flags(order),
        "numbers": numbers(told, sees_hub),
        "customer_link": reverse("admin:customer_user_change", args=[order.user_id]) if sees_customers else "",
        "others": [(other, status_badge(other)) for other in others[:OTHERS_SHOWN]],
        "all_others": _others_link(order) if len(others) > OTHERS_SHOWN else "",
        "paid": payments_page.of_order(order) if request.user.has_perm("payments.view_attempt") else None,
        "sees_stock": request.user.has_perm("stock.view_pool"),
        "address": address_lines(order),
        "lines": lines,
        "things": _things(lines),
        "has_returns": any(row["returned"] for row in lines),
        "tax": order.total_incl_tax - order.total_excl_tax,
        "shipping_tax": order.shipping_incl_tax - order.shipping_excl_tax,
        "systems": systems(entries),
        "chosen": chosen,
        "language": dict(settings.LANGUAGES).get(order.language, order.language),
        "timeline": [
            (entry, bool(entry.link) and request.user.has_perm(entry.needs))
            for entry in entries
            if chosen in ("", entry.system)
        ],
    }


def _told(order: Order) -> list[Outgoing]:
    """What other systems were told about the order, with each try."""
    rows = Outgoing.objects.filter(subject=order.subject).select_related("account")
    return list(rows.annotate(tries=Count("attempts")).order_by("pk"))


def numbers(told: list[Outgoing], sees_hub: bool) -> list[dict[str, str]]:
    """What others call the order: whose number, the number, and where it leads."""
    return [
        {
            "whose": str(row.account),
            "number": ref["number"],
            "link": reverse("admin:hub_outgoing_change", args=[row.pk]) if sees_hub else "",
            "there": ref["url"] if str(ref.get("url")).startswith(("http://", "https://")) else "",
        }
        for row in told
        for ref in row.refs
        if ref.get("number") and row.key == row.subject.partition(":")[2]
    ]


def other_orders(order: Order) -> list[Order]:
    """The same customer's latest other orders: one more than are shown."""
    if order.user_id:
        same = Order.objects.filter(user=order.user_id)
    elif order.guest_email:
        mail = Order.objects.alias(mail=Lower("guest_email")).exclude(guest_email="")
        same = mail.filter(mail=order.guest_email.lower())
    elif order.buyer_reference:
        same = Order.objects.filter(source_account=order.source_account, buyer_reference=order.buyer_reference)
    else:
        return []
    return list(same.exclude(pk=order.pk).order_by("-date_placed", "-pk")[: OTHERS_SHOWN + 1])


def _others_link(order: Order) -> str:
    orders = reverse("admin:order_order_changelist")
    if order.user_id:
        return f"{orders}?user__id__exact={order.user_id}"
    return f"{orders}?q={order.guest_email}" if order.guest_email else ""


def systems(entries: list[Entry]) -> list[dict[str, Any]]:
    """Each system that had to do with the order: how often, and how it stands with it."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        system = found.setdefault(
            entry.system, {"name": entry.system, "kind": entry.kind, "count": 0, "trouble": False}
        )
        system["count"] += 1
        system["trouble"] = system["trouble"] or bool(entry.trouble)
    return list(found.values())


def address_lines(order: Order) -> list[str]:
    """The shipping address, from the person to the country."""
    at = order.shipping_address
    if at is None:
        return []
    place = " ".join(filter(None, [at.state, at.line4, at.line3, at.line1, at.line2]))
    return list(
        filter(None, [at.first_name, str(at.phone_number or ""), place, at.postcode, country_name(at.country_id)])
    )


def units_left(order: Order) -> Counter[int]:
    """line id -> units that have left the house."""
    left: Counter[int] = Counter()
    for parcel in order.parcels.all():
        for part in parcel.lines.all():
            if part.line_id:
                left[part.line_id] += part.quantity
    return left


def line_row(line: Line, left: int) -> dict[str, Any]:
    """One line with its promises, where it leaves from and how many units have left."""
    holds = list(line.holds.all())
    return {
        "line": line,
        "tax": line.line_price_incl_tax - line.line_price_excl_tax,
        "rate": f"{(line.tax_rate * 100).normalize():f}" if line.tax_rate else Decimal(0),
        "held": sum(hold.open for hold in holds),
        "waiting": kits.units_awaited(line),
        "ships_on": kits.ships_on(line),
        "kit": line.kit_number,
        "deadline": next((hold.deadline for hold in holds if hold.open and hold.deadline), None),
        "sourced": [(s.warehouse, s.quantity, s.shipped) for s in line.sourcings.all()],
        "left": left,
        "returned": sum(part.quantity for part in line.return_lines.all()),
        "is_goods": line.kind == LineKind.GOODS,
        "pool_link": reverse("admin:stock_pool_change", args=[quote(line.partner_sku)]),
    }


def _things(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as they were sold: each kit once, with the rows of its parts."""
    by_line = {row["line"].pk: row for row in rows}
    return [
        {"kit": thing if thing.is_kit else None, "rows": [by_line[line.pk] for line in thing.lines]}
        for thing in kits.bought(row["line"] for row in rows)
    ]


def to_pack(order: Order) -> list[dict[str, Any]]:
    """By warehouse, what of the order has still to leave; without a warehouse where none was chosen yet."""
    places: dict[str, dict[str, Any]] = {}
    left = units_left(order)
    for line in order.lines.all():
        if line.kind != LineKind.GOODS:
            continue
        parts = [(str(s.warehouse), s.quantity - s.shipped) for s in line.sourcings.all()]
        for name, units in parts or [("", line.quantity - left[line.pk] - kits.units_awaited(line))]:
            if units > 0:
                place = places.setdefault(name, {"name": name, "lines": []})
                place["lines"].append({"sku": line.partner_sku, "title": line.title, "units": units})
    return list(places.values())
