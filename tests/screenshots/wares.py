"""A product that comes in colours and sizes, brought in by staff with a file; and files whose rows were refused."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from shop.catalogue import pictures
from shop.catalogue.models import Category, ImportRun, Product
from shop.seed.drawn import draw_all
from shop.stock.models import Reason, Warehouse
from shop.stock.movements import Move, by_staff
from tests.admin import goods
from tests.catalogue_files.sheets import as_csv

CODE = "AP-CREW"
HEADER = ("sku", "parent", "type", "title_zh_hans", "title_en", "description_zh_hans", "price", "tax_class",
          "categories", "attribute:colour", "attribute:size", "attribute:gsm", "attribute:organic")  # fmt: skip
PICTURE = {"kind": "shirt", "backdrop": "linen", "colors": ["indigo", "cream", "cream"], "long": False,
           "collar": "crew"}  # fmt: skip


def make(client: Client) -> None:
    """By the pages of staff: a new kind of goods, its variants, and two files that need a second look."""
    goods.shirts()
    _brought(client, "秋季新品.csv", _crew())
    _take(client, ImportRun.objects.get(file_name="秋季新品.csv"), "take_all")
    _brought(client, "价格调整.csv", _wrong())
    _take(client, ImportRun.objects.get(file_name="价格调整.csv"), "take_right")
    _brought(client, "冬季价格.csv", [("sku", "price"), (f"{CODE}-靛蓝-S", "109.00"), (f"{CODE}-靛蓝-M", "109.0.0")])
    _brought(client, "供应商报价.csv", [("货号", "单价"), ("A", "1")])
    _arrive()
    product = Product.objects.get(code=CODE)
    for _sku, picture in draw_all({CODE: PICTURE}):
        pictures.keep(product, picture)


def _crew() -> list[tuple[str, ...]]:
    category = Category.objects.order_by("-depth", "path")[0]
    texts = ("圆领短袖衫", "Crew-neck shirt", "双针领口，久洗不塌。")
    rows = [HEADER, (CODE, "", "shirt", *texts, "", "VAT13", category.slug, "", "", "240", "yes")]
    for colour in goods.COLOURS:
        for size in goods.SIZES:
            if (colour, size) != ("本白", "L"):  # one pair is not made
                price = "139.00" if colour != "靛蓝" else "149.00"
                rows.append((f"{CODE}-{colour}-{size}", CODE, "", "", "", "", price, "", "", colour, size, "", ""))
    return rows


def _wrong() -> list[tuple[str, ...]]:
    return [
        ("sku", "title_zh_hans", "price", "tax_class", "attribute:colour"),
        (f"{CODE}-靛蓝-L", "", "159.00", "", ""),
        (f"{CODE}-赭黄-S", "", "12,9,0", "", ""),
        ("NO-SUCH-SKU", "", "88.00", "", ""),
        (CODE, "", "99.00", "VAT99", ""),
        (f"{CODE}-赭黄-M", "", "", "", "桃红"),
    ]


def _arrive() -> None:
    """Some in plenty, some few, some none: what buyers are told differs."""
    ours = Warehouse.objects.get(code="SZ").pk
    several = {"靛蓝-S": 20, "靛蓝-M": 2, "赭黄-M": 15, "赭黄-L": 8, "本白-S": 4}
    by_staff([Move(f"{CODE}-{pair}", ours, quantity, Reason.RECEIPT, actor="staff:warehouse@weijian.example",
                   note="送货单 1190") for pair, quantity in several.items()])  # fmt: skip


def _brought(client: Client, name: str, rows: list[tuple[str, ...]]) -> None:
    file = SimpleUploadedFile(name, as_csv(*rows))
    _posted(client, reverse("admin:catalogue_importrun_upload"), {"file": file})


def _take(client: Client, run: ImportRun, action: str) -> None:
    _posted(client, reverse(f"admin:catalogue_importrun_{action}", args=[run.pk]), {})
    run.refresh_from_db()
    assert run.state == "imported", (run.file_name, run.problem, run.report)


def _posted(client: Client, address: str, form: dict[str, Any]) -> None:
    answer = client.post(address, form)
    assert answer.status_code == 302, (address, answer.status_code, answer.content.decode()[:2000])
