"""Lists narrowed by attributes, price and stock; the counts beside the boxes are what a tick really shows."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from shop.catalogue.filters import Filters, Tick
from shop.catalogue.models import (
    AttributeOption,
    AttributeOptionGroup,
    Product,
    ProductAttribute,
    ProductAttributeValue,
    ProductClass,
)
from shop.stock.models import Pool
from tests import crowds, factories
from tests.shop.conftest import Shop
from tests.shop.steps import text


def options(code: str, zh: str, en: str, **named: tuple[str, str]) -> dict[str, AttributeOption]:
    """An attribute of all goods whose values come from a list."""
    group = AttributeOptionGroup.objects.create(name=code, code=code)
    ProductAttribute.objects.create(
        product_class=ProductClass.objects.get(name="Goods"), code=code, name_zh_hans=zh, name_en=en,
        type=ProductAttribute.MULTI_OPTION, option_group=group,
    )  # fmt: skip
    return {
        key: AttributeOption.objects.create(group=group, code=key, option_zh_hans=names[0], option_en=names[1])
        for key, names in named.items()
    }


def give(product: Product, code: str, *found: AttributeOption) -> None:
    attribute = ProductAttribute.objects.get(code=code)
    ProductAttributeValue.objects.create(product=product, attribute=attribute).value_multi_option.set(found)


def write(product: Product, code: str, value: str, name: str = "Finish") -> None:
    """A free text."""
    kind = ProductClass.objects.get(name="Goods")
    attribute, _ = ProductAttribute.objects.get_or_create(product_class=kind, code=code, defaults={"name": name})
    ProductAttributeValue.objects.create(product=product, attribute=attribute, value_text=value)


@pytest.fixture
def sorted_shop(shop: Shop) -> Shop:
    """Everything has a colour, some two; all but the lamp a material; the shirt comes in two variants."""
    colours = options(
        "colour", "颜色", "Colour", red=("红色", "Red"), blue=("蓝色", "Blue"), green=("绿色", "Green")
    )  # fmt: skip
    stuff = options("stuff", "材质", "Material", linen=("亚麻", "Linen"), wool=("羊毛", "Wool"))
    sizes = options("size", "尺码", "Size", s=("小", "Small"), l=("大", "Large"))
    give(shop.cushion, "colour", colours["blue"])
    give(shop.throw, "colour", colours["blue"], colours["red"])
    give(shop.lamp, "colour", colours["red"])
    give(shop.rug, "colour", colours["red"], colours["green"])
    give(shop.cushion, "stuff", stuff["linen"])
    give(shop.throw, "stuff", stuff["wool"])
    give(shop.rug, "stuff", stuff["wool"])
    shirt = factories.product("SH-1", title="衬衫", title_en="Shirt")
    shirt.categories.set([shop.textiles])
    give(shirt, "stuff", stuff["linen"])
    small, large = crowds.variants(shirt, 2)
    give(small, "colour", colours["red"])
    give(small, "size", sizes["s"])
    give(large, "colour", colours["blue"])
    give(large, "size", sizes["l"])
    Pool.objects.filter(sku=large.stockrecords.get().partner_sku).update(on_hand=0)
    return shop


def titles(answer: Any) -> list[str]:
    return sorted(card.product.title_en for card in answer.context["cards"])


def look(client: Client, url: str = "/products/", *chosen: tuple[str, str]) -> Any:
    answer = client.get(f"{url}?{urlencode(chosen)}")
    assert answer.status_code == 200
    return answer


def ticks(filters: Filters) -> list[Tick]:
    grouped = [tick for group in filters.groups for tick in (*group.shown, *group.more)]
    return [*([filters.in_stock] if filters.in_stock else []), *filters.prices, *grouped]


def counted(answer: Any) -> dict[str, int]:
    return {tick.label: tick.count for tick in ticks(answer.context["filters"])}


CUSHION, LAMP, RUG, SHIRT, THROW = (
    "Linen jacquard cushion cover", "Ceramic mushroom lamp", "Hand-woven wool rug", "Shirt", "Checked wool throw",
)  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ([("f-colour", "blue")], [CUSHION, SHIRT, THROW]),
        ([("f-colour", "blue"), ("f-colour", "green")], [CUSHION, RUG, SHIRT, THROW]),
        ([("f-colour", "blue"), ("f-stuff", "wool")], [THROW]),
        ([("f-colour", "blue"), ("f-size", "s")], []),
        ([("f-colour", "red"), ("f-size", "s")], [SHIRT]),
        ([("f-colour", "blue"), ("f-stuff", "linen"), ("in_stock", "on")], [CUSHION]),
        ([("price", "100-200"), ("price", "500-1000")], [CUSHION, THROW]),
        ([("price", "100-200"), ("f-colour", "red")], []),
        ([("lowest", "100"), ("highest", "529")], [CUSHION, THROW]),
        ([("in_stock", "on")], [CUSHION, LAMP, SHIRT, THROW]),
    ],
)
def test_or_within_a_facet_and_between_them(
    sorted_shop: Shop, en: Client, chosen: list[tuple[str, str]], shown: list[str]
) -> None:
    """A variant must fit as a whole: there is a blue shirt and a small one, but no small blue one."""
    answer = look(en, "/products/", *chosen)
    assert titles(answer) == sorted(shown)
    assert f">{len(shown)} product" in text(answer)


@pytest.mark.parametrize(
    "chosen",
    [
        [],
        [("f-colour", "blue")],
        [("f-colour", "blue"), ("f-stuff", "wool")],
        [("in_stock", "on"), ("f-colour", "red")],
        [("price", "100-200")],
        [("highest", "200"), ("f-stuff", "linen")],
    ],
)
def test_each_count_is_what_the_tick_alone_would_show(
    sorted_shop: Shop, en: Client, chosen: list[tuple[str, str]]
) -> None:
    """Beside what is chosen of the other facets: the facet's own choice does not count."""
    found = ticks(look(en, "/products/", *chosen).context["filters"])
    assert len(found) >= 5
    for tick in found:
        others = [pair for pair in chosen if pair[0] != tick.name]
        shown = titles(look(en, "/products/", *others, (tick.name, tick.value)))
        assert len(shown) == tick.count, (tick, shown)


def test_counts_of_a_category_and_of_a_search(sorted_shop: Shop, en: Client) -> None:
    textiles = reverse("catalogue:category", args=["textiles", sorted_shop.textiles.pk])
    assert counted(look(en, textiles))["Blue"] == 3
    wool = look(en, "/search/", ("q", "wool"), ("f-colour", "green"))
    assert titles(wool) == [RUG]
    assert counted(wool)["Blue"] == 1
    assert 'name="q" value="wool"' in text(wool), "the words stay when a box is ticked"


def test_pages_keep_words_choice_and_order(sorted_shop: Shop, en: Client, settings: Any) -> None:
    settings.WEFT_PAGE_SIZE = 1
    chosen = [("q", "wool"), ("f-stuff", "wool"), ("sort", "price")]
    first = look(en, "/search/", *chosen)
    assert titles(first) == [THROW]
    assert 'href="?q=wool&amp;f-stuff=wool&amp;sort=price&amp;page=2"' in text(first)
    assert titles(look(en, "/search/", *chosen, ("page", "2"))) == [RUG]


def test_chips_take_one_off_and_all_off(sorted_shop: Shop, en: Client) -> None:
    answer = look(
        en, "/products/", ("sort", "price"), ("f-colour", "red"), ("f-colour", "blue"), ("lowest", "50"), ("page", "1")
    )
    chips = {chip.label: chip.query for chip in answer.context["filters"].chips}
    assert chips == {
        "Colour: Red": "sort=price&f-colour=blue&lowest=50",
        "Colour: Blue": "sort=price&f-colour=red&lowest=50",
        "¥50 – …": "sort=price&f-colour=red&f-colour=blue",
    }
    assert answer.context["filters"].clear == "sort=price"
    links = re.findall(r'<a rel="nofollow" href="([^"]+)"><span class="unseen">Take off', text(answer))
    assert len(links) == 3


def test_a_link_works_in_the_other_language(sorted_shop: Shop, en: Client, zh: Client) -> None:
    chosen = ("f-colour", "blue")
    assert titles(look(en, "/products/", chosen)) == titles(look(zh, "/products/", chosen))
    assert "颜色：蓝色" in text(look(zh, "/products/", chosen))


def test_texts_are_facets_where_they_repeat(sorted_shop: Shop, en: Client, zh: Client) -> None:
    """One attribute for each language is one facet; a text each product has to itself is none."""
    for product, finish in ((sorted_shop.cushion, "Matt"), (sorted_shop.lamp, "Matt"), (sorted_shop.rug, "Glossy")):
        write(product, "finish_en", finish)
        write(product, "finish_zh_hans", {"Matt": "哑光", "Glossy": "亮光"}[finish], "表面")
        write(product, "length_en", product.slug, "Length")
    assert "Matt" not in counted(look(en)), "three products, two texts"
    write(sorted_shop.throw, "finish_en", "Matt")
    answer = look(en)
    assert [group.name for group in answer.context["filters"].groups] == ["Colour", "Material", "Size", "Finish"]
    assert titles(look(en, "/products/", ("f-finish", "Glossy"))) == [RUG]
    chinese = look(zh, "/products/", ("f-finish", "Matt"))
    assert len(chinese.context["cards"]) == 3, "the same link, read in Chinese"
    assert {"Matt": 3, "亮光": 1, "哑光": 2}.items() <= counted(chinese).items()


def test_options_stand_for_the_texts_of_their_name(sorted_shop: Shop, en: Client) -> None:
    """Lists go by the options; the product's page says it in its own words."""
    write(sorted_shop.lamp, "colour_en", "Madder with a shade of ochre", "Colour")
    assert not any("Madder" in label for label in counted(look(en)))
    page = text(en.get(sorted_shop.lamp.get_absolute_url()))
    assert "Madder with a shade of ochre" in page and "<dd>Red</dd>" not in page
    assert "<dd>Red, Blue</dd>" in text(en.get(sorted_shop.throw.get_absolute_url()))


@pytest.mark.parametrize(
    "query",
    [
        "f-=x",
        "f-colour=",
        "f-colour=%00",
        "f-colour=" + "x" * 5000,
        "f-colour=%27%3BDROP",
        "f-%27%22%25s=%25s",
        "f-==total=1",
        "f-=stock=1",
        "price=1-2&price=-&price=a-b&price=%F0%9F%98%80",
        "&".join(f"f-colour={n}" for n in range(500)),
        "lowest=1e999&highest=NaN",
        "in_stock=maybe&sort=nothing",
    ],
)
def test_addresses_that_make_no_sense_are_harmless(sorted_shop: Shop, en: Client, query: str) -> None:
    answer = en.get(f"/products/?{query}")
    assert answer.status_code == 200
    assert "DROP" not in text(answer) or "&#x27;;DROP" in text(answer)


def test_a_value_nobody_has_shows_nothing_and_says_so(sorted_shop: Shop, en: Client) -> None:
    page = text(look(en, "/products/", ("f-colour", "<mauve>")))
    assert "Nothing fits this filter." in page
    assert "&lt;mauve&gt;" in page and "<mauve>" not in page


def test_narrowed_lists_are_not_for_search_engines(sorted_shop: Shop, en: Client) -> None:
    textiles = reverse("catalogue:category", args=["textiles", sorted_shop.textiles.pk])
    plain, narrowed = text(look(en, textiles)), text(look(en, textiles, ("f-colour", "blue")))
    canonical = f'<link rel="canonical" href="https://127.0.0.1{textiles}">'
    assert canonical in plain and canonical in narrowed
    assert "noindex" not in plain and '<meta name="robots" content="noindex, follow">' in narrowed


def test_an_empty_list_asks_nothing(shop: Shop, en: Client) -> None:
    page = text(look(en, "/search/", ("q", "zzzz")))
    assert 'id="filters"' not in page and "We found nothing" in page
