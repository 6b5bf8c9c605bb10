from __future__ import annotations

import pytest

from shop.catalogue import listing, search
from tests import factories
from tests.shop.conftest import Shop


def skus(text: str) -> list[str]:
    found = search.matching(listing.browsable(), text)
    return [product.stockrecords.get().partner_sku for product in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("靠垫", ["TX-1"]),  # two characters from the middle of a name
        ("提花", ["TX-1"]),
        ("蘑菇台灯", ["LT-1"]),
        ("羊毛 地毯", ["RG-1"]),  # both words must occur
        ("菱格", ["TX-1"]),  # in the summary
        ("灯", ["LT-1"]),  # one character
        ("cushions", ["TX-1"]),  # another inflection
        ("washing", ["TX-1"]),  # in the description
        ("TX-2", ["TX-2"]),
        ("tx-", ["TX-1", "TX-2"]),  # beginning of a SKU, in any case
        ("羊毛 throws", ["TX-2"]),  # both languages at once
    ],
)
def test_finds(shop: Shop, words: str, expected: list[str]) -> None:
    assert sorted(skus(words)) == sorted(expected)


@pytest.mark.parametrize("words", ["不存在的东西", "zzzqqq", "靠垫 zzzqqq", "the", "飞机票"])
def test_nonsense_finds_nothing(shop: Shop, words: str) -> None:
    assert skus(words) == []


@pytest.mark.parametrize(
    "words",
    [
        "", "   ", "'", '"', "'; DROP TABLE x; --", "%", "_", "\\", "a & | ! ( ) <-> :*", "-", "\0", "靠" * 5000,
        "x" * 5000, "🧵", "靠垫'); --", "%靠垫%", '"unclosed', "or or or", "-cushion",
    ],
)  # fmt: skip
def test_any_input_is_harmless(shop: Shop, words: str, zh) -> None:
    assert isinstance(skus(words), list)
    assert zh.get("/search/", {"q": words}).status_code == 200


def test_the_better_match_comes_first(shop: Shop) -> None:
    factories.product("TX-9", title="收纳盒", title_en="Box", summary_zh_hans="可放一个靠垫套。")
    assert skus("靠垫") == ["TX-1", "TX-9"], "a word of the name weighs more than one of the summary"


def test_a_changed_name_is_found_at_once_and_the_old_one_no_more(shop: Shop) -> None:
    shop.lamp.title_zh_hans = "玻璃吊灯"
    shop.lamp.save()
    assert skus("玻璃") == ["LT-1"]
    assert skus("蘑菇") == []
