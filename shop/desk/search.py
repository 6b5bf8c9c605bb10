"""One search over everything staff have numbers and names of. Each kind asks for its own right, and costs one query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub import topics
from integrations.hub.desk import finding as work
from shop.catalogue import search as catalogue
from shop.catalogue.models import Product
from shop.customer import finding as customers
from shop.fulfilment.models import Parcel
from shop.order import finding as orders
from shop.payments import finding as payments
from shop.pricing.templatetags.prices import money
from shop.returns.models import CreditNote, Return
from shop.stock import finding as stock

FEWEST = 2  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """One hit. `is_exact`: the text is this thing's own number. The names are those unfold's templates use."""

    kind: Any
    icon: str
    title: str
    description: str
    link: str
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """`find(text, most)` yields hits; `more` is the list in which `?q=` finds the rest."""

    permission: str
    title: Any
    icon: str
    more: str
    find: Callable[[str, int], Iterator[tuple[str, str, str, bool]]]


def everything(request: HttpRequest, text: str, most: int) -> list[Found]:
    """What `text` finds among what the person may see, exact hits first. At most `most` of each kind."""
    if len(text) < FEWEST:
        return []
    found = [
        Found(kind.title, kind.icon, *hit)
        for kind in KINDS
        if request.user.has_perm(kind.permission)
        for hit in kind.find(text, most)
    ]
    return sorted(found, key=lambda hit: not hit.is_exact)


def only_exact(found: list[Found]) -> Found | None:
    """The one thing of which the text is the number: no need to choose."""
    exact = [hit for hit in found if hit.is_exact]
    return exact[0] if len(exact) == 1 else None


def _page(name: str, pk: Any) -> str:
    return reverse(f"admin:{name}_change", args=[quote(pk)])


_Hits = Iterator[tuple[str, str, str, bool]]


def _orders(text: str, most: int) -> _Hits:
    told = set(orders.told_as(text).values_list("number", flat=True))
    rows = orders.orders(text).select_related("user", "shipping_address").order_by("-date_placed", "-pk")[:most]
    for order in rows:
        name = order.shipping_address.first_name if order.shipping_address else order.email
        amount = money(order.total_incl_tax, order.currency)
        words = " · ".join(filter(None, [str(order.get_status_display()), name, amount]))
        exact = text == order.external_number or orders.as_number(text) == order.number or order.number in told
        yield order.number, words, _page("order_order", order.pk), exact


def _skus(text: str, most: int) -> _Hits:
    for pool in stock.pools(text).annotate(title=stock.titles()).order_by("sku")[:most]:
        words = _("%(free)s free of %(on_hand)s") % {"free": pool.free, "on_hand": pool.on_hand}
        yield pool.sku, f"{pool.title} · {words}", _page("stock_pool", pool.sku), pool.sku.upper() == text.upper()


def _products(text: str, most: int) -> _Hits:
    rows = catalogue.matching(Product.objects.defer("search"), text).select_related("parent")
    for product in rows.prefetch_related("stockrecords")[:most]:
        skus = [record.partner_sku for record in product.stockrecords.all()]
        exact = text.upper() in (sku.upper() for sku in skus)
        yield product.get_title(), ", ".join(skus), _page("catalogue_product", product.pk), exact


def _customers(text: str, most: int) -> _Hits:
    for user in customers.users(text).order_by("-date_joined", "-pk")[:most]:
        words = " · ".join(filter(None, [user.email, user.phone, _("staff") if user.is_staff else ""]))
        yield str(user), words, _page("customer_user", user.pk), user.email == text.lower()


def _parcels(text: str, most: int) -> _Hits:
    for parcel in Parcel.objects.filter(number__startswith=text).select_related("order").order_by("-pk")[:most]:
        yield parcel.number, parcel.order.number, _page("fulfilment_parcel", parcel.pk), parcel.number == text


def _returns(text: str, most: int) -> _Hits:
    for row in Return.objects.filter(number__istartswith=text).order_by("-pk")[:most]:
        yield row.number, row.source_account, _page("returns_return", row.pk), row.number == text


def _credit_notes(text: str, most: int) -> _Hits:
    for note in CreditNote.objects.filter(number__istartswith=text).order_by("-pk")[:most]:
        amount = money(note.total_incl_tax, note.currency)
        yield note.number, amount, _page("returns_creditnote", note.pk), note.number == text


def _payments(text: str, most: int) -> _Hits:
    rows = payments.attempts_numbered(text).select_related("order", "account").order_by("-pk")[:most]
    for row in rows:
        words = f"{row.order.number} · {row.account} · {money(row.total, row.currency)} · {row.get_status_display()}"
        yield row.number, words, _page("payments_attempt", row.pk), True


def _refunds(text: str, most: int) -> _Hits:
    rows = payments.parts_numbered(text).select_related("attempt__order", "attempt__account").order_by("-pk")[:most]
    for row in rows:
        paid = row.attempt
        words = (
            f"{paid.order.number} · {paid.account} · {money(row.amount, paid.currency)} · {row.get_status_display()}"
        )
        yield row.key, words, _page("payments_refundpart", row.pk), True


def _told(text: str, most: int) -> _Hits:
    """What a remote calls by this number, or one click wished for, but orders, which are found as such."""
    rows = work.by_remote_number(text) | work.traced(text)
    rows = rows.exclude(subject__startswith="order:").select_related("account")
    for row in rows.order_by("-pk")[:most]:
        yield (
            text,
            f"{row.account} · {topics.label(row.topic)} · {topics.subject_words(row.subject)}",
            _page("hub_outgoing", row.pk),
            False,
        )


KINDS = (
    Kind("order.view_order", gettext_lazy("Orders"), "receipt_long", "order_order", _orders),
    Kind("stock.view_pool", gettext_lazy("Stock"), "inventory_2", "stock_pool", _skus),
    Kind("catalogue.view_product", gettext_lazy("Products"), "sell", "catalogue_product", _products),
    Kind("customer.view_user", gettext_lazy("Customers"), "person", "customer_user", _customers),
    Kind("fulfilment.view_parcel", gettext_lazy("Parcels"), "local_shipping", "fulfilment_parcel", _parcels),
    Kind("returns.view_return", gettext_lazy("Returns"), "assignment_return", "returns_return", _returns),
    Kind("returns.view_creditnote", gettext_lazy("Credit notes"), "request_quote", "returns_creditnote",
         _credit_notes),
    Kind("payments.view_attempt", gettext_lazy("Payments"), "payments", "payments_attempt", _payments),
    Kind("payments.view_refundpart", gettext_lazy("Refunds"), "undo", "payments_refundpart", _refunds),
    Kind("hub.view_outgoing", gettext_lazy("Outgoing work"), "outbox", "hub_outgoing", _told),
)  # fmt: skip
