"""The demo company's source data: complete in both languages, consistent, and every product can be drawn."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jieba
import pytest
from PIL import Image

from shop.seed import pictures

SOURCE = Path(pictures.__file__).with_name("catalogue.json")
CATALOGUE: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
PRODUCTS: list[dict[str, Any]] = CATALOGUE["products"]
COMPONENTS: list[dict[str, Any]] = CATALOGUE["components"]
WAREHOUSES = {warehouse["code"] for warehouse in CATALOGUE["warehouses"]}
BY_SKU = {item["sku"]: item for item in [*PRODUCTS, *COMPONENTS]}
HAN = re.compile(r"[\u4e00-\u9fff]")
MAX_BYTES = 60_000

each_product = pytest.mark.parametrize("product", PRODUCTS, ids=[product["sku"] for product in PRODUCTS])


def translations(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every object of the file that holds one text per language, with the place where it stands."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from translations(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        if {"zh-hans", "en"} & value.keys():
            yield path, value
        else:
            for key, item in value.items():
                yield from translations(item, f"{path}.{key}")


def flat(categories: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for category in categories:
        yield category
        yield from flat(category["children"])


def total(item: dict[str, Any]) -> int:
    return sum(item["stock"].values())


def is_money(text: str) -> bool:
    return isinstance(text, str) and re.fullmatch(r"(0|[1-9]\d*)\.\d{2}", text) is not None


def test_top_level_shape() -> None:
    assert set(CATALOGUE) == {
        *("company", "currency", "warehouses", "tax_classes", "scenarios"),
        *("categories", "products", "kits", "supply", "components", "boms", "suppliers"),
    }
    assert CATALOGUE["currency"] == "CNY"
    assert [(w["code"], w["priority"]) for w in CATALOGUE["warehouses"]] == [("SZ", 1), ("HZ", 2)]
    assert {t["code"]: Decimal(t["rate"]) for t in CATALOGUE["tax_classes"]} == {
        "VAT13": Decimal("0.13"),
        "VAT9": Decimal("0.09"),
        "VAT6": Decimal("0.06"),
        "VAT0": Decimal(0),
    }
    assert len(PRODUCTS) >= 60


@each_product
def test_product_shape(product: dict[str, Any]) -> None:
    assert set(product) == {
        *("sku", "category", "title", "summary", "description", "price", "cost", "tax"),
        *("weight_g", "stock", "featured", "attributes", "picture"),
    }
    assert re.fullmatch(r"[A-Z]{2}-[A-Z]+-\d{2}", product["sku"])
    assert isinstance(product["featured"], bool)
    assert isinstance(product["weight_g"], int) and product["weight_g"] > 0


def test_kits_are_of_products_and_cheaper_than_they() -> None:
    for kit in CATALOGUE["kits"]:
        assert set(kit) == set(PRODUCTS[0]) - {"cost", "stock"} | {"parts"}
        assert re.fullmatch(r"[A-Z]{2}-[A-Z]+-\d{2}", kit["sku"])
        by_themselves = sum(Decimal(BY_SKU[sku]["price"]) * units for sku, units in kit["parts"].items())
        assert len(kit["parts"]) > 1 and Decimal(kit["price"]) < by_themselves
        assert {BY_SKU[sku]["tax"] for sku in kit["parts"]} == {kit["tax"]}


def test_supply_is_of_products_in_warehouses() -> None:
    for row in CATALOGUE["supply"]:
        assert row["sku"] in BY_SKU and row["warehouse"] in WAREHOUSES
        assert 0 <= row["presale"] <= row["quantity"] and row["in_days"] > 0


def test_skus_are_unique_regardless_of_case() -> None:
    counts = Counter(item["sku"].casefold() for item in [*PRODUCTS, *CATALOGUE["kits"], *COMPONENTS])
    assert [sku for sku, count in counts.items() if count > 1] == []


def test_both_languages_are_present_and_in_their_own_script() -> None:
    found = list(translations(CATALOGUE))
    assert len(found) > 4 * len(PRODUCTS)
    for path, texts in found:
        assert set(texts) == {"zh-hans", "en"}, path
        assert all(text.strip() == text and text for text in texts.values()), path
        assert not HAN.search(texts["en"]), path
    for product in PRODUCTS:
        assert all(HAN.search(product[key]["zh-hans"]) for key in ("title", "summary", "description"))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_titles_and_descriptions_do_not_repeat(language: str) -> None:
    for key in ("title", "summary", "description"):
        assert len({product[key][language] for product in PRODUCTS}) == len(PRODUCTS)


@each_product
def test_descriptions_have_two_to_four_sentences(product: dict[str, Any]) -> None:
    assert 2 <= product["description"]["zh-hans"].count("。") <= 4
    assert 2 <= len(re.findall(r"\.(?:\s|$)", product["description"]["en"])) <= 4


def test_categories_are_known_and_used() -> None:
    slugs = [category["slug"] for category in flat(CATALOGUE["categories"])]
    assert len(slugs) == len(set(slugs))
    leaves = {category["slug"] for category in flat(CATALOGUE["categories"]) if not category["children"]}
    assert {product["category"] for product in PRODUCTS} == leaves


@each_product
def test_price_covers_cost_and_tax(product: dict[str, Any]) -> None:
    assert is_money(product["price"]) and is_money(product["cost"])
    rates = {tax["code"]: Decimal(tax["rate"]) for tax in CATALOGUE["tax_classes"]}
    assert Decimal(product["price"]) / (1 + rates[product["tax"]]) > Decimal(product["cost"]) > 0


def test_every_tax_class_and_fen_prices_occur() -> None:
    assert {product["tax"] for product in PRODUCTS} == {tax["code"] for tax in CATALOGUE["tax_classes"]}
    assert any(not product["price"].endswith(".00") for product in PRODUCTS)


@pytest.mark.parametrize("item", [*PRODUCTS, *COMPONENTS], ids=lambda item: item["sku"])
def test_stock_is_in_known_warehouses(item: dict[str, Any]) -> None:
    assert set(item["stock"]) == WAREHOUSES
    assert all(isinstance(count, int) and count >= 0 for count in item["stock"].values())


def test_stock_scenarios_hold() -> None:
    scenarios = CATALOGUE["scenarios"]
    assert [p["sku"] for p in PRODUCTS if total(p) == 1] == [scenarios["last_piece"]]
    assert [p["sku"] for p in PRODUCTS if total(p) == 0] == [scenarios["sold_out"]]
    only_second = [p["sku"] for p in PRODUCTS if not p["stock"]["SZ"] and p["stock"]["HZ"]]
    assert only_second == scenarios["second_warehouse_only"]
    split = scenarios["needs_both_warehouses"]
    stock = BY_SKU[split["sku"]]["stock"]
    assert max(stock.values()) < split["quantity"] <= sum(stock.values())


def test_bill_of_materials_adds_up_to_the_product_cost() -> None:
    for bom in CATALOGUE["boms"]:
        lines = [(BY_SKU[line["component"]], line["quantity"]) for line in bom["lines"]]
        parts = sum((Decimal(part["cost"]) * quantity for part, quantity in lines), Decimal(0))
        product = BY_SKU[bom["product"]]
        assert product in PRODUCTS and all(part in COMPONENTS for part, _ in lines)
        assert parts + Decimal(bom["labour_cost"]) == Decimal(product["cost"])


def test_suppliers_price_every_component_and_one_bought_in_product() -> None:
    offers = [offer for supplier in CATALOGUE["suppliers"] for offer in supplier["prices"]]
    offered = {offer["sku"] for offer in offers}
    assert {part["sku"] for part in COMPONENTS} < offered <= set(BY_SKU)
    assert all(is_money(offer["price"]) and offer["price"] == BY_SKU[offer["sku"]]["cost"] for offer in offers)
    assert all(offer["lead_days"] > 0 and offer["min_quantity"] > 0 for offer in offers)


def test_chinese_titles_contain_words_inside_compounds() -> None:
    """Search must find a two-character word that stands inside a longer name."""
    inner = {p["sku"]: inner_words(p["title"]["zh-hans"]) for p in PRODUCTS}
    assert "靠垫" in inner["TX-LINEN-01"]
    assert sum(bool(words) for words in inner.values()) > len(PRODUCTS) / 2


def inner_words(title: str) -> set[str]:
    name = title.partition("（")[0]
    words = (word for word in jieba.cut_for_search(name) if len(word) == 2)
    return {word for word in words if 0 < name.index(word) < len(name) - 2}


@each_product
def test_picture_draws(product: dict[str, Any]) -> None:
    image = pictures.draw(product["picture"], 300)
    assert (image.size, image.mode) == ((300, 300), "RGB")
    colors = image.getcolors(maxcolors=300 * 300)
    assert colors is not None and len(colors) > 100


def test_pictures_differ() -> None:
    drawn = {pictures.draw(product["picture"], 60).tobytes() for product in PRODUCTS}
    assert len(drawn) == len(PRODUCTS)


def test_every_kind_is_used() -> None:
    assert {product["picture"]["kind"] for product in PRODUCTS} == set(pictures.KINDS)


@pytest.mark.parametrize("sku", ["TX-LINEN-01", "TX-WOOL-01", "PA-NOTE-01", "PA-BOOK-01"])
def test_full_size_picture_is_small_and_deterministic(sku: str) -> None:
    spec = BY_SKU[sku]["picture"]
    first, second = (pictures.encode(pictures.draw(spec)) for _ in range(2))
    assert first == second
    assert len(first) <= MAX_BYTES
    with Image.open(io.BytesIO(first)) as image:
        assert (image.size, image.format) == ((1200, 1200), "WEBP")


def test_hero_fills_the_size_asked_for() -> None:
    assert pictures.hero(640, 288).size == (640, 288)
    assert pictures.hero(320, 400).tobytes() == pictures.hero(320, 400).tobytes()
