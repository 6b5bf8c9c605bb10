"""Stock's pages as people use them, on a desktop and on a phone: the button of several actions, counts typed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from shop.stock.models import CountSheet, Level
from tests import factories
from tests.admin import stock
from tests.admin.conftest import Login
from tests.admin.pages import action
from tests.chromium import chromium

pytestmark = pytest.mark.django_db(transaction=True)
SKU = "CHAIR-1"


@pytest.fixture(params=[1280, 390])
def page(request: Any, login: Login, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page of a member of the warehouse's group, in English; errors of scripts fail the test."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    session = login("warehouse").cookies[settings.SESSION_COOKIE_NAME].value
    with chromium() as browser:
        size = {"width": request.param, "height": 900}
        context = browser.new_context(base_url=live_server.url, locale="en-US", viewport=size)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        shown, errors = context.new_page(), []
        shown.on("pageerror", lambda error: errors.append(str(error)))
        yield shown
    assert errors == []


def test_actions_that_change_a_place_stand_under_one_button(page: Any) -> None:
    factories.stock(SKU, SZ=10)
    page.goto(reverse("admin:stock_pool_change", args=[SKU]))
    if page.viewport_size["width"] < 1000:
        page.locator("button, a, div").get_by_text("more_horiz", exact=True).click()
    page.get_by_text("Change place").locator("visible=true").first.click()
    page.get_by_role("link", name="Set aside as damaged").locator("visible=true").first.click()
    page.get_by_label("units").fill("3")
    page.get_by_label("Why").fill("wet")
    page.get_by_role("button", name="Set aside").click()
    page.wait_for_url(f"**{reverse('admin:stock_pool_change', args=[SKU])}")
    assert dict(Level.objects.values_list("warehouse__code", "on_hand")) == {"SZ": 7, "SZ-D": 3}


def test_counts_are_typed_into_the_rows(page: Any) -> None:
    sheet: CountSheet = stock.sheet()
    page.goto(action("stock_countsheet", "enter", sheet.pk))
    page.get_by_label(SKU).fill("9")
    page.get_by_label("DESK-1").fill("x")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("This is not a whole number of units.").wait_for()
    page.get_by_label("DESK-1").fill("5")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{reverse('admin:stock_countsheet_change', args=[sheet.pk])}")
    assert (stock.row(sheet).found, stock.row(sheet, "DESK-1").found) == (9, 5)
