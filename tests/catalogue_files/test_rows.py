"""What rows mean: every column, every kind of attribute, and everything that can be wrong with a row."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from oscar.apps.partner.models import Partner

from integrations.hub.files.sheets import Unreadable
from shop.catalogue.files import plan
from shop.catalogue.models import Category, Product, ProductAttribute, ProductClass
from tests import factories
from tests.admin import goods
from tests.catalogue_files.sheets import as_xlsx, planned, refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> None:
    translation.activate("en")


@pytest.fixture(autouse=True)
def shelf(db: None) -> Product:
    """A chair, a shirt with two variants, two categories."""
    chair = factories.product("CHAIR-1", price="113.00", upc="6901234567892")
    goods.shirt(("Indigo", "S"), ("Indigo", "M"))
    home = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    home.add_child(slug="lamps", name_zh_hans="灯", name_en="Lamps")
    return chair


def changes(*rows: list[Any]) -> dict[str, dict[str, Any]]:
    """SKU -> column -> new value, of rows that are all right."""
    found = planned(*rows)
    assert refused(found) == []
    return {entry.key: {name: new for name, (_old, new) in entry.changes.items()} for entry in found.accepted}


def words(*rows: list[Any]) -> str:
    return " | ".join(f"{row} {column}: {said}" for row, column, said in refused(planned(*rows)))


def test_only_what_a_row_says_changes() -> None:
    assert changes(["sku", "price"], ["CHAIR-1", "99.5"]) == {"CHAIR-1": {"price": Decimal("99.50")}}
    assert changes(["sku", "price", "title_en"], ["chair-1", "", "Oak chair"]) == {}
    found = planned(["sku", "price"], ["CHAIR-1", "113"])
    assert (found.unchanged, found.accepted) == (1, [])


def test_every_column_of_a_product() -> None:
    factories.tax_class("VAT9", "0.09")
    Partner.objects.create(code="north", name="North Works")
    said = {
        "title_zh_hans": "椅", "title_en": "Chair", "summary_zh_hans": "一", "summary_en": "One",
        "description_zh_hans": "长", "description_en": "Long\ntext", "price": "10", "currency": "jpy",
        "supplier": "North Works", "tax_class": "vat9", "categories": "home/lamps｜home", "public": "否",
        "featured": "TRUE", "discountable": "n", "upc": "0001", "weight_g": "1200", "slug": "the-chair",
    }  # fmt: skip
    found = changes(["sku", *said], ["CHAIR-1", *said.values()])["CHAIR-1"]
    home, lamps = Category.objects.order_by("path")
    assert found == {
        "title_zh_hans": "椅", "title_en": "Chair", "summary_zh_hans": "一", "summary_en": "One",
        "description_zh_hans": "长", "description_en": "Long\ntext", "price": 10, "currency": "JPY",
        "supplier": Partner.objects.get(code="north").pk, "tax_class": factories.tax_class("VAT9").pk,
        "categories": (home.pk, lamps.pk), "public": False, "featured": True, "discountable": False, "upc": "0001",
        "weight_g": 1200, "slug": "the-chair",
    }  # fmt: skip


def test_emptied_where_it_may_be() -> None:
    Product.objects.filter(slug="chair-1").update(weight_g=5)
    names = ["price", "upc", "title_en", "tax_class", "weight_g"]
    found = changes(["sku", *names], ["CHAIR-1", *["[empty]"] * 4, "[清空]"])
    assert found["CHAIR-1"] == {"price": None, "upc": "", "title_en": "", "tax_class": None, "weight_g": None}
    assert "currency: This cannot be emptied" in words(["sku", "currency"], ["CHAIR-1", "[empty]"])
    assert "title in Chinese is needed" in words(["sku", "title_zh_hans"], ["CHAIR-1", "[empty]"])


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("price", "¥39.00", "Write the amount only"),
        ("price", "1,299.00", "Write the amount only"),
        ("price", "-5", "Write the amount only"),
        ("price", "1.005", "more decimals than the currency"),
        ("price", "9" * 16, "more digits than a price can have"),
        ("currency", "RMB¥", "There is no such currency"),
        ("tax_class", "VAT17", "There is no “VAT17”. There is: VAT13"),
        ("supplier", "nobody", "There is no “nobody”. There is: weft"),
        ("categories", "home/attic", "There is no “home/attic”. There is: home, home/lamps"),
        ("public", "perhaps", "Write yes or no"),
        ("weight_g", "1.5", "Write a whole number from 0"),
        ("weight_g", "-1", "Write a whole number from 0"),
        ("title_en", "two\nlines", "several lines"),
        ("title_en", "x" * 256, "Longer than 255"),
        ("slug", "a b", "Latin letters"),
        ("upc", "6.90E+12", "has shortened this number"),
        ("upc", "taken", "Another product has this bar code: LAMP-1"),
        ("structure", "bundle", "There is no “bundle”. There is: single, parent, variant"),
        ("structure", "parent", "does not change. Make a new product"),
        ("type", "shirt", "A file does not change a product's type"),
        ("parent", "TEE", "Only variants have one"),
        ("attribute:colour", "Indigo", "Products of the type goods have no such attribute"),
    ],
)
def test_a_cell_that_does_not_fit_names_row_column_and_what_to_do(column: str, cell: str, said: str) -> None:
    factories.product("LAMP-1", upc="taken")
    found = planned(["sku", column], ["LAMP-1", ""], ["CHAIR-1", cell])
    ((row, where, why),) = refused(found)
    assert (row, where) == (3, column)
    assert said in why
    assert found.accepted == []


@pytest.mark.parametrize(
    ("code", "cell", "value"),
    [
        ("colour", "本白", "Off-white"),
        ("colour", "OFF-WHITE", "Off-white"),
        ("size", "l", "L"),
        ("gsm", "180", 180),
        ("gsm", "[empty]", None),
        ("organic", "是", True),
        ("since", "2026-11-23", datetime.date(2026, 11, 23)),
        ("fits", "S|L", ("S", "L")),
    ],
)
def test_attributes_of_a_variant(code: str, cell: str, value: Any) -> None:
    goods.attribute("gsm").save_value(Product.objects.get(stockrecords__partner_sku="TEE-INDIGO-S"), 140)
    found = changes(["sku", f"attribute:{code}"], ["TEE-INDIGO-S", cell])["TEE-INDIGO-S"][f"attribute:{code}"]
    options = {"colour", "size", "fits"}
    expected = tuple(goods.option(word).pk for word in value) if isinstance(value, tuple) else value
    assert found == (goods.option(value).pk if code in options and isinstance(value, str) else expected)


@pytest.mark.parametrize(
    ("code", "cell", "said"),
    [
        ("colour", "Pink", "There is no “Pink”. There is: 靛蓝, 赭黄, 本白"),
        ("gsm", "heavy", "Write a whole number"),
        ("organic", "partly", "Write yes or no"),
        ("since", "23.11.2026", "Write the day as 2026-11-23"),
        ("since", "2026-02-30", "Write the day as 2026-11-23"),
        ("since", "46349", "A plain number is not a date"),
        ("fits", "S|Q", "There is no “Q”"),
        ("colour", "[empty]", "“Colour” is needed"),
    ],
)
def test_attributes_that_do_not_fit(code: str, cell: str, said: str) -> None:
    found = words(["sku", "structure", f"attribute:{code}"], ["TEE-INDIGO-S", "variant", cell])
    assert said in found or (code == "colour" and cell == "[empty]" and found == "")


def test_a_variant_keeps_a_value_it_needs() -> None:
    assert "“Colour” is needed" in words(["sku", "attribute:colour"], ["TEE-INDIGO-S", "[empty]"])


# --- new ones ---


def test_a_new_product_needs_little() -> None:
    found = planned(["sku", "type", "title_zh_hans", "price"], ["LAMP-9", "Goods", "灯", "5"])
    (entry,) = found.created
    assert (entry.structure, entry.values["currency"], entry.values["public"]) == ("standalone", "CNY", True)
    assert entry.values["supplier"] == Partner.objects.get(code="weft").pk


def test_a_new_product_that_lacks_something_is_refused() -> None:
    found = words(["sku", "title_zh_hans"], ["LAMP-9", ""])
    assert "2 title_zh_hans: A new product needs a title in Chinese" in found
    assert "2 type: A new product needs a type. There is: " in found
    ProductAttribute.objects.create(
        product_class=ProductClass.objects.get(slug="goods"), code="care", type="text", required=True,
        name_zh_hans="护理", name_en="Care",
    )  # fmt: skip
    assert "“Care” is needed" in words(["sku", "type", "title_zh_hans"], ["LAMP-9", "goods", "灯"])


def test_a_product_with_variants_and_its_variants_in_any_order() -> None:
    found = planned(
        ["sku", "parent", "type", "title_zh_hans", "price", "attribute:colour", "attribute:size"],
        ["HAT-S", "HAT", "", "", "49", "Ochre", "S"],
        ["HAT", "", "shirt", "帽", "", "", ""],
        ["HAT-M", "hat", "", "", "49", "Ochre", "M"],
        ["TEE-NEW", "TEE", "", "", "49", "Ochre", "M"],
    )
    assert refused(found) == []
    assert [(entry.key, entry.structure) for entry in found.accepted] == [
        ("HAT", "parent"), ("HAT-S", "child"), ("HAT-M", "child"), ("TEE-NEW", "child"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["X-1", "NOBODY", ""]], "2 parent: There is no such product, here or in this file"),
        ([["X-1", "CHAIR-1", ""]], "2 parent: This is no product with variants"),
        ([["X-1", "TEE", "5"], ["X-1", "TEE", "5"]], "This SKU stands in rows 2, 3"),
        ([["TEE", "", "5"]], "2 price: A product with variants has none of its own"),
        ([["TEE-INDIGO-S", "OTHER", ""]], "2 parent: A variant stays with its product"),
        ([["", "", "5"]], "2 sku: Every row needs a SKU"),
        ([["EXAMPLE-1", "", "5"]], "2 sku: This is the template's example"),
        ([["6.9E+12", "", "5"]], "2 sku: The spreadsheet program has shortened this number"),
        ([["X" * 65, "", "5"]], "2 sku: Longer than 64"),
    ],
)
def test_rows_that_do_not_fit(rows: list[list[str]], said: str) -> None:
    assert said in words(["sku", "parent", "price"], *rows)


def test_variants_go_with_their_product() -> None:
    """Its row is refused, or is none: so are they, and say which row it is."""
    found = words(
        ["sku", "parent", "structure", "type", "title_zh_hans", "attribute:colour", "attribute:size"],
        ["HAT", "", "parent", "shirt", "", "", ""],
        ["HAT-S", "HAT", "", "", "", "Ochre", "S"],
        ["CAP", "", "single", "goods", "帽", "", ""],
        ["CAP-S", "CAP", "", "", "", "", ""],
    )
    assert "3 parent: The row of its product, 2, is refused" in found
    assert "5 parent: Row 4 is no product with variants" in found


def test_a_new_product_does_not_take_what_identifies_another() -> None:
    columns = ["sku", "type", "title_zh_hans", "upc"]
    assert "bar code: CHAIR-1" in words(columns, ["LAMP-9", "goods", "灯", "6901234567892"])
    twice = words(columns, ["LAMP-8", "goods", "灯", "77"], ["LAMP-9", "goods", "灯", "77"])
    assert twice == "3 upc: Another product has this bar code: LAMP-8."


def test_several_things_of_one_name_are_not_guessed() -> None:
    other = Category.add_root(slug="office", name_zh_hans="办公", name_en="Office")
    other.add_child(slug="lamps", name_zh_hans="灯", name_en="Lamps")
    assert "can be several: home/lamps, office/lamps" in words(["sku", "categories"], ["CHAIR-1", "lamps"])
    assert changes(["sku", "categories"], ["CHAIR-1", "office/lamps"])


# --- the whole file ---


def unreadable(*rows: list[Any]) -> str:
    with pytest.raises(Unreadable) as refusal:
        planned(*rows)
    return str(refusal.value)


def test_unknown_and_missing_columns() -> None:
    assert "There is no column “sku”" in unreadable(["title_en"], ["x"])
    assert "There is no column “prise”; perhaps “price” is meant" in unreadable(["sku", "prise"], ["A", "1"])
    assert "perhaps “attribute:colour”" in unreadable(["sku", "attribute:color"], ["A", "1"])
    assert "name it as in the template" in unreadable(["sku", "zzz"], ["A", "1"])


@pytest.mark.parametrize("column", ["stock", "num_in_stock", "库存", "Quantity"])
def test_figures_of_stock_are_left_alone_and_it_says_so(column: str) -> None:
    factories.stock("CHAIR-1", SZ=7)
    found = planned(["sku", column, "price"], ["CHAIR-1", "500", "99"])
    assert "figures of stock are not imported" in found.notices[0]
    assert [set(entry.changes) for entry in found.accepted] == [{"price"}]


def test_numbers_and_dates_of_a_workbook() -> None:
    day = datetime.datetime(2026, 11, 23)
    content = as_xlsx(
        ["sku", "price", "upc", "weight_g", "attribute:since", "title_en"],
        ["CHAIR-1", 39.9, 6901234567000, 5.0, None, 2026],
        ["TEE-INDIGO-S", 45, 69012345670001234567, None, day, None],
        ["TEE-INDIGO-M", None, day, None, 46349, day],
    )
    found = plan.make(plan.read("x.xlsx", content))
    (entry,) = found.accepted
    assert {name: new for name, (_old, new) in entry.changes.items()} == {
        "price": Decimal("39.90"), "upc": "6901234567000", "weight_g": 5, "title_en": "2026",
    }  # fmt: skip
    said = {(one.row, one.column): one.words for one in found.refusals}
    assert "has shortened this number" in said[3, "upc"]
    assert "made a date of this" in said[4, "upc"]
    assert "made a date of this" in said[4, "title_en"]
    assert "A plain number is not a date" in said[4, "attribute:since"]


def test_formulas_are_refused_by_row_and_column() -> None:
    found = plan.make(plan.read("x.xlsx", as_xlsx(["sku", "price"], ["CHAIR-1", "=40+5"])))
    ((row, column, why),) = refused(found)
    assert (row, column) == (2, "price")
    assert "paste it as values" in why


def test_a_product_with_variants_without_a_code_is_named_by_its_number() -> None:
    parent = Product.objects.get(code="TEE")
    Product.objects.filter(pk=parent.pk).update(code=None)
    assert changes(["sku", "title_en"], [f"P-{parent.pk}", "Crew"]) == {f"P-{parent.pk}": {"title_en": "Crew"}}
