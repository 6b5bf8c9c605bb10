from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from shop.catalogue.models import Product, ProductAttribute, ProductAttributeValue
from shop.partner.models import StockRecord
from shop.partner.strategy import Strategy
from shop.pricing.models import TaxClass
from shop.stock.models import Pool
from tests import crowds, factories
from tests.shop.conftest import Shop
from tests.shop.steps import text


def titles(answer) -> list[str]:
    return [card.product.title_en for card in answer.context["cards"]]


def test_home_shows_picks_categories_and_new(shop: Shop, zh: Client) -> None:
    page = text(zh.get("/"))
    for words in ("亚麻提花靠垫套", "¥199.00", "床品布艺", "陶瓷蘑菇台灯"):
        assert words in page


def test_a_category_holds_what_is_below_it(shop: Shop, en: Client) -> None:
    url = reverse("catalogue:category", args=["textiles", shop.textiles.pk])
    assert sorted(titles(en.get(url))) == [
        "Checked wool throw", "Hand-woven wool rug", "Linen jacquard cushion cover",
    ]  # fmt: skip
    below = reverse("catalogue:category", args=["textiles/throws", shop.throws.pk])
    answer = en.get(below)
    assert titles(answer) == ["Checked wool throw"]
    assert url in text(answer), "breadcrumbs lead back up"


def test_related_products_are_remembered_but_never_their_price_and_stock(shop: Shop, en: Client) -> None:
    def related() -> dict[str, tuple[Decimal, str]]:
        cards = en.get(shop.cushion.get_absolute_url()).context["related"]
        return {card.product.title: (card.price.incl_tax, str(card.availability.code)) for card in cards}

    before = related()
    assert set(before) == {"Checked wool throw", "Hand-woven wool rug"}
    Pool.objects.filter(sku=shop.throw.stockrecords.get().partner_sku).update(on_hand=0)
    shop.throw.stockrecords.update(price=Decimal("1.23"))
    Product.objects.filter(pk=shop.rug.pk).update(title_en="Behind the cache's back")
    after = related()
    assert after["Hand-woven wool rug"] == before["Hand-woven wool rug"]
    assert after["Checked wool throw"][0] == Decimal("1.23") != before["Checked wool throw"][0]
    assert after["Checked wool throw"][1] != before["Checked wool throw"][1]


def test_a_product_is_remembered_until_it_is_saved(shop: Shop, en: Client) -> None:
    url = shop.cushion.get_absolute_url()
    en.get(url)
    Product.objects.filter(pk=shop.cushion.pk).update(summary_en="Not saved, so not stamped")
    assert "Not saved" not in text(en.get(url))
    TaxClass.objects.update(rate=Decimal("0.5"))
    Pool.objects.filter(sku=shop.cushion.stockrecords.get().partner_sku).update(on_hand=0)
    shop.cushion.stockrecords.update(price=Decimal("1.23"))
    shown = en.get(url).context
    assert (shown["card"].price.incl_tax, shown["card"].availability.code) == (Decimal("1.23"), "outofstock")
    assert shown["card"].price.tax_rate == Decimal("0.5")
    shop.cushion.summary_en = "Stuffed with kapok"
    shop.cushion.save()
    assert "Stuffed with kapok" in text(en.get(url))
    assert "Stuffed with kapok" not in text(en.get(url, headers={"accept-language": "zh-hans"}))
    shop.cushion.is_public = False
    shop.cushion.save()
    assert en.get(url).status_code == 404


def test_an_old_category_address_leads_to_the_new_one(shop: Shop, en: Client) -> None:
    answer = en.get(f"/categories/old_{shop.textiles.pk}/")
    assert answer.status_code == 301
    assert answer.url == f"/categories/textiles_{shop.textiles.pk}/"
    assert en.get("/categories/textiles_999999/").status_code == 404


def test_a_hidden_category_is_gone(shop: Shop, en: Client) -> None:
    shop.textiles.is_public = False
    shop.textiles.save()
    shop.textiles.set_ancestors_are_public()
    assert en.get(f"/categories/textiles_{shop.textiles.pk}/").status_code == 404
    cache.clear()
    assert en.get(f"/categories/textiles/throws_{shop.throws.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=price", ["TX-1X", "LT-1", "TX-1", "TX-2", "RG-1"]),
        ("sort=-price", ["RG-1", "TX-2", "TX-1", "LT-1", "TX-1X"]),
        ("sort=featured", ["TX-1", "TX-1X", "TX-2", "LT-1", "RG-1"]),
        ("sort=price&lowest=99.90&highest=529", ["TX-1X", "LT-1", "TX-1", "TX-2"]),
        ("sort=price&in_stock=on", ["LT-1", "TX-1", "TX-2"]),
        ("sort=price&lowest=abc", ["TX-1X", "LT-1", "TX-1", "TX-2", "RG-1"]),
        ("sort=nonsense'--", ["TX-1", "TX-1X", "TX-2", "LT-1", "RG-1"]),
        ("page=999&sort=price", ["TX-1X", "LT-1", "TX-1", "TX-2", "RG-1"]),
    ],
)
def test_lists_are_sorted_and_narrowed(shop: Shop, en: Client, query: str, expected: list[str]) -> None:
    variants = family()
    cards = en.get(f"/products/?{query}").context["cards"]
    found = [_sku(card.product) for card in cards]
    assert found == expected if "featured" not in query and "nonsense" not in query else set(found) == set(expected)
    assert variants.is_parent


def _sku(product: Product) -> str:
    record = StockRecord.objects.filter(product=product).first()
    return record.partner_sku if record else "TX-1X"


def family() -> Product:
    """A product with two variants, 80.00 and 120.00, of which none is in stock."""
    parent = factories.product("PARENT", title="披肩", title_en="Shawl")
    StockRecord.objects.filter(partner_sku="PARENT").delete()
    parent.structure = Product.PARENT
    parent.save()
    for sku, price, title in (("SH-S", "80.00", "Small"), ("SH-L", "120.00", "Large")):
        child = factories.product(sku, price=price, title=title, title_en=title)
        Product.objects.filter(pk=child.pk).update(
            structure=Product.CHILD, parent=parent, product_class=None, tax_class=None
        )
    return parent


def test_variants_show_the_lowest_price_and_inherit_the_tax_class(shop: Shop, en: Client) -> None:
    parent = family()
    factories.stock("SH-L", SZ=2)
    card = next(c for c in en.get("/products/").context["cards"] if c.product.pk == parent.pk)
    assert card.from_price
    assert (card.price.incl_tax, card.price.tax_code) == (Decimal("80.00"), "VAT13")
    assert card.availability.num_available == 2
    page = text(en.get(parent.get_absolute_url()))
    assert "Small" in page and "Only 2 left" in page and "¥120.00" in page
    child = parent.children.first()
    assert en.get(child.get_absolute_url()).url == f"{parent.get_absolute_url()}?variant={child.pk}"


def test_a_variant_without_a_title_is_named_by_its_attributes(shop: Shop, en: Client) -> None:
    variant = crowds.variants(shop.cushion, 1)[0]
    colour = ProductAttribute.objects.create(product_class=shop.cushion.product_class, code="c", name="Colour")
    ProductAttributeValue.objects.create(attribute=colour, product=variant, value_text="Madder")
    assert "Colour: Madder</span>" in text(en.get(shop.cushion.get_absolute_url()))


def test_absurd_numbers_are_not_found(shop: Shop, en: Client) -> None:
    for url in ("/products/x_99999999999999999999999/", "/categories/x_99999999999999999999999/"):
        assert en.get(url).status_code == 404
    assert en.post("/basket/add/99999999999999999999999/", {"quantity": 1}).status_code == 404
    assert en.get("/products/?page=99999999999999999999999&lowest=1e999&highest=NaN").status_code == 200


def test_product_page(shop: Shop, en: Client) -> None:
    page = text(en.get(shop.cushion.get_absolute_url()))
    for words in ("Linen jacquard cushion cover", "¥199.00", "13%", "In stock", "TX-1", "Textiles", 'width="800"'):
        assert words in page
    old = en.get(f"/products/old-slug_{shop.cushion.pk}/")
    assert (old.status_code, old.url) == (301, shop.cushion.get_absolute_url())
    Product.objects.filter(pk=shop.cushion.pk).update(is_public=False)
    assert en.get(shop.cushion.get_absolute_url()).status_code == 404


@pytest.mark.parametrize(
    ("free", "said", "buyable"),
    [(50, "In stock", True), (5, "Only 5 left", True), (1, "Only 1 left", True), (0, "Sold out", False)],
)
def test_stock_is_said_honestly(shop: Shop, en: Client, free: int, said: str, buyable: bool) -> None:
    Pool.objects.filter(sku="TX-1").update(on_hand=free + 7, reserved=7)
    page = text(en.get(shop.cushion.get_absolute_url()))
    assert said in page
    assert ('name="quantity"' in page) is buyable


def test_a_shortage_stops_selling(shop: Shop, en: Client) -> None:
    Pool.objects.filter(sku="TX-1").update(on_hand=5, reserved=7, shortage=2)
    assert "Sold out" in text(en.get(shop.cushion.get_absolute_url()))


@pytest.mark.parametrize("broken", [{"price": Decimal("1.005")}, {"price": None}])
def test_what_cannot_be_priced_is_not_for_sale(shop: Shop, en: Client, broken: dict) -> None:
    StockRecord.objects.filter(partner_sku="TX-1").update(**broken)
    answer = en.get(shop.cushion.get_absolute_url())
    assert answer.status_code == 200
    assert not answer.context["card"].availability.is_available_to_buy


def test_without_a_tax_class_nothing_is_sold(shop: Shop) -> None:
    Product.objects.filter(pk=shop.cushion.pk).update(tax_class=None)
    product = Product.objects.get(pk=shop.cushion.pk)
    info = Strategy().fetch_for_product(product)
    assert not info.price.exists and not info.availability.is_available_to_buy


def test_pages(shop: Shop, en: Client) -> None:
    for number in range(30):
        factories.product(f"MORE-{number:02}", title=f"商品{number}", title_en=f"Thing {number}")
    first = en.get("/products/?sort=new")
    assert len(first.context["cards"]) == 24
    assert "?sort=new&amp;page=2" in text(first)
    assert len(en.get("/products/?page=2").context["cards"]) == 10


def test_net_prices_where_the_shop_wants_them(shop: Shop, en: Client, settings) -> None:
    settings.WEFT_SHOW_NET_PRICES = True
    page = text(en.get(shop.cushion.get_absolute_url()))
    assert "¥176.11" in page and "plus tax" in page
