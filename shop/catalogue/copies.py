"""A new product after an old one: everything that describes it, nothing that identifies it."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction

from shop.catalogue import attributes, pictures
from shop.catalogue.models import Product
from shop.partner.models import StockRecord

COPIED = (
    "structure", "product_class", "tax_class", "weight_g", "is_discountable",
    "title_zh_hans", "title_en", "summary_zh_hans", "summary_en", "description_zh_hans", "description_en",
)  # fmt: skip


def copy(source: Product, *, sku: str, with_pictures: bool) -> Product:
    """A hidden copy, without the variants. `sku` becomes its SKU, at the source's price, or its style code if it has
    variants. Raises IntegrityError where the SKU was taken meanwhile."""
    with transaction.atomic(durable=True):
        made = Product(**{name: getattr(source, name) for name in COPIED}, is_public=False, slug=source.slug)
        if source.is_parent:
            made.code = sku
        made.save()
        _copy_record(source, made, sku)
        _copy_values(source, made)
        made.categories.set(source.categories.all())
        if with_pictures:
            _copy_pictures(source, made)
    return made


def _copy_record(source: Product, made: Product, sku: str) -> None:
    record = source.stockrecords.first()
    if record is not None:
        StockRecord.objects.create(
            product=made,
            partner=record.partner,
            partner_sku=sku,
            price=record.price,
            price_currency=record.price_currency,
        )


def _copy_values(source: Product, made: Product) -> None:
    kept: dict[int, Any] = attributes.values(source)
    asked = attributes.of(source.product_class)
    attributes.write(made, {attribute: kept[attribute.pk] for attribute in asked if attribute.pk in kept})


def _copy_pictures(source: Product, made: Product) -> None:
    """Files of their own: deleting one product's picture leaves the other's."""
    for image in source.images.all():
        names = {size: pictures.sized(image.original.name, size) for size in pictures.SIZES}
        files = {size: _read(name) for size, name in names.items() if default_storage.exists(name)}
        if len(files) == len(names):
            prepared = pictures.Prepared(_read(image.original.name), files)
            pictures.keep(made, prepared, caption=image.caption, order=image.display_order)


def _read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())
