"""One product's page: what is written on it, what is refused in words, and what shows in the shop afterwards."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from oscar.apps.partner.models import Partner
from PIL import Image

from shop.catalogue import pictures
from shop.catalogue.models import (
    AttributeOption,
    AttributeOptionGroup,
    Category,
    Product,
    ProductAttribute,
    ProductClass,
    ProductImage,
)
from shop.partner.models import StockRecord
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said

pytestmark = pytest.mark.django_db


def kind() -> ProductClass:
    return ProductClass.objects.get_or_create(slug="goods", defaults={"name_zh_hans": "Goods", "name_en": "Goods"})[0]


def new(structure: str = "standalone", **values: Any) -> dict[str, Any]:
    """What the page for a new product posts."""
    Partner.objects.get_or_create(code="weft", defaults={"name": "Weft"})
    return {
        "structure": structure, "product_class": kind().pk, "tax_class": factories.tax_class().pk, "is_public": "on",
        "is_discountable": "on", "title_zh_hans": "橡木凳", "title_en": "Oak stool", "slug": "",
        "images-TOTAL_FORMS": "0", "images-INITIAL_FORMS": "0",
        "kit_parts-TOTAL_FORMS": "0", "kit_parts-INITIAL_FORMS": "0", **values,
    }  # fmt: skip


def add(client: Client, **values: Any) -> HttpResponse:
    return client.post(reverse("admin:catalogue_product_add"), new(**values))


def change(client: Client, product: Product, **values: Any) -> HttpResponse:
    """Open its page, write these values into it, save."""
    address = reverse("admin:catalogue_product_change", args=[product.pk])
    return client.post(address, {**filled(client.get(address), "product_form"), **values})


def picture(colour: str = "#c8452f", name: str = "stool.png") -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new("RGB", (900, 600), colour).save(data, "PNG")
    return SimpleUploadedFile(name, data.getvalue(), "image/png")


def shop(product: Product) -> str:
    """Its page in the shop, in English."""
    return Client(headers={"accept-language": "en"}).get(product.get_absolute_url()).content.decode()


def test_a_product_with_both_titles_sku_price_category_and_pictures(login: Login) -> None:
    client, home = login("catalogue"), Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    page = reverse("admin:catalogue_product_add") + f"?structure=standalone&product_class={kind().pk}"
    assert client.get(page).status_code == 200
    shots = {"new_pictures": [picture(), picture("#204060", "other.png")]}
    answer = add(client, sku="STOOL-1", price="113.00", categories=[home.pk], **shots)
    assert answer.status_code == 302, answer.content.decode()
    made = Product.objects.get()
    assert (made.title_zh_hans, made.title_en, made.slug) == ("橡木凳", "Oak stool", "oak-stool")
    record = StockRecord.objects.get()
    assert (record.partner_sku, record.price, record.price_currency, record.partner.code) == (
        "STOOL-1", 113, "CNY", "weft",
    )  # fmt: skip
    assert list(made.categories.all()) == [home]
    assert [image.display_order for image in made.images.all()] == [0, 1]
    assert made.images.all()[0].original.name.endswith(".webp")
    assert client.get(reverse("admin:catalogue_product_change", args=[made.pk])).status_code == 200


def test_what_kind_of_product_is_asked_first(login: Login) -> None:
    client = login("catalogue")
    assert "Make a type first" in client.get(reverse("admin:catalogue_product_add")).content.decode()
    made = kind()
    page = client.get(reverse("admin:catalogue_product_add")).content.decode()
    assert f"?structure=parent&amp;product_class={made.pk}" in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sku": "stool-1"}, "This SKU is taken"),
        ({"sku": "TEE"}, "This SKU is taken"),
        ({"sku": "STOOL-2", "price": "1.005"}, "more decimals"),
        ({"price": "5"}, "A price needs a SKU"),
        ({"sku": "STOOL-2", "price": "5", "price_currency": "XYZ"}, "There is no such currency"),
        ({"title_zh_hans": ""}, "title in Chinese is needed"),
        ({"structure": "child"}, "Variants are added on the page"),
        ({"product_class": ""}, "Choose a type"),
        ({"structure": "parent", "code": "stool-1"}, "has this code already"),
        ({"new_pictures": [SimpleUploadedFile("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")]},
         "drawing.svg is not a picture"),
        ({"new_pictures": [SimpleUploadedFile("fake.png", b"not a picture at all")]}, "fake.png is not a picture"),
    ],
)  # fmt: skip
def test_a_product_that_does_not_fit_is_refused_in_words(login: Login, values: Any, words: str) -> None:
    factories.product("STOOL-1")
    Product.objects.create(structure="parent", product_class=kind(), title_zh_hans="衫", slug="tee", code="TEE")
    page = add(login("catalogue"), **values)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert Product.objects.count() == 2


def test_a_sku_is_never_edited_but_its_price_is_and_the_history_says_so(login: Login) -> None:
    product, client = factories.product("STOOL-1", price="39.00"), login("catalogue")
    assert change(client, product, sku="OTHER", price="45.00").status_code == 302
    record = StockRecord.objects.get()
    assert (record.partner_sku, record.price) == ("STOOL-1", 45)
    entry = LogEntry.objects.get()
    assert "price 39.00 -> 45.00 CNY (STOOL-1)" in entry.get_change_message()
    assert entry.user.email == "catalogue@weft.test"
    page = client.get(reverse("admin:catalogue_product_history", args=[product.pk])).content.decode()
    assert "39.00 -&gt; 45.00" in page


def test_a_product_is_not_deleted(login: Login) -> None:
    product = factories.product("STOOL-1")
    address = reverse("admin:catalogue_product_delete", args=[product.pk])
    assert login("superuser").post(address, {"post": "yes"}).status_code == 403


def attributes(product_class: ProductClass) -> dict[str, ProductAttribute]:
    """One of each kind."""
    sizes = AttributeOptionGroup.objects.create(name_zh_hans="尺码", name_en="Sizes")
    for word in ("S", "M", "L"):
        AttributeOption.objects.create(group=sizes, option_zh_hans=word, option_en=word)
    of = {"option": {"option_group": sizes}, "multi_option": {"option_group": sizes}}
    codes = {"text": "note", "integer": "pieces", "float": "litres", "boolean": "organic", "date": "since",
             "datetime": "until", "option": "size", "multi_option": "fits"}  # fmt: skip
    return {
        code: ProductAttribute.objects.create(
            product_class=product_class, code=code, type=type_, name_zh_hans=code, name_en=code, **of.get(type_, {})
        )
        for type_, code in codes.items()
    }


def test_attributes_of_every_kind_are_written_shown_and_emptied(login: Login) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    attributes(product.product_class)
    options = {option.option_en: option for option in AttributeOption.objects.all()}
    values = {
        "attr_note": "hand made", "attr_pieces": "4", "attr_litres": "1.5", "attr_organic": "true",
        "attr_since": "2026-11-23", "attr_until_0": "2026-12-24", "attr_until_1": "18:00:00",
        "attr_size": options["M"].pk, "attr_fits": [options["S"].pk, options["L"].pk],
    }  # fmt: skip
    assert change(client, product, **values).status_code == 302
    attr = Product.objects.get().attr
    assert (attr.note, attr.pieces, attr.litres, attr.organic) == ("hand made", 4, 1.5, True)
    assert (str(attr.since), attr.size.option, {o.option for o in attr.fits}) == ("2026-11-23", "M", {"S", "L"})
    assert attr.until.isoformat() == "2026-12-24T10:00:00+00:00"  # Shanghai's evening
    assert "hand made" in shop(product)
    page = client.get(reverse("admin:catalogue_product_change", args=[product.pk]))
    again = filled(page, "product_form")
    assert (again["attr_note"], again["attr_size"], again["attr_organic"]) == (
        "hand made",
        str(options["M"].pk),
        "true",
    )
    assert again["attr_fits"] == [str(options["S"].pk), str(options["L"].pk)]
    emptied = {name: "" for name in values} | {"attr_organic": "unknown", "attr_fits": []}
    assert change(client, product, **emptied).status_code == 302
    assert Product.objects.get().attribute_values.count() == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"attr_pieces": "four"}, "Enter a whole number"),
        ({"attr_pieces": "99999999999"}, "less than or equal to 2147483647"),
        ({"attr_litres": "much"}, "Enter a number"),
        ({"attr_since": "23 Nov"}, "Enter a valid date"),
        ({"attr_size": "999"}, "Select a valid choice"),
        ({"attr_note": ""}, "This field is required"),
    ],
)
def test_attributes_that_do_not_fit_are_refused(login: Login, values: Any, words: str) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    attributes(product.product_class)
    ProductAttribute.objects.filter(code="note").update(required=True)
    page = change(client, product, **{"attr_note": "x", **values})
    assert page.status_code == 200
    assert words in page.content.decode()
    assert product.attribute_values.count() == 0


def test_a_text_of_each_language_stands_side_by_side(login: Login) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    for code in ("colour_en", "colour_zh_hans"):
        ProductAttribute.objects.create(
            product_class=product.product_class, code=code, type="text", name_zh_hans="颜色", name_en="Colour"
        )
    page = client.get(reverse("admin:catalogue_product_change", args=[product.pk])).content.decode()
    assert page.index("Colour (中文)") < page.index("Colour (English)")


@pytest.mark.parametrize(
    "touch",
    [
        {"attr_note": "new words"},
        {"new_pictures": "one"},
        {"images-0-DELETE": "on"},
        {"images-0-caption": "the front"},
        {"categories": "one"},
    ],
)
def test_saving_anything_of_it_stamps_it_for_the_pages_that_remember_it(login: Login, touch: dict[str, Any]) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    attributes(product.product_class)
    pictures.add(product, picture())
    other = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    shop(product)
    before = Product.objects.get().date_updated
    values = {
        name: [picture("#111111")] if name == "new_pictures" else [other.pk] if name == "categories" else value
        for name, value in touch.items()
    }
    assert change(client, product, **values).status_code == 302
    assert Product.objects.get().date_updated > before
    if "attr_note" in touch:
        assert "new words" in shop(product)


def test_pictures_are_put_in_order_captioned_and_deleted_with_their_files(
    login: Login, django_capture_on_commit_callbacks: Any
) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    made = [
        pictures.add(product, picture(colour), order=order) for order, colour in enumerate(("#f00", "#0f0", "#00f"))
    ]
    gone = made[0].original.name
    kept = [f"images-{place}-display_order" for place in range(3)]
    with django_capture_on_commit_callbacks(execute=True):
        answer = change(
            client, product,
            **{"images-0-DELETE": "on", kept[1]: "7", kept[2]: "3", "images-1-caption": "green"},
        )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    images = list(product.images.all())
    assert [(image.pk, image.display_order, image.caption) for image in images] == [
        (made[2].pk, 0, ""), (made[1].pk, 1, "green"),
    ]  # fmt: skip
    assert not default_storage.exists(gone)
    assert not default_storage.exists(pictures.sized(gone, 400))
    assert default_storage.exists(pictures.sized(made[1].original.name, 800))


def test_who_saves_second_is_told_and_overwrites_nothing(login: Login) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    address = reverse("admin:catalogue_product_change", args=[product.pk])
    mine = filled(client.get(address), "product_form")
    assert change(login("superuser"), product, title_en="Stool of the other one").status_code == 302
    page = client.post(address, {**mine, "title_zh_hans": "我的"})
    assert "Somebody else saved this product" in page.content.decode()
    product = Product.objects.get()
    assert (product.title_en, product.title_zh_hans) == ("Stool of the other one", "橡木椅")
    assert client.post(address, {name: value for name, value in mine.items() if name != "seen"}).status_code == 200


def test_what_its_state_forbids_is_refused_with_what_to_do(login: Login) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    assert "sold under its own SKU STOOL-1" in change(client, product, structure="parent").content.decode()
    parent = Product.objects.create(structure="parent", product_class=kind(), title_zh_hans="衫", slug="tee")
    Product.objects.create(structure="child", parent=parent, slug="tee-s")
    page = change(client, parent, structure="standalone").content.decode()
    assert "It has 1 variant. Make a new single product instead" in page
    attributes(product.product_class)["note"].save_value(product, "x")
    other = ProductClass.objects.create(name_zh_hans="书", name_en="Book", slug="book")
    page = change(client, Product.objects.get(pk=product.pk), product_class=other.pk).content.decode()
    assert "It has values of its present type: note" in page
    assert Product.objects.get(pk=product.pk).product_class == kind()


def test_a_copy_has_everything_but_what_identifies(login: Login, django_capture_on_commit_callbacks: Any) -> None:
    source, client = factories.product("STOOL-1", price="39.00"), login("catalogue")
    attributes(source.product_class)["note"].save_value(source, "hand made")
    source.categories.add(Category.add_root(slug="home", name_zh_hans="家", name_en="Home"))
    shot = pictures.add(source, picture(), caption="front")
    page = action("catalogue_product", "copy", source.pk)
    assert client.get(page).status_code == 200
    assert "is taken" in client.post(page, {"sku": "stool-1"}).content.decode()
    answer = client.post(page, {"sku": "STOOL-2", "with_pictures": "on"})
    copy = Product.objects.get(stockrecords__partner_sku="STOOL-2")
    assert answer.headers["location"] == reverse("admin:catalogue_product_change", args=[copy.pk])
    assert (copy.title_en, copy.is_public, copy.stockrecords.get().price) == ("Oak chair", False, 39)
    assert (copy.attr.note, copy.categories.count()) == ("hand made", 1)
    theirs = copy.images.get()
    assert (theirs.caption, theirs.original.name != shot.original.name) == ("front", True)
    with django_capture_on_commit_callbacks(execute=True):
        ProductImage.objects.get(pk=shot.pk).delete()
    assert default_storage.exists(pictures.sized(theirs.original.name, 400))


def test_view_in_the_shop_leads_there_when_there_is_something_to_see(login: Login) -> None:
    product, client = factories.product("STOOL-1"), login("catalogue")
    answer = client.get(action("catalogue_product", "in_shop", product.pk))
    assert answer.headers["location"] == product.get_absolute_url()
    Product.objects.update(is_public=False)
    page = client.get(reverse("admin:catalogue_product_change", args=[product.pk])).content.decode()
    assert "in-shop" not in page


def test_who_may_only_look_sees_values_and_no_way_to_save(login: Login) -> None:
    product = factories.product("STOOL-1", price="39.00")
    attributes(product.product_class)["note"].save_value(product, "hand made")
    product.categories.add(Category.add_root(slug="home", name_zh_hans="家", name_en="Home"))
    pictures.add(product, picture())
    page = login("sales").get(reverse("admin:catalogue_product_change", args=[product.pk])).content.decode()
    for shown in ("hand made", "Home", "STOOL-1", "39.00", "橡木椅"):
        assert shown in page
    assert 'name="_save"' not in page
    assert 'name="new_pictures"' not in page


def test_messages_are_said(login: Login) -> None:
    assert "Oak stool" in said(add(login("catalogue"), sku="STOOL-1", price="1.00"))


def test_a_supplier_has_a_code_that_stays(login: Login) -> None:
    client, page = login("catalogue"), reverse("admin:partner_partner_add")
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "岭南木作", "chosen_code": "lingnan"}).status_code == 302
    made = Partner.objects.get()
    assert (made.name, made.code) == ("岭南木作", "lingnan")
    assert (
        "Another supplier has this code" in client.post(page, {"name": "x", "chosen_code": "LINGNAN"}).content.decode()
    )
    edit = reverse("admin:partner_partner_change", args=[made.pk])
    assert client.get(edit).status_code == 200
    assert client.post(edit, {"name": "岭南", "code": "other"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.code) == ("岭南", "lingnan")
