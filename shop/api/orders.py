"""A client's own orders, and placing them. Orders of others do not exist here."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from shop.api import ordering
from shop.api.examples import ORDER, WANTED
from shop.api.lists import Filters, Pages, Row
from shop.api.models import Client, Scope
from shop.api.schema import ProblemDocument
from shop.api.wanted import Wanted
from shop.customer import orders as customers
from shop.fulfilment.models import ParcelLine
from shop.order import kits
from shop.order.kits import Bought
from shop.order.models import Line, LineKind, Order, PaymentMethod, Status
from shop.pricing.money import quantise


class Address(serializers.Serializer):
    name = serializers.CharField()
    phone = serializers.CharField(allow_blank=True)
    country = serializers.CharField(help_text=_("ISO 3166-1, two letters"))
    region = serializers.CharField(allow_blank=True, help_text=_("Province"))
    city = serializers.CharField(allow_blank=True)
    district = serializers.CharField(allow_blank=True)
    street = serializers.CharField(allow_blank=True)
    postcode = serializers.CharField(allow_blank=True)


class OrderPart(serializers.Serializer):
    sku = serializers.CharField()
    title = serializers.CharField()
    quantity = serializers.IntegerField(help_text=_("Of all the line's kits together."))
    shipped = serializers.IntegerField(help_text=_("Units that have left."))
    total = serializers.DecimalField(19, 4, help_text=_("Its share of the kit's price; tax included."))
    total_excl_tax = serializers.DecimalField(19, 4)
    tax_code = serializers.CharField(allow_blank=True)
    tax_rate = serializers.DecimalField(6, 5)
    ships_on = serializers.DateField(allow_null=True, help_text=_("By when what is not here yet leaves."))


class OrderLine(serializers.Serializer):
    sku = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    kind = serializers.ChoiceField(LineKind.choices)
    quantity = serializers.IntegerField()
    shipped = serializers.IntegerField(help_text=_("Units that have left; of kits, those that left whole."))
    unit_price = serializers.DecimalField(19, 4, help_text=_("Tax included, before discounts."))
    total = serializers.DecimalField(19, 4, help_text=_("Tax included, after discounts."))
    total_excl_tax = serializers.DecimalField(19, 4)
    tax_code = serializers.CharField(allow_blank=True)
    tax_rate = serializers.DecimalField(
        6, 5, allow_null=True, help_text=_("null: a kit whose parts are taxed differently.")
    )
    ships_on = serializers.DateField(allow_null=True, help_text=_("By when what is not here yet leaves."))
    parts = OrderPart(many=True, help_text=_("Of a kit: the goods that are shipped. Empty where it is none."))


class ParcelContent(serializers.Serializer):
    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class OrderParcel(serializers.Serializer):
    number = serializers.CharField()
    shipped_at = serializers.DateTimeField()
    contents = ParcelContent(many=True)


class ToPay(serializers.Serializer):
    url = serializers.URLField(
        help_text=_("The page where the buyer pays. It opens this one order to whoever has it: give it to nobody else.")
    )


@extend_schema_serializer(examples=[OpenApiExample("Placed", value=ORDER)])
class OrderRow(Row):
    number = serializers.CharField(help_text=_("Ours: cannot be guessed, and never changes."))
    external_number = serializers.CharField(help_text=_("Yours; ours where you gave none."))
    status = serializers.ChoiceField(Status.choices)
    placed_at = serializers.DateTimeField()
    currency = serializers.CharField(help_text=_("ISO 4217, of all amounts."))
    total = serializers.DecimalField(19, 4, help_text=_("Tax and shipping included."))
    total_excl_tax = serializers.DecimalField(19, 4)
    shipping = serializers.DecimalField(19, 4, help_text=_("Tax included; part of `total`."))
    payment_method = serializers.ChoiceField(PaymentMethod.choices)
    pay_before = serializers.DateTimeField(
        allow_null=True, help_text=_("Unpaid by then, the order expires. May be moved to later.")
    )
    payment = ToPay(allow_null=True, help_text=_("While money is awaited that is paid online; otherwise null."))
    paid_at = serializers.DateTimeField(allow_null=True)
    lines = OrderLine(many=True)
    parcels = OrderParcel(many=True)
    ship_to = Address(allow_null=True)
    email = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)

    def row(self, instance: Order) -> dict[str, Any]:
        order = instance
        return {
            "number": order.number,
            "external_number": order.external_number,
            "status": str(order.status),
            "placed_at": order.date_placed,
            "currency": order.currency,
            "total": _money(order.total_incl_tax, order),
            "total_excl_tax": _money(order.total_excl_tax, order),
            "shipping": _money(order.shipping_incl_tax, order),
            "payment_method": str(order.payment_method),
            "pay_before": order.payment_deadline if order.status == Status.PENDING_PAYMENT else None,
            "payment": _to_pay(order),
            "paid_at": order.paid_at,
            "lines": _lines(order),
            "parcels": [_parcel(parcel) for parcel in order.parcels.all()],
            "ship_to": _address(order),
            "email": order.guest_email,
            "note": order.note,
        }


def _to_pay(order: Order) -> dict[str, str] | None:
    now = customers.payment(order)
    if not (now.awaited and now.is_online):
        return None
    return {"url": settings.WEFT_SHOP_URL + reverse("checkout:pay", args=[order.verification_hash()])}


def _money(amount: Decimal, order: Order) -> str:
    return str(quantise(amount, order.currency))


def _lines(order: Order) -> list[dict[str, Any]]:
    left: dict[int | None, int] = defaultdict(int)
    for parcel in order.parcels.all():
        for part in parcel.lines.all():
            left[part.line_id] += part.quantity
    return [_line(thing, left, order) for thing in kits.bought(order.lines.all())]


def _line(thing: Bought, left: dict[int | None, int], order: Order) -> dict[str, Any]:
    first = thing.lines[0]
    codes = {(line.tax_code or "", str(line.tax_rate)) for line in thing.lines}
    code, rate = codes.pop() if len(codes) == 1 else ("", None)
    return {
        "sku": thing.sku,
        "title": thing.title,
        "kind": str(first.kind),
        "quantity": thing.quantity,
        "shipped": min(left[line.pk] * thing.quantity // line.quantity for line in thing.lines),
        "unit_price": _money(_unit(thing, order), order),
        "total": _money(thing.gross, order),
        "total_excl_tax": _money(thing.net, order),
        "tax_code": code,
        "tax_rate": rate,
        "ships_on": _day(thing.ships_on, order),
        "parts": [_part(line, left, order) for line in thing.lines] if thing.is_kit else [],
    }


def _unit(thing: Bought, order: Order) -> Decimal:
    if thing.is_kit:
        return thing.before_discounts / thing.quantity
    return thing.lines[0].unit_price_incl_tax or Decimal(0)


def _part(line: Line, left: dict[int | None, int], order: Order) -> dict[str, Any]:
    return {
        "sku": line.partner_sku,
        "title": line.title,
        "quantity": line.quantity,
        "shipped": left[line.pk],
        "total": _money(line.line_price_incl_tax, order),
        "total_excl_tax": _money(line.line_price_excl_tax, order),
        "tax_code": line.tax_code or "",
        "tax_rate": str(line.tax_rate),
        "ships_on": _day(kits.ships_on(line), order),
    }


def _day(day: date | None, order: Order) -> str | None:
    return day.isoformat() if day and order.is_open else None


def _parcel(parcel: Any) -> dict[str, Any]:
    contents = [{"sku": part.sku, "quantity": part.quantity} for part in parcel.lines.all()]
    return {"number": parcel.number, "shipped_at": parcel.shipped_at, "contents": contents}


def _address(order: Order) -> dict[str, str] | None:
    at = order.shipping_address
    if at is None:
        return None
    return {
        "name": at.first_name,
        "phone": str(at.phone_number or ""),
        "country": at.country_id,
        "region": at.state,
        "city": at.line4,
        "district": at.line3,
        "street": " ".join(filter(None, [at.line1, at.line2])),
        "postcode": at.postcode,
    }


PARTS = (
    Prefetch("lines", kits.awaiting(Line.objects.order_by("pk"))),
    "parcels",
    Prefetch("parcels__lines", ParcelLine.objects.order_by("pk")),
)


def of_client(client: Client) -> QuerySet[Order]:
    """Its orders with all that a row shows, in four statements for any number."""
    mine = Order.objects.filter(source_account=client.source)
    return mine.select_related("shipping_address").prefetch_related(*PARTS)


class NewestFirst(Pages):
    page_size = 50
    ordering = "-id"


class OrderFilters(Filters):
    status = filters.MultipleChoiceFilter(choices=Status.choices, help_text=_("May stand more than once."))
    external_number = filters.CharFilter(help_text=_("Your own number."))
    placed_since = filters.IsoDateTimeFilter("date_placed", "gte")
    placed_before = filters.IsoDateTimeFilter("date_placed", "lt")


class Orders:
    serializer_class = OrderRow
    queryset = Order.objects.none()  # for the schema

    def get_queryset(self) -> QuerySet[Order]:
        return of_client(self.request.user)  # type: ignore[attr-defined]


KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    pattern=ordering.KEY_PATTERN,
    description=_(
        "Made by you, new for each order, e.g. a UUID. The same key with the same body gives the same order again, so "
        "a request whose answer was lost is simply repeated."
    ),
)
ANSWERED = [
    OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201], description=_("The order's address.")),
    OpenApiParameter(
        "Idempotency-Replayed",
        str,
        OpenApiParameter.HEADER,
        response=[201],
        enum=["true"],
        description=_("Stands here when the order had been placed before, by this same request."),
    ),
]


class OrderList(Orders, generics.GenericAPIView):
    pagination_class = NewestFirst
    filterset_class = OrderFilters
    scopes = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="listOrders",
        tags=["orders"],
        summary=_("Your orders, the newest first"),
        responses=OrderRow(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="placeOrder",
        tags=["orders"],
        summary=_("Place an order"),
        description=_(
            "At the shop's prices, with its shipping fee. The goods are yours from this moment on: what is paid by "
            "transfer is held until `pay_before`. All or nothing."
        ),
        request=Wanted,
        parameters=[KEY, *ANSWERED],
        responses={
            201: OrderRow,
            (409, "application/problem+json"): ProblemDocument,
            (415, "application/problem+json"): ProblemDocument,
            (422, "application/problem+json"): ProblemDocument,
        },
        examples=[OpenApiExample("Two rugs", value=WANTED, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        placed = ordering.place_once(request.user, request.headers.get("Idempotency-Key"), request.data)
        order = placed.order
        prefetch_related_objects([order], *PARTS)
        headers = {"Location": request.build_absolute_uri(f"{request.path}{order.number}/")}
        if placed.is_replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(self.get_serializer(order).data, status=201, headers=headers)


class OrderDetail(Orders, generics.RetrieveAPIView):
    scopes = {"GET": Scope.ORDERS_READ}
    lookup_field = "number"
    filter_backends = ()

    @extend_schema(operation_id="readOrder", tags=["orders"], summary=_("One of your orders"))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)
