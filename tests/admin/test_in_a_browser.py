"""What scripts do on the pages of the catalogue, in a real browser: things dragged, moved by keyboard, uploaded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from shop.catalogue import pictures
from shop.catalogue.models import Category
from tests import factories
from tests.admin.conftest import Login
from tests.chromium import chromium

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(login: Login, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page of a member of the catalogue's group, in English; errors of scripts fail the test."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's driver runs a loop in this thread
    client: Client = login("catalogue")
    with chromium() as browser:
        context = browser.new_context(base_url=live_server.url, locale="en-US", viewport={"width": 1280, "height": 900})
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        shown, errors = context.new_page(), []
        shown.on("pageerror", lambda error: errors.append(str(error)))
        yield shown
    assert errors == []


def shape() -> str:
    return " ".join("-" * (c.depth - 1) + c.slug for c in Category.objects.order_by("path"))


def drag(page: Any, node: Category, target: Category, part: float) -> None:
    """By its handle, onto a part of the other's height."""
    box = page.locator(f"#category-{target.pk}").bounding_box()
    page.drag_and_drop(
        f"#category-{node.pk} .weft-branch-handle",
        f"#category-{target.pk}",
        target_position={"x": 200, "y": box["height"] * part},
    )
    page.wait_for_url("**/category/#category-*")
    page.wait_for_load_state()


def test_categories_are_dragged_before_into_and_behind(page: Any) -> None:
    for slug in ("a", "b", "c"):
        Category.add_root(slug=slug, name_zh_hans=slug, name_en=slug.upper())
    a, b, c = Category.objects.order_by("path")
    page.goto(reverse("admin:catalogue_category_changelist"))
    drag(page, c, a, 0.1)
    assert shape() == "c a b"
    page.goto(reverse("admin:catalogue_category_changelist"))
    drag(page, a, c, 0.5)
    assert shape() == "c -a b"
    page.goto(reverse("admin:catalogue_category_changelist"))
    drag(page, a, b, 0.9)
    assert shape() == "c b a"
    assert "has moved" in page.locator("body").inner_text()


def test_categories_are_moved_by_keyboard(page: Any) -> None:
    for slug in ("a", "b"):
        Category.add_root(slug=slug, name_zh_hans=slug, name_en=slug.upper())
    second = Category.objects.get(slug="b")
    page.goto(reverse("admin:catalogue_category_changelist"))
    page.locator(f"#category-{second.pk} .weft-branch-name a").focus()
    for key, then in (("ArrowRight", "a -b"), ("ArrowLeft", "a b"), ("ArrowUp", "b a")):
        with page.expect_navigation():
            page.keyboard.press(f"Alt+{key}")
        page.wait_for_function("document.activeElement.closest('.weft-branch')")
        assert shape() == then
    focused = page.evaluate("document.activeElement.closest('.weft-branch').id")
    assert focused == f"category-{second.pk}"


def shot(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(data, "PNG")
    return data.getvalue()


def test_several_pictures_are_chosen_and_dragged_into_order(page: Any) -> None:
    product = factories.product("CHAIR-1")
    first = pictures.add(product, io.BytesIO(shot("#111")), caption="first")
    address = reverse("admin:catalogue_product_change", args=[product.pk])
    page.goto(address)
    files = [{"name": f"{name}.png", "mimeType": "image/png", "buffer": shot(name)} for name in ("#222222", "#333333")]
    page.set_input_files("input[name=new_pictures]", files)
    assert page.locator("input[name=images-0-caption]").input_value() == "first"
    with page.expect_navigation():
        page.click("button[name=_continue]")
    assert [image.caption for image in product.images.all()] == ["first", "", ""]
    handles = page.locator("#images-data .form-group.original [x-sort\\:handle]")
    assert handles.count() == 3
    handles.nth(0).drag_to(handles.nth(2), target_position={"x": 10, "y": 30})
    with page.expect_navigation():
        page.click("button[name=_continue]")
    order = list(product.images.values_list("caption", flat=True))
    assert order == ["", "", "first"]
    assert product.images.get(pk=first.pk).display_order == 2
