"""Orders in the admin: a list to work through, their lines, and a page that tells all of one. Nothing is edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin, badge
from integrations.hub.files import exports
from shop.order import admin_page, finding
from shop.order.admin_actions import OrderActions
from shop.order.admin_filters import AgeFilter, LineAgeFilter, OriginFilter, PlacedFilter, ReturnFilter, SaidFilter
from shop.order.admin_page import status_badge
from shop.order.models import Line, LineKind, Order, Status
from shop.pricing.templatetags.prices import money
from shop.stock.finding import spelled
from shop.stock.models import Hold

PERSONAL = "customer.export_personal"


def _of_address(name: str) -> Any:
    return lambda order: str(getattr(order.shipping_address, name) or "") if order.shipping_address else ""


@admin.register(Order)
class OrderAdmin(OrderActions, ViewOnlyAdmin):
    list_display = (
        "number", "placed", "customer", "total", "shown_status", "payment", "flags",
    )  # fmt: skip
    list_filter = (
        "status", "payment_method", SaidFilter, AgeFilter, ("date_placed", PlacedFilter), ReturnFilter, "needs_refund",
        OriginFilter,
    )  # fmt: skip
    list_select_related = ("user", "shipping_address")
    search_fields = ("number",)  # shows the box; what it finds is said in `finding.py`
    search_help_text = gettext_lazy("Number, name, e-mail, phone, SKU or ERP number")
    date_hierarchy = None
    ordering = ("-date_placed", "-pk")
    draws_itself = True
    change_form_before_template = "admin/order/order/detail.html"
    export_permission = PERSONAL
    exported = (
        exports.text(gettext_lazy("number"), lambda order: order.number),
        exports.text(gettext_lazy("source"), lambda order: order.source_account),
        exports.text(gettext_lazy("external number"), lambda order: order.external_number),
        exports.time(gettext_lazy("placed at"), lambda order: order.date_placed),
        exports.text(gettext_lazy("status"), lambda order: order.get_status_display()),
        exports.text(gettext_lazy("payment method"), lambda order: order.get_payment_method_display()),
        exports.time(gettext_lazy("paid at"), lambda order: order.paid_at),
        exports.text(gettext_lazy("currency"), lambda order: order.currency),
        exports.text(gettext_lazy("gross"), lambda order: order.total_incl_tax),
        exports.text(gettext_lazy("net"), lambda order: order.total_excl_tax),
        exports.text(gettext_lazy("tax"), lambda order: order.total_incl_tax - order.total_excl_tax),
        exports.text(gettext_lazy("of which shipping (gross)"), lambda order: order.shipping_incl_tax),
        exports.text(gettext_lazy("name"), _of_address("first_name")),
        exports.text(gettext_lazy("e-mail"), lambda order: order.email),
        exports.text(gettext_lazy("phone"), _of_address("phone_number")),
        exports.text(gettext_lazy("country"), _of_address("country_id")),
        exports.text(gettext_lazy("province"), _of_address("state")),
        exports.text(gettext_lazy("city"), _of_address("line4")),
        exports.text(gettext_lazy("district"), _of_address("line3")),
        exports.text(gettext_lazy("street"), _of_address("line1")),
        exports.text(gettext_lazy("postcode"), _of_address("postcode")),
        exports.text(gettext_lazy("customer's note"), lambda order: order.note),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders = super().get_queryset(request)
        match = request.resolver_match
        of_one = match is not None and "object_id" in match.kwargs
        return admin_page.with_details(orders) if of_one else orders

    def found(self, text: str) -> QuerySet[Order]:
        return finding.orders(text)

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
        method = order.get_payment_method_display()
        if not order.payment_deadline or order.status != Status.PENDING_PAYMENT:
            paid = _("paid") if order.paid_at else _("not paid")
            return format_html('{}<span class="weft-second">{}</span>', method, paid)
        until = _("until %(at)s") % {"at": date_format(timezone.localtime(order.payment_deadline), "m-d H:i")}
        late = "weft-bad" if order.payment_deadline < timezone.now() else ""
        return format_html('{}<span class="weft-second {}">{}</span>', method, late, until)

    @display(description="")
    def flags(self, order: Order) -> str:
        return admin_page.flags(order)

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
        shown = admin_page.page(order, request) if order else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})


@admin.register(Line)
class LineAdmin(ViewOnlyAdmin):
    """What was sold, line by line: which orders have a SKU, and what it brought."""

    list_display = ("shown_order", "placed", "sku", "shown_title", "quantity", "gross", "shown_status")
    list_display_links = ("sku",)
    list_filter = ("order__status", LineAgeFilter, "kind", ("order__date_placed", PlacedFilter))
    list_select_related = ("order",)
    search_fields = ("partner_sku",)  # shows the box; see `found`
    search_help_text = gettext_lazy("SKU or order number")
    ordering = ("-pk",)
    fields = ("shown_order", "shown_status", "kind", "sku", "shown_title", "quantity", "net", "tax", "gross")
    readonly_fields = ("shown_order", "shown_status", "sku", "shown_title", "net", "tax", "gross")
    exported = (
        exports.text(gettext_lazy("order"), lambda line: line.order.number),
        exports.time(gettext_lazy("placed at"), lambda line: line.order.date_placed),
        exports.text(gettext_lazy("status"), lambda line: line.order.get_status_display()),
        exports.text(gettext_lazy("SKU"), lambda line: line.partner_sku),
        exports.text(gettext_lazy("title"), lambda line: line.title),
        exports.text(gettext_lazy("kind"), lambda line: line.get_kind_display()),
        exports.text(gettext_lazy("quantity"), lambda line: line.quantity),
        exports.text(gettext_lazy("currency"), lambda line: line.order.currency),
        exports.text(gettext_lazy("net"), lambda line: line.line_price_excl_tax),
        exports.text(gettext_lazy("tax"), lambda line: line.line_price_incl_tax - line.line_price_excl_tax),
        exports.text(gettext_lazy("gross"), lambda line: line.line_price_incl_tax),
        exports.text(gettext_lazy("tax code"), lambda line: line.tax_code),
        exports.text(gettext_lazy("tax rate"), lambda line: line.tax_rate),
    )

    def found(self, text: str) -> QuerySet[Line]:
        of_orders = Line.objects.filter(order__in=finding.numbered(text))
        of_sku = Line.objects.filter(pk__in=Hold.objects.filter(pool__in=spelled(text)).values("line"))
        return Line.objects.filter(pk__in=of_orders.order_by().values("pk").union(of_sku.order_by().values("pk")))

    @display(description=gettext_lazy("order"), ordering="order__number")
    def shown_order(self, line: Line) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:order_order_change", args=[line.order_id]),
                           line.order.number)  # fmt: skip

    @display(description=gettext_lazy("placed at"), ordering="order__date_placed")
    def placed(self, line: Line) -> str:
        return date_format(timezone.localtime(line.order.date_placed), "m-d H:i")

    @display(description=gettext_lazy("SKU"), ordering="partner_sku")
    def sku(self, line: Line) -> str:
        return line.partner_sku

    @display(description=gettext_lazy("title"))
    def shown_title(self, line: Line) -> str:
        return line.title

    @display(description=gettext_lazy("status"), ordering="order__status")
    def shown_status(self, line: Line) -> str:
        kind = "" if line.kind == LineKind.GOODS else badge(line.get_kind_display())
        return format_html("{} {}", status_badge(line.order), kind)

    @display(description=gettext_lazy("net"))
    def net(self, line: Line) -> str:
        return money(line.line_price_excl_tax, line.order.currency)

    @display(description=gettext_lazy("tax"))
    def tax(self, line: Line) -> str:
        return money(line.line_price_incl_tax - line.line_price_excl_tax, line.order.currency)

    @display(description=gettext_lazy("gross"), ordering="line_price_incl_tax")
    def gross(self, line: Line) -> str:
        return money(line.line_price_incl_tax, line.order.currency)
