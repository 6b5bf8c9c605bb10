from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from oscar.apps.partner.models import Partner
from PIL import Image

from shop.catalogue.models import Category, Product, ProductClass
from shop.partner.models import StockRecord
from tests import factories
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db


def inlines(**values: Any) -> dict[str, Any]:
    counts = {}
    for prefix in ("stockrecords", "images", "productcategory_set"):
        counts |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return {**counts, **values}


def form(**values: Any) -> dict[str, Any]:
    kind = ProductClass.objects.get_or_create(name="Goods")[0]
    return inlines(
        structure="standalone", product_class=kind.pk, tax_class=factories.tax_class().pk, is_public="on",
        is_discountable="on", title_zh_hans="橡木凳", title_en="Oak stool", slug="", **values,
    )  # fmt: skip


def sku_form(sku: str, price: str = "113.00") -> dict[str, Any]:
    partner = Partner.objects.get_or_create(code="weft", defaults={"name": "Weft"})[0]
    return {
        "stockrecords-TOTAL_FORMS": "1", "stockrecords-0-partner_sku": sku, "stockrecords-0-price": price,
        "stockrecords-0-price_currency": "CNY", "stockrecords-0-partner": partner.pk,
    }  # fmt: skip


def add(client: Client, **values: Any) -> Any:
    return client.post(reverse("admin:catalogue_product_add"), form(**values))


def picture() -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new("RGB", (900, 600), "#c8452f").save(data, "PNG")
    return SimpleUploadedFile("stool.png", data.getvalue(), "image/png")


def test_a_product_with_both_titles_sku_and_picture(login: Login) -> None:
    client = login("catalogue")
    assert client.get(reverse("admin:catalogue_product_add")).status_code == 200
    shot = {"images-TOTAL_FORMS": "1", "images-0-upload": picture(), "images-0-display_order": "0"}
    answer = add(client, **sku_form("STOOL-1"), **shot)
    assert answer.status_code == 302, answer.content.decode()
    made = Product.objects.get()
    assert (made.title_zh_hans, made.title_en, made.slug) == ("橡木凳", "Oak stool", "oak-stool")
    assert StockRecord.objects.get().partner_sku == "STOOL-1"
    assert made.images.get().original.name.endswith(".webp")
    assert client.get(reverse("admin:catalogue_product_change", args=[made.pk])).status_code == 200


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (sku_form, "This SKU is taken"),
        (lambda sku: {**sku_form("STOOL-2"), "stockrecords-0-price": "1.005"}, "more decimals"),
        (lambda sku: {"title_zh_hans": ""}, "title in Chinese is needed"),
    ],
)
def test_a_product_that_does_not_fit_is_refused_in_words(login: Login, values: Any, words: str) -> None:
    factories.product("STOOL-1")
    client = login("catalogue")
    page = client.post(reverse("admin:catalogue_product_add"), {**form(), **values("stool-1")})
    assert words in page.content.decode()
    assert Product.objects.count() == 1


def test_a_sku_is_never_edited(login: Login) -> None:
    product = factories.product("STOOL-1")
    record = product.stockrecords.get()
    edit = sku_form("OTHER", "99.00") | {
        "stockrecords-INITIAL_FORMS": "1", "stockrecords-0-id": record.pk, "stockrecords-0-product": product.pk,
    }  # fmt: skip
    address = reverse("admin:catalogue_product_change", args=[product.pk])
    assert login("catalogue").post(address, form(**edit)).status_code == 302
    record.refresh_from_db()
    assert (record.partner_sku, record.price) == ("STOOL-1", 99)


def test_a_product_is_not_deleted(login: Login) -> None:
    product = factories.product("STOOL-1")
    address = reverse("admin:catalogue_product_delete", args=[product.pk])
    assert login("superuser").post(address, {"post": "yes"}).status_code == 403


def category(client: Client, name: str, **values: Any) -> Any:
    posted = {"name_zh_hans": name, "name_en": f"{name} en", "is_public": "on", "slug": "",
              "treebeard_position": "first-child", "treebeard_ref_node": "", **values}  # fmt: skip
    return client.post(reverse("admin:catalogue_category_add"), posted)


def test_categories_make_a_tree(login: Login) -> None:
    client = login("catalogue")
    assert client.get(reverse("admin:catalogue_category_add")).status_code == 200
    assert category(client, "家具").status_code == 302
    top = Category.objects.get()
    assert category(client, "椅子", treebeard_ref_node=top.pk).status_code == 302
    chairs = Category.objects.get(name_zh_hans="椅子")
    assert (chairs.depth, chairs.path.startswith(top.path)) == (2, True)
    assert client.get(reverse("admin:catalogue_category_changelist")).status_code == 200
    assert client.get(reverse("admin:catalogue_category_change", args=[chairs.pk])).status_code == 200
    assert "is needed" in category(client, "").content.decode()
