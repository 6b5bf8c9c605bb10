"""Every page of the desk in Chinese, read as a person reads it: no English is left over.

The pages are those that `make screenshots` photographs, of the same company. A Latin word that stands on one must be in
the list below: names of things that have no Chinese name, and what the company's own data says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from html.parser import HTMLParser
from zoneinfo import available_timezones

import pytest
from django.db import transaction
from django.test import Client
from django.utils import translation

from integrations.hub import said
from shop.catalogue.models import Category
from shop.customer.admin_groups import asked_for, label
from shop.customer.groups import ensure_groups
from shop.seed import load
from shop.stock.models import Reason, Warehouse
from shop.stock.movements import Move, record
from tests import factories
from tests.screenshots import company, places

# Never translated, anywhere: names, units, forms of files, and what Oscar explains a bar code with.
NAMES = """
    Weft SKU ERP Tryton CSV XLSX Excel SMTP REST API URL JSON HTTP http https eml VAT CNY JPY English CN ID UPC esc en
    zh hans EN Standard Webhooks Webhook backfill urgent AppID
    Alt Universal Product Code Uniform Council UCC EAN UTF MB xlsx csv ID
"""
# What is typed into settings, and stands in the company's own data.
DATA = """
    admin sales warehouse finance catalogue integrations auditor buyer weft smtp starttls tls none mail relay old
    newsletter news invoices taobao seed test shipments Anna Schmidt ICBC SF zzzz KT PA Paid nothing like this tb host
    port SZ HZ Kitchen Sales Mail Taobao Goods md JI detail event number placed Shirt Colours Sizes Crew neck qiwu wx
"""
# Columns and cells of a file, on the pages that show one.
CELLS = """
    sku parent type structure public price currency supplier categories discountable featured variant goods shirt yes no
"""
KNOWN = {word for words in (NAMES, DATA) for word in words.split()}
# Random identifiers, addresses, numbers, parameters, SKUs, time zones.
CODE = re.compile(
    r"\b[0-9a-f]{32}\b|\b[A-Z2-7]{26}\b|\S+@\S+|https?://\S*|[A-Z]*\d[\w:.,/-]*|[\w-]+_\w+\S*|\w+=\S*|\w+\.\w+[\w.]*"
    r"|\S*\*+|[A-Z]{2}-[A-Z0-9-]+|[A-Z][a-z]+/[A-Z]\w+|[a-z]+:[a-z]+"
)
WORD = re.compile(r"[A-Za-z]{2,}")
SPOKEN = ("title", "placeholder", "aria-label", "alt", "data-label", "data-done")
SILENT = {"script", "style", "svg", "code"}  # what other systems were sent and answered, and keys


class Reader(HTMLParser):
    """Collects what a page says: its texts and the attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.texts += [value for name in SPOKEN if (value := given.get(name))]
        icon = "material-symbols-outlined" in (given.get("class") or "")
        if tag in SILENT or icon or self.silent:
            self.silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            while self.silent.pop() != tag:
                continue

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(" ".join(data.split()))


ZONES = {zone.replace("_", " ") for zone in available_timezones()}


def english(page: str, known: set[str] = KNOWN) -> set[str]:
    """Texts of the page with a Latin word in them that has no business there."""
    reader = Reader()
    reader.feed(page)
    return {text for text in reader.texts if text not in ZONES and set(WORD.findall(CODE.sub(" ", text))) - known}


def small_catalogue(say: company.Say) -> None:
    """A dozen SKUs without pictures: enough for every page."""
    for code, name in (("SZ", "深圳仓"), ("HZ", "杭州仓")):
        Warehouse.objects.create(code=code, name=name)
    places_ = dict(Warehouse.objects.values_list("code", "id"))
    load.make_tax_classes(load.read())
    skus = [f"KT-{number:03}" for number in range(12)]
    for number, sku in enumerate(skus):
        factories.product(sku, title=f"商品{number}", title_en=f"Thing {number}", is_featured=number < 2)
    with transaction.atomic():
        record([Move(sku, place, 60, Reason.OPENING, "seed", "seed") for sku in skus for place in places_.values()])


@pytest.mark.django_db
def test_no_page_of_the_desk_says_anything_in_english() -> None:
    Category.add_root(slug="c", name_zh_hans="厨房", name_en="Kitchen")
    made = company.make(lambda text: None, small_catalogue)
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(made.boss)
    found: dict[str, list[str]] = defaultdict(list)
    with translation.override("zh-hans"):
        wanted = [place for place in places.staff(made) if place.who == places.STAFF]
    assert len(wanted) > 100
    for place in wanted:
        if place.name.startswith(OTHERS):
            continue
        answer = client.get(place.address, follow=True)
        assert answer.status_code == 200, place
        shows_a_file = place.name.startswith(("product-file", "catalogue-importrun"))
        for text in english(answer.content.decode(), KNOWN | set(CELLS.split()) if shows_a_file else KNOWN):
            found[text].append(place.name)
    assert not found, "\n".join(f"{text!r} on {', '.join(names[:4])}" for text, names in sorted(found.items()))


OTHERS = ("catalogue-productclass-page", "catalogue-productclass-add", "partner-partner-page", "partner-partner-add")


def test_the_reader_sees_what_is_left_over() -> None:
    """Else it could not fail."""
    for page in (
        "<p>保存 the list</p>", '<input placeholder="Type here">', "<button aria-label='Open menu'>x</button>",
        '<td data-label="Title">商品</td>',
    ):  # fmt: skip
        assert english(page), page
    for page in ("<script>var x = 'hello'</script>", '<span class="material-symbols-outlined">search</span>',
                 "<p>SKU KT-001 的 ERP 单号 W20261122-7Q2M，联系 a@b.c</p>"):  # fmt: skip
        assert not english(page), page


@pytest.mark.django_db
def test_every_right_has_a_chinese_name() -> None:
    ensure_groups()
    with translation.override("zh-hans"):
        shown = {label(right) for right in asked_for()}
    assert len(shown) > 50
    left = {name for name in shown if english(f"<p>{name.rpartition(':')[2]}</p>")}
    assert not left


def test_sentences_of_rows_are_translated() -> None:
    with translation.override("zh-hans"):
        words = said.in_words("find order: the remote cannot be reached.")
        assert words == "查找订单：无法连接对方。"
        assert said.in_words("what somebody wrote by hand") == "what somebody wrote by hand"
    with translation.override("en"):
        assert said.in_words("out of stock: 3 free") == "out of stock: 3 free"
