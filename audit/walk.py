"""All pages a buyer meets, in the order of a purchase, each with what there is to see on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from audit.person import Person


def pages(person: Person, search: str) -> Iterator[str]:
    """Open one page after another; yields the name of each when it is there. `search` finds something."""
    yield from browsing(person, search)
    yield from buying(person)
    yield from account(person)


def browsing(person: Person, search: str) -> Iterator[str]:
    person.open("/")
    yield "home"
    person.open_category()
    yield "category"
    person.open("/products/?price=100-200&sort=price")
    yield "narrowed list"
    person.open(f"/search/?q={search}")
    yield "search"
    person.open("/search/?q=zzzz")
    yield "search without result"
    person.open("/nothing/")
    yield "not found"
    person.open("/basket/")
    yield "empty basket"
    person.open("/")
    person.open_first_product()
    yield "product"


def buying(person: Person) -> Iterator[str]:
    """From the product's page."""
    person.put_into_basket()
    yield "basket"
    person.go_to_checkout()
    yield "checkout: details"
    person.page.locator("main form").first.evaluate("form => form.noValidate = true")
    person.button("to_review").click()
    person.page.locator("#problems").wait_for()
    yield "checkout: errors"
    person.give_details()
    yield "checkout: review"
    person.place()
    yield "checkout: pay"
    person.open_guest_order()
    yield "order"


def account(person: Person) -> Iterator[str]:
    person.open("/account/login/")
    yield "log in"
    person.open("/account/password/forgotten/")
    yield "password forgotten"
    person.open("/account/register/")
    yield "register"
    person.register(f"{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(12))
    yield "my orders"
    person.open("/account/profile/")
    yield "profile"
    person.open("/account/addresses/")
    yield "addresses"
    person.open("/account/addresses/new/")
    yield "new address"
    person.open("/account/password/")
    yield "change password"
