"""Orders in the admin: a list to work through, and a page that tells all of one order. Nothing is edited here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.admin_pages import ViewOnlyAdmin, badge
from shop.fulfilment.models import ParcelLine, Sourcing
from shop.order.admin_actions import OrderActions
from shop.order.models import Line, LineKind, Order, Status
from shop.order.timeline import timeline
from shop.pricing.templatetags.prices import money

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


def with_details(orders: QuerySet[Order]) -> QuerySet[Order]:
    """All that the page of an order shows, in a fixed number of queries."""
    lines = Line.objects.prefetch_related(
        "holds", "parcel_lines", "return_lines", Prefetch("sourcings", Sourcing.objects.select_related("warehouse"))
    ).order_by("pk")
    return orders.select_related("user", "shipping_address__country").prefetch_related(
        Prefetch("lines", lines),
        "status_changes",
        "parcels",
        Prefetch("parcels__lines", ParcelLine.objects.select_related("warehouse")),
    )


@admin.register(Order)
class OrderAdmin(OrderActions, ViewOnlyAdmin):
    list_display = (
        "number", "placed", "customer", "total", "shown_status", "payment", "deadline", "flags",
    )  # fmt: skip
    list_filter = ("status", "payment_method", "date_placed", "needs_return", "needs_refund")
    list_select_related = ("user", "shipping_address")
    search_fields = (
        "number", "external_number", "guest_email", "user__email", "user__name", "user__phone",
        "shipping_address__first_name", "shipping_address__phone_number", "lines__partner_sku",
    )  # fmt: skip
    search_help_text = gettext_lazy("Number, name, e-mail, phone or SKU")
    date_hierarchy = None
    ordering = ("-date_placed", "-pk")
    draws_itself = True
    change_form_before_template = "admin/order/order/detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders = super().get_queryset(request)
        match = request.resolver_match
        on_page = match is not None and (match.url_name or "").endswith("_change")
        return with_details(orders) if on_page else orders

    # --- columns ---

    @display(description=gettext_lazy("placed at"), ordering="date_placed")
    def placed(self, order: Order) -> str:
        return date_format(timezone.localtime(order.date_placed), "m-d H:i")

    @display(description=gettext_lazy("customer"))
    def customer(self, order: Order) -> str:
        name = order.shipping_address.first_name if order.shipping_address else ""
        return format_html('{}<span class="weft-second">{}</span>', name or order.user or "–", order.email)

    @display(description=gettext_lazy("total"), ordering="total_incl_tax")
    def total(self, order: Order) -> str:
        return money(order.total_incl_tax, order.currency)

    @display(description=gettext_lazy("status"), ordering="status")
    def shown_status(self, order: Order) -> str:
        return status_badge(order)

    @display(description=gettext_lazy("payment"), ordering="payment_method")
    def payment(self, order: Order) -> str:
        paid = _("paid") if order.paid_at else _("not paid")
        return format_html('{}<span class="weft-second">{}</span>', order.get_payment_method_display(), paid)

    @display(description=gettext_lazy("deadline"), ordering="payment_deadline")
    def deadline(self, order: Order) -> str:
        if not order.payment_deadline or order.status != Status.PENDING_PAYMENT:
            return ""
        at = date_format(timezone.localtime(order.payment_deadline), "m-d H:i")
        return format_html('<span class="weft-bad">{}</span>', at) if order.payment_deadline < timezone.now() else at

    @display(description="")
    def flags(self, order: Order) -> str:
        flags = [
            badge(_("needs a return"), "danger") if order.needs_return else "",
            badge(_("money to give back"), "danger") if order.needs_refund else "",
            badge(_("test")) if order.is_test else "",
            badge(_("historical")) if order.is_historical else "",
        ]
        return format_html("{}{}{}{}", *flags)

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        by_number = path(
            "by-number/<str:number>/", self.admin_site.admin_view(self.by_number), name="order_order_by_number"
        )
        return [by_number, *super().get_urls()]

    def by_number(self, request: HttpRequest, number: str) -> HttpResponse:
        """Where other pages send people who know an order by its number only."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order.objects.only("pk"), number=number)
        return redirect(self.address(order))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        order = self.get_object(request, unquote(object_id))
        shown = page(order, request) if order else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})


def page(order: Order, request: HttpRequest) -> dict[str, Any]:
    """What the template of an order's page shows."""
    lines = [line_row(line) for line in order.lines.all()]
    sees_customers = order.user_id and request.user.has_perm("customer.view_user")
    return {
        "order": order,
        "status": status_badge(order),
        "customer_link": reverse("admin:customer_user_change", args=[order.user_id]) if sees_customers else "",
        "sees_hub": request.user.has_perm("hub.view_outgoing"),
        "sees_stock": request.user.has_perm("stock.view_pool"),
        "address": address_lines(order),
        "lines": lines,
        "has_returns": any(row["returned"] for row in lines),
        "tax": order.total_incl_tax - order.total_excl_tax,
        "shipping_tax": order.shipping_incl_tax - order.shipping_excl_tax,
        "timeline": timeline(order),
    }


def address_lines(order: Order) -> list[str]:
    """The shipping address, from the person to the country."""
    at = order.shipping_address
    if at is None:
        return []
    place = " ".join(filter(None, [at.state, at.line4, at.line3, at.line1, at.line2]))
    return list(filter(None, [at.first_name, str(at.phone_number or ""), place, at.postcode, str(at.country)]))


def line_row(line: Line) -> dict[str, Any]:
    """One line with its promises, where it leaves from and what has left."""
    holds = list(line.holds.all())
    return {
        "line": line,
        "tax": line.line_price_incl_tax - line.line_price_excl_tax,
        "rate": f"{(line.tax_rate * 100).normalize():f}" if line.tax_rate else Decimal(0),
        "held": sum(hold.open for hold in holds),
        "deadline": next((hold.deadline for hold in holds if hold.open and hold.deadline), None),
        "sourced": [(s.warehouse, s.quantity, s.shipped) for s in line.sourcings.all()],
        "left": sum(part.quantity for part in line.parcel_lines.all()),
        "returned": sum(part.quantity for part in line.return_lines.all()),
        "is_goods": line.kind == LineKind.GOODS,
        "pool_link": reverse("admin:stock_pool_change", args=[quote(line.partner_sku)]),
    }
