"""What a checkout knows between its pages: small, in the session, gone with the order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core import signing
from django.http import HttpRequest

from shop.basket.models import Basket
from shop.checkout.quote import Quote

KEY = "checkout"
SALT = "weft.checkout"


@dataclass(frozen=True, slots=True)
class Details:
    """Who buys and where it goes; `address` are plain texts as `addresses.AddressForm.parts()` gives them."""

    email: str
    address: dict[str, str]


def read(request: HttpRequest) -> Details | None:
    kept = request.session.get(KEY)
    return Details(kept["email"], kept["address"]) if kept else None


def write(request: HttpRequest, details: Details) -> None:
    request.session[KEY] = {"email": details.email, "address": details.address}


def clear(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the customer saw when pressing the button."""

    basket_id: int
    total: Decimal


def token(basket: Basket, quote: Quote) -> str:
    """Goes into the form: a second press names the same basket, and a changed total is noticed."""
    return signing.dumps({"basket": basket.pk, "total": str(quote.total.gross)}, salt=SALT)


def seen(value: str) -> Seen | None:
    """What a token says; None when it is not ours."""
    try:
        data: dict[str, Any] = signing.loads(value, salt=SALT)
    except signing.BadSignature:
        return None
    return Seen(data["basket"], Decimal(data["total"]))
