"""Situations of stock, for tests of its pages: goods on hold, adjustments that wait, count sheets in every state."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from django.core import signing
from django.db import transaction
from django.urls import reverse

from shop.customer.models import User
from shop.order import lifecycle
from shop.order.models import PaymentMethod
from shop.stock import approvals, counting, places
from shop.stock.admin_sheet_entry import SALT
from shop.stock.approvals import Person, Wish
from shop.stock.counting import Chosen, Count
from shop.stock.models import BrokenPromise, CountRow, CountSheet, Proposal, Reason
from shop.stock.movements import Move, record
from shop.stock.proposal_models import Change
from tests import factories
from tests.admin.pages import action

Prepared = tuple[str, dict[str, Any]]


def someone(name: str = "li") -> Person:
    """A member of staff without any group."""
    email = f"{name}@weft.test"
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, is_staff=True)
    return Person(user.pk, f"staff:{email}")


def proposal(units: int = -150, change: Change = Change.DAMAGE) -> Proposal:
    """150 of 200 chairs are beyond saving, says Li."""
    factories.stock("CHAIR-1", SZ=200)
    with transaction.atomic():
        wish = Wish("CHAIR-1", factories.warehouse("SZ").pk, units, change, "flood")
        made = approvals.adjust(wish, someone())
    assert made
    return made


def sheet(counted: bool = False, finished: bool = False, blind: bool = True) -> CountSheet:
    """Two SKUs in SZ; counted: one of them differs, by 1; the other agrees. All by Li."""
    factories.stock("CHAIR-1", SZ=10)
    factories.stock("DESK-1", SZ=5)
    made = counting.make(Chosen(factories.warehouse("SZ").pk, blind=blind), someone())
    if counted or finished:
        found = {"CHAIR-1": 9, "DESK-1": 5}
        counts = {row.pk: Count(found[row.pool_id], row.entries) for row in made.rows.all()}
        counting.enter(made.pk, counts, someone())
    if finished:
        counting.finish(made.pk, someone())
    made.refresh_from_db()
    return made


def row(made: CountSheet, sku: str = "CHAIR-1") -> CountRow:
    return made.rows.get(pool=sku)


# --- for the matrix --------------------------------------------------------------------------------------------------


def release() -> Prepared:
    pool = factories.stock("CHAIR-1", SZ=10)
    with transaction.atomic():
        place = places.hold("CHAIR-1", factories.warehouse("SZ"), 4, actor="test", note="test")
    return action("stock_pool", "release", pool.sku), {"warehouse": place.pk, "quantity": 2, "note": "test"}


def turn(name: str) -> Callable[[], Prepared]:
    def prepare() -> Prepared:
        factories.stock("CHAIR-1", SZ=10, HZ=1)
        place = factories.warehouse("SZ")
        if name == "open_for_sale":
            place = factories.warehouse("OLD", is_sellable=False)
        return action("stock_warehouse", name, place.pk), {"why": "we move"}

    return prepare


def decide(name: str) -> Callable[[], Prepared]:
    return lambda: (action("stock_proposal", name, proposal().pk), {"answer": "seen"})


def new_sheet() -> Prepared:
    factories.stock("CHAIR-1", SZ=10)
    form = {"warehouse": factories.warehouse("SZ").pk, "choice": "all", "rows": 10, "blind": "on"}
    return reverse("admin:stock_countsheet_new_sheet"), form


def sheet_action(name: str, **made: bool) -> Callable[[], Prepared]:
    return lambda: (action("stock_countsheet", name, sheet(**made).pk), {"answer": "seen"})


def typed(made: CountSheet, **found: object) -> dict[str, Any]:
    """What a browser posts of a page on which these were typed, by row."""
    form: dict[str, Any] = {"row": [row.pk for row in made.rows.all()]}
    for row_ in made.rows.all():
        was = "" if row_.found is None else str(row_.found)
        form[f"found-{row_.pk}"] = found.get(row_.pool_id.replace("-", "_"), was)
        form[f"was-{row_.pk}"], form[f"seen-{row_.pk}"] = was, row_.entries
    return form


def enter() -> Prepared:
    made = sheet()
    return action("stock_countsheet", "enter", made.pk), typed(made, CHAIR_1=9)


def add_sku() -> Prepared:
    made = sheet()
    factories.stock("LAMP-1", HZ=1)
    return action("stock_countsheet", "add_sku", made.pk), {"sku": "lamp-1"}


def take_file() -> Prepared:
    """The second step of a file, for whoever tries it: signed for each of them in turn."""
    made = sheet()
    last = User.objects.filter(email__endswith="@weft.test").exclude(email="li@weft.test").order_by("-pk").first()
    counts = [[row(made).pk, 9, 0]]
    said = {"sheet": made.pk, "user": last.pk if last else 0, "name": "counts.csv", "counts": counts}
    return action("stock_countsheet", "bring_counts", made.pk), {"checked": signing.dumps(said, salt=SALT)}


def file_address() -> str:
    return reverse("admin:stock_countsheet_file", args=[sheet().pk, "csv"])


CARRIED = re.compile(r'name="checked" value="([^"]+)"')


def carried(page: str) -> str:
    """What a checked file's page carries to its second step."""
    found = CARRIED.search(page)
    assert found, page
    return html.unescape(found[1])


def broken_promise() -> BrokenPromise:
    """An order of two chairs was cancelled, for one of them was broken."""
    factories.stock("CHAIR-1", SZ=2)
    placed = factories.order({"CHAIR-1": 2}, payment_method=PaymentMethod.ON_ACCOUNT)
    with transaction.atomic():
        record([Move("CHAIR-1", factories.warehouse("SZ").pk, -1, Reason.DAMAGE)])
    lifecycle.cancel(placed.number, actor="test")
    return BrokenPromise.objects.get(line__order=placed)
