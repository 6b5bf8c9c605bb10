"""What has left, as staff see it. Parcels are written by `shipping.py`."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin
from shop.fulfilment.models import Parcel, ParcelLine
from shop.order import finding as orders
from shop.said import who
from shop.stock.admin_links import order_link, pool_link
from shop.stock.finding import spelled


class ParcelLineInline(TabularInline):
    model = ParcelLine
    fields = ("shown_sku", "quantity", "place")
    readonly_fields = fields
    extra = 0
    can_delete = False

    @display(description=gettext_lazy("SKU"))
    def shown_sku(self, line: ParcelLine) -> str:
        return pool_link(line.sku)

    @display(description=gettext_lazy("warehouse"))
    def place(self, line: ParcelLine) -> str:
        return str(line.warehouse)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParcelLine]:
        return super().get_queryset(request).select_related("warehouse")

    def has_add_permission(self, request: HttpRequest, obj: Parcel | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Parcel | None = None) -> bool:
        return False


@admin.register(Parcel)
class ParcelAdmin(ViewOnlyAdmin):
    list_display = ("number", "shown_order", "contents", "shipped_at", "system", "by")
    list_filter = ("shipped_at",)
    list_select_related = ("order", "account")
    search_fields = ("number",)  # shows the box; see `found`
    search_help_text = gettext_lazy("Parcel, order number or SKU")
    fields = ("number", "shown_order", "shipped_at", "system", "by")
    readonly_fields = ("shown_order", "system", "by")
    inlines = (ParcelLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Parcel]:
        return super().get_queryset(request).prefetch_related("lines")

    def found(self, text: str) -> QuerySet[Parcel]:
        lines = ParcelLine.objects.filter(line__holds__pool__in=spelled(text))
        ways = [
            Parcel.objects.filter(number__startswith=text),
            Parcel.objects.filter(order__in=orders.numbered(text)),
            Parcel.objects.filter(pk__in=lines.values("parcel")),
        ]
        first, *others = [way.order_by().values("pk") for way in ways]
        return Parcel.objects.filter(pk__in=first.union(*others))

    @display(description=gettext_lazy("by"), ordering="actor")
    def by(self, parcel: Parcel) -> str:
        return who(parcel.actor)

    @display(description=gettext_lazy("order"), ordering="order__number")
    def shown_order(self, parcel: Parcel) -> str:
        return order_link(parcel.order.number)

    @display(description=gettext_lazy("shipped by"), ordering="account")
    def system(self, parcel: Parcel) -> str:
        return str(parcel.account) if parcel.account_id else "Weft"

    @display(description=gettext_lazy("contents"))
    def contents(self, parcel: Parcel) -> str:
        return format_html_join(", ", "{} × {}", ((line.quantity, line.sku) for line in parcel.lines.all()))
