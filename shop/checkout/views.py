"""The checkout: details, review and place, pay. Guest or account, three pages at most."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shop.catalogue import listing
from shop.checkout import discounts, state
from shop.checkout.forms import METHODS, ContactForm, DetailsForm, PlaceForm
from shop.checkout.quote import Quote, quote
from shop.checkout.state import Details
from shop.customer import addresses, orders
from shop.order import kits, lifecycle
from shop.order.models import Order, PaymentMethod
from shop.order.place import BasketChanged, CannotPlace, Draft, place
from shop.payments import starting
from shop.payments.scenes import scene
from shop.pricing.money import TooFine
from shop.stock.holds import OutOfStock

NEW = "new"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """Page 1: who buys, and where it goes."""
    priced = quote(request.basket)
    if priced is None or not priced.is_orderable:
        return redirect("basket:summary")
    has_account = request.user.is_authenticated
    saved = _saved_addresses(request.user) if has_account else []
    data = request.POST or None
    kept = state.read(request)
    chosen = _chosen(request, saved)
    contact = _contact_form(request, data, kept)
    initial = kept.address if kept else {"country": "CN", "name": request.user.name if has_account else ""}
    form = DetailsForm(
        data if chosen is None else None, initial=initial, has_account=has_account, use_required_attribute=not saved
    )
    if data is not None and (contact is None or contact.is_valid()) and (chosen or form.is_valid()):
        parts = addresses.parts_of(chosen) if chosen else form.parts()
        if chosen is None and has_account and form.cleaned_data["remember"]:
            addresses.keep(request.user, parts)
        email = contact.cleaned_data["email"] if contact else request.user.email
        state.write(request, Details(email, parts))
        return redirect("checkout:review")
    listing.load_pictures(priced.products)
    context = {
        "quote": priced,
        "contact": contact,
        "form": form,
        "saved": [(address, addresses.parts_of(address)) for address in saved],
        "chosen": request.POST.get("address") or (str(saved[0].pk) if saved and not kept else NEW),
    }
    return render(request, "checkout/details.html", context)


def _saved_addresses(user: Any) -> list[Any]:
    known = addresses.UserAddress.objects.filter(user=user, country__is_shipping_country=True)
    return list(known.order_by("-is_default_for_shipping", "-pk"))


def _chosen(request: HttpRequest, saved: list[Any]) -> Any:
    """The saved address that was picked; None: the form was filled in."""
    return next((address for address in saved if str(address.pk) == request.POST.get("address")), None)


def _contact_form(request: HttpRequest, data: Any, kept: Details | None) -> ContactForm | None:
    """Accounts with an address are not asked for one."""
    if request.user.is_authenticated and request.user.email:
        return None
    return ContactForm(data, initial={"email": kept.email if kept else ""})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Page 2: everything once more, and the button."""
    if request.method == "POST" and (order := _placed_before(request)):
        return redirect(_pay_url(order))
    kept = state.read(request)
    priced = quote(request.basket)
    if priced is None or not priced.is_orderable:
        return redirect("basket:summary")
    if kept is None:
        return redirect("checkout:details")
    methods = _methods(request.user, priced)
    form = PlaceForm(request.POST or None, methods=methods)
    if request.method == "POST" and form.is_valid():
        return _place(request, form, priced, kept)
    return _review_page(request, form, priced, kept)


def _review_page(request: HttpRequest, form: PlaceForm, priced: Quote, kept: Details) -> HttpResponse:
    listing.load_pictures(priced.products)
    context = {
        "quote": priced,
        "details": kept,
        "country": addresses.country_name(kept.address["country"]),
        "form": form,
        "token": state.token(request.basket, priced),
        "methods": [(method, METHODS[method][0], METHODS[method][1] % _times()) for method in form.methods],
    }
    return render(request, "checkout/review.html", context)


def _methods(user: Any, priced: Quote) -> list[PaymentMethod]:
    """How this person may pay."""
    if not priced.total.gross:
        return [PaymentMethod.NOTHING_DUE]
    on_account = user.is_authenticated and user.may_buy_on_account
    return [
        *([PaymentMethod.ONLINE] if starting.may_pay_online(priced.currency, priced.total.gross) else []),
        PaymentMethod.BANK_TRANSFER,
        *([PaymentMethod.ON_ACCOUNT] if on_account else []),
    ]


def _placed_before(request: HttpRequest) -> Order | None:
    """The order that a first press of the same button made."""
    shown = state.seen(request.POST.get("token", ""))
    if shown is None or shown.basket_id == request.basket.pk:
        return None
    return Order.objects.filter(basket_id=shown.basket_id).first()


def _place(request: HttpRequest, form: PlaceForm, priced: Quote, kept: Details) -> HttpResponse:
    shown = state.seen(form.cleaned_data["token"])
    if shown is None or shown.basket_id != request.basket.pk or shown.total != priced.total.gross:
        messages.warning(request, _("Something in your basket has changed. Please look at the sums again."))
        return redirect("checkout:review")
    try:
        order = place(
            _draft(request, form, priced, kept),
            also=lambda order: discounts.record(order, request.basket, request.user),
        )
    except OutOfStock as gone:
        _tell_short(request, gone, priced)
        return redirect("basket:summary")
    except BasketChanged:
        if order := Order.objects.filter(basket_id=shown.basket_id).first():
            return redirect(_pay_url(order))
        messages.warning(request, _("Your basket was changed meanwhile. Please look at it again."))
        return redirect("basket:summary")
    except (CannotPlace, TooFine):
        messages.error(request, _("The order cannot be placed as it stands. Please look at your basket again."))
        return redirect("basket:summary")
    state.clear(request)
    return redirect(_pay_url(order))


def _draft(request: HttpRequest, form: PlaceForm, priced: Quote, kept: Details) -> Draft:
    return Draft(
        currency=priced.currency,
        lines=priced.draft_lines(),
        ship_to=addresses.to_ship(kept.address),
        payment_method=PaymentMethod(form.cleaned_data["payment_method"]),
        language=get_language() or settings.LANGUAGE_CODE,
        email=kept.email,
        user_id=request.user.pk,
        basket_id=request.basket.pk,
        note=form.cleaned_data["note"],
        shipping_code=priced.shipping_code,
        shipping_name=priced.shipping_name,
        shipping_gross=priced.shipping.gross,
        shipping_tax_code=priced.shipping_tax_code,
        shipping_tax_rate=priced.shipping_tax_rate,
    )


def _tell_short(request: HttpRequest, gone: OutOfStock, priced: Quote) -> None:
    for short in kits.short_of(priced.draft_lines(), gone.short):
        if short.available >= short.wanted:
            text = _("“%(title)s” needs the same goods as another line, and there are not enough for both.")
        elif short.available:
            text = _("Somebody was faster: only %(count)d of “%(title)s” are left.")
        else:
            text = _("Somebody was faster: “%(title)s” is sold out.")
        messages.error(request, text % {"count": short.available, "title": short.title})


def _pay_url(order: Order) -> str:
    return reverse("checkout:pay", args=[order.verification_hash()])


def _times() -> dict[str, int]:
    return {"hours": settings.WEFT_BANK_TRANSFER_HOURS, "minutes": settings.WEFT_PAYMENT_MINUTES}


@never_cache
@require_safe
def pay(request: HttpRequest, signed: str) -> HttpResponse:
    """Page 3: how to pay, or that there is nothing to do now."""
    order = get_object_or_404(Order, number=orders.by_link(signed))
    context = {
        "order": order,
        "signed": signed,
        "payment": orders.payment(order),
        "offers": _offers(request, order),
        "on_account": order.payment_method == PaymentMethod.ON_ACCOUNT,
        "nothing_due": order.payment_method == PaymentMethod.NOTHING_DUE,
        "bank_details": settings.WEFT_BANK_DETAILS,
        "is_demo": settings.WEFT_MODE != "production",
        "hours": _hours_to_pay(order),
    }
    return render(request, "checkout/pay.html", context)


def _offers(request: HttpRequest, order: Order) -> list[starting.Offer]:
    if order.payment_method != PaymentMethod.ONLINE or not orders.payment(order).awaited:
        return []
    return starting.offers(order, scene(request.headers.get("user-agent", "")))


def _hours_to_pay(order: Order) -> int | None:
    """None where the deadline was moved since."""
    hours: int = settings.WEFT_BANK_TRANSFER_HOURS
    return hours if order.payment_deadline == order.date_placed + timedelta(hours=hours) else None


@never_cache
@require_POST
def transfer_made(request: HttpRequest, signed: str) -> HttpResponse:
    """The customer says so. The page to pay tells what came of it: again, or too late, it changes nothing."""
    order = get_object_or_404(Order, number=orders.by_link(signed))
    is_theirs = request.user.is_authenticated and order.user_id == request.user.pk
    with suppress(lifecycle.IllegalMove, lifecycle.TimeIsOver):
        lifecycle.say_paid(order.number, actor=f"customer:{request.user.pk}" if is_theirs else "web")
    return redirect("checkout:pay", signed=signed)
