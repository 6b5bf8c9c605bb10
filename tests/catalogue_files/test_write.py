"""What an import writes: everything at once, the second time nothing; and what goes out comes back unchanged."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from oscar.apps.partner.models import Partner

from shop.catalogue import search
from shop.catalogue.files import export, plan, runs
from shop.catalogue.files.write import write
from shop.catalogue.models import Category, ImportState, Product, ProductAttribute, ProductClass
from shop.customer.models import User
from shop.partner.models import StockRecord
from shop.seed import load as seed
from shop.stock.models import Movement
from tests import crowds, factories
from tests.admin import goods
from tests.catalogue_files.sheets import as_csv, refused
from tests.statements import counted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _english() -> None:
    translation.activate("en")


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("catalogue@weft.test", is_staff=True)


def take(content: bytes, staff: User, *, leave_out: bool = False, name: str = "products.csv") -> Any:
    run = runs.bring(name, content, actor="staff:test")
    assert run.state == ImportState.CHECKED, run.problem
    return runs.take(run.pk, actor="staff:test", user=staff.pk, leave_out=leave_out)


def unchanged(content: bytes) -> bool:
    """Would change nothing, and nothing in it is refused."""
    found = plan.make(plan.read("file", content))
    assert refused(found) == []
    assert [(entry.key, entry.changes) for entry in found.accepted] == []
    return found.unchanged == found.rows


def written(kind: str) -> bytes:
    """All products as a file."""
    table = export.rows(Product.objects.exclude(structure="child").order_by("pk"))
    file = io.BytesIO()
    export.FORMATS[kind](file, table)
    return file.getvalue()


NEW = (
    ["sku", "parent", "type", "title_zh_hans", "title_en", "description_en", "price", "tax_class", "categories",
     "weight_g", "attribute:colour", "attribute:size", "attribute:gsm", "attribute:organic", "attribute:since",
     "attribute:fits", "public"],
    ["HAT", "", "shirt", "草帽", "Straw hat", "=Two\nlines", "", "VAT13", "home", "", "", "", "", "", "", "", ""],
    ["HAT-S", "HAT", "", "", "", "", "49.5", "", "", "80", "Ochre", "S", "140", "yes", "2026-11-23", "S|M", ""],
    ["HAT-M", "HAT", "", "", "", "", "52", "", "", "", "Ochre", "M", "", "", "", "", "no"],
    ["LAMP-1", "", "goods", "台灯", "Desk lamp", "", "279", "VAT13", "home|home/lamps", "1450", "", "", "", "", "",
     "", ""],
)  # fmt: skip


@pytest.fixture
def ground(db: None) -> None:
    """What the rows name."""
    goods.shirts()
    factories.tax_class()
    ProductClass.objects.get_or_create(slug="goods", defaults={"name_zh_hans": "Goods", "name_en": "Goods"})
    Partner.objects.get_or_create(code="weft", defaults={"name": "Weft"})
    home = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    home.add_child(slug="lamps", name_zh_hans="灯", name_en="Lamps")


def test_new_products_with_variants_are_whole(ground: None, staff: User) -> None:
    run = take(as_csv(*NEW), staff)
    assert (run.state, run.created, run.changed, run.refused) == (ImportState.IMPORTED, 4, 0, 0)
    hat = Product.objects.get(code="HAT")
    assert (hat.structure, hat.title_zh_hans, hat.title_en, hat.slug) == ("parent", "草帽", "Straw hat", "straw-hat")
    assert hat.description_en == "=Two\nlines"
    small, medium = hat.children.order_by("pk")
    assert (small.stockrecords.get().partner_sku, small.stockrecords.get().price) == ("HAT-S", Decimal("49.50"))
    assert (small.attr.colour.option_en, small.attr.gsm, small.attr.organic) == ("Ochre", 140, True)
    assert (str(small.attr.since), {option.option_en for option in small.attr.fits}) == ("2026-11-23", {"S", "M"})
    assert (small.is_public, medium.is_public, small.weight_g) == (True, False, 80)
    lamp = Product.objects.get(stockrecords__partner_sku="LAMP-1")
    assert {category.slug for category in lamp.categories.all()} == {"home", "lamps"}
    assert (lamp.tax_class.code, lamp.stockrecords.get().partner.code) == ("VAT13", "weft")
    assert list(search.matching(Product.objects.all(), "台灯")) == [lamp]
    factories.stock("HAT-S", SZ=3)
    page = Client(headers={"accept-language": "en"}).get(hat.get_absolute_url()).content.decode()
    assert "Colour: Ochre" in page and "Size: S" in page
    assert "Added." in LogEntry.objects.get(object_id=str(lamp.pk)).get_change_message()


def test_the_same_file_again_changes_nothing(ground: None, staff: User) -> None:
    take(as_csv(*NEW), staff)
    assert unchanged(as_csv(*NEW))
    stamps = dict(Product.objects.values_list("pk", "date_updated"))
    again = take(as_csv(*NEW), staff)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 4)
    assert dict(Product.objects.values_list("pk", "date_updated")) == stamps


def test_changes_of_every_kind(ground: None, staff: User) -> None:
    take(as_csv(*NEW), staff)
    hat = Product.objects.get(code="HAT")
    stamp = hat.date_updated
    columns = ["sku", "title_zh_hans", "price", "currency", "categories", "attribute:gsm", "attribute:fits",
               "attribute:colour", "weight_g", "public"]  # fmt: skip
    run = take(
        as_csv(
            columns,
            ["HAT-S", "小号", "55", "JPY", "", "[empty]", "L", "Indigo", "[empty]", "no"],
            ["HAT", "渔夫帽", "", "", "home/lamps", "", "", "", "", ""],
            ["LAMP-1", "", "[empty]", "", "[empty]", "", "", "", "", ""],
        ),
        staff,
    )
    assert (run.created, run.changed) == (0, 3)
    small = Product.objects.get(stockrecords__partner_sku="HAT-S")
    record = small.stockrecords.get()
    assert (small.title_zh_hans, record.price, record.price_currency, small.weight_g) == ("小号", 55, "JPY", None)
    assert [value.attribute.code for value in small.attribute_values.order_by("attribute__code")] == [
        "colour", "fits", "organic", "since", "size",
    ]  # fmt: skip
    assert (small.attr.colour.option_en, [option.option_en for option in small.attr.fits]) == ("Indigo", ["L"])
    hat.refresh_from_db()
    assert (hat.title, hat.title_zh_hans) == ("Straw hat", "渔夫帽")
    assert [category.slug for category in hat.categories.all()] == ["lamps"]
    assert hat.date_updated > stamp
    assert list(search.matching(Product.objects.all(), "渔夫")) == [hat]
    lamp = Product.objects.get(stockrecords__partner_sku="LAMP-1")
    assert (lamp.stockrecords.get().price, lamp.categories.count()) == (None, 0)
    message = LogEntry.objects.filter(object_id=str(small.pk)).latest("pk").get_change_message()
    assert "price 49.50 -> 55 CNY -> JPY (HAT-S)" in message


def test_pages_that_remember_a_product_show_what_was_imported(ground: None, staff: User) -> None:
    take(as_csv(*NEW), staff)
    lamp = Product.objects.get(stockrecords__partner_sku="LAMP-1")
    shop = Client(headers={"accept-language": "en"})
    assert "Desk lamp" in shop.get(lamp.get_absolute_url()).content.decode()
    take(as_csv(["sku", "title_en"], ["LAMP-1", "Reading lamp"]), staff)
    assert "Reading lamp" in shop.get(lamp.get_absolute_url()).content.decode()


def test_figures_of_stock_stay(ground: None, staff: User) -> None:
    take(as_csv(*NEW), staff)
    factories.stock("LAMP-1", SZ=7)
    before = Movement.objects.count()
    take(as_csv(["sku", "stock", "price"], ["LAMP-1", "500", "1"]), staff)
    assert Movement.objects.count() == before


def test_all_or_nothing(ground: None, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails at its very end: nothing of it is there."""
    run = runs.bring("products.csv", as_csv(*NEW), actor="staff:test")

    def fail(*_args: Any) -> None:
        raise RuntimeError("at the very end")

    monkeypatch.setattr("shop.catalogue.history.notes", fail)
    with pytest.raises(RuntimeError):
        runs.take(run.pk, actor="staff:test", user=staff.pk, leave_out=False)
    assert (Product.objects.count(), StockRecord.objects.count()) == (0, 0)
    run.refresh_from_db()
    assert run.state == ImportState.CHECKED


def test_nothing_is_ever_deleted(ground: None, staff: User) -> None:
    take(as_csv(*NEW), staff)
    take(as_csv(["sku", "public"], ["LAMP-1", "no"]), staff)
    assert Product.objects.count() == 4


# --- out and back ---


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_demos_catalogue_comes_back_as_it_went(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "_pictures", lambda *_args: 0)  # drawing them takes long, and files carry none
    seed.make_countries()
    seed.load(lambda _words: None)
    goods.shirt(("Indigo", "S"), ("Ochre", "M"))
    content = written(kind)
    assert unchanged(content)
    assert len(plan.read("x", content).lines) == Product.objects.count()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_kind_of_value_comes_back_as_it_went(kind: str, ground: None, staff: User) -> None:
    take(as_csv(*NEW), staff)
    kinds = {"text": "words", "float": "litres", "datetime": "until"}
    of = ProductClass.objects.get(slug="goods")
    made = {
        type_: ProductAttribute.objects.create(product_class=of, code=code, type=type_, name_zh_hans=code)
        for type_, code in kinds.items()
    }
    lamp = Product.objects.get(stockrecords__partner_sku="LAMP-1")
    made["text"].save_value(lamp, '-5 %, "quoted", \'apostrophe\nand | a line')
    made["float"].save_value(lamp, 0.1 + 0.2)
    made["datetime"].save_value(lamp, lamp.date_created)
    Product.objects.filter(pk=lamp.pk).update(
        title_en="=HYPERLINK(1)", summary_zh_hans="＋加号", description_zh_hans="  一\r\n二  ", slug="x_1"
    )
    StockRecord.objects.filter(product=lamp).update(price="39.1234")  # finer than can be paid, and not for sale
    assert unchanged(written(kind))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60))
def test_any_title_comes_back_as_it_went(text: str) -> None:
    with transaction.atomic():
        product = factories.product("ANY-1", title_en=text)
        for kind in ("csv", "xlsx"):
            assert unchanged(written(kind)), kind
        assert Product.objects.get(pk=product.pk).title_en == text
        transaction.set_rollback(True)


def test_a_text_too_long_for_a_workbooks_cell_is_left_as_it_is() -> None:
    product = factories.product("LONG-1")
    Product.objects.filter(pk=product.pk).update(description_en="x" * 40_000)
    assert unchanged(written("xlsx"))
    assert unchanged(written("csv"))


def test_nothing_in_a_file_is_run_by_a_spreadsheet_program() -> None:
    factories.product("EVIL-1", title_en="=cmd|' /C calc'!A0", title="@SUM(1)")
    rows = list(csv.DictReader(io.StringIO(written("csv").decode("utf-8-sig"))))
    assert (rows[0]["title_en"], rows[0]["title_zh_hans"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1)")
    sheet = load_workbook(io.BytesIO(written("xlsx")))["products"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_products_no_sku_names_are_left_out() -> None:
    product = factories.product("GONE-1")
    StockRecord.objects.filter(product=product).delete()
    factories.product("HERE-1")
    assert [line.cells[0] for line in plan.read("x", written("csv")).lines] == ["HERE-1"]


def test_the_template_says_what_each_column_is_for(ground: None) -> None:
    book = load_workbook(export.template())
    assert book.sheetnames == ["products", "help"]
    header, example = list(book["products"].values)
    assert header[:4] == ("sku", "structure", "parent", "type")
    assert "attribute:colour" in header
    assert example[0] == "EXAMPLE-1"
    told = {row[0] for row in book["help"].values}
    assert set(header) <= told
    data = io.BytesIO()
    book.save(data)
    assert "This is the template's example" in str(refused(plan.make(plan.read("t.xlsx", data.getvalue()))))
    book["products"]["A2"] = "LAMP-7"
    data = io.BytesIO()
    book.save(data)
    assert refused(plan.make(plan.read("t.xlsx", data.getvalue()))) == []


# --- as many statements for many as for few ---


def statements(count: int, staff: User, content: bytes) -> int:
    with counted(f"{count} rows") as found, transaction.atomic():
        write(plan.make(plan.read("x", content), lock=True), staff.pk, "x")
    return len(found)


def test_statements_do_not_grow_with_the_rows(ground: None, staff: User) -> None:
    def rows(count: int, prefix: str, price: str) -> bytes:
        lines = [[f"{prefix}-{n}", "goods", f"商品 {n}", price, "home", "5"] for n in range(count)]
        return as_csv(["sku", "type", "title_zh_hans", "price", "categories", "weight_g"], *lines)

    statements(2, staff, rows(2, "WARM", "5"))
    few, many = statements(5, staff, rows(5, "FEW", "5")), statements(400, staff, rows(400, "MANY", "5"))
    assert many == few, "new ones"
    few, many = statements(5, staff, rows(5, "FEW", "6")), statements(400, staff, rows(400, "MANY", "6"))
    assert many == few, "changed ones"
    assert few < 45


def test_an_export_reads_in_chunks() -> None:
    crowds.products(2 * export.CHUNK)
    with counted("an export") as found:
        assert sum(1 for _row in export.rows(Product.objects.order_by("pk"))) == 2 * export.CHUNK + 1
    chunks = [sql for sql in found.sql if 'FROM "catalogue_product" ' in sql and "title_en" in sql]
    assert len(chunks) == 2
    assert len(found) < 30
