"""Attributes of products: which kinds staff fill in, how each is asked for, how its value is read and kept.

A value is a str, int, float, bool, date, aware datetime, AttributeOption or list of these; None is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold import widgets

from shop.catalogue.models import AttributeOption, Product, ProductAttribute, ProductAttributeValue, ProductClass

KINDS = ("text", "integer", "float", "boolean", "date", "datetime", "option", "multi_option")
WHOLE = 2**31 - 1  # the largest number its column holds
LONGEST = 2000  # characters of a text
ENDINGS = {f"_{code.replace('-', '_')}": code for code, _name in settings.LANGUAGES}
LANGUAGES = {"zh-hans": "中文", "en": "English"}  # each in its own words


def of(kind: ProductClass | None) -> list[ProductAttribute]:
    """What is asked for products of this type; of a text that has one attribute for each language, Chinese first."""
    if kind is None:
        return []
    options = Prefetch("option_group__options", AttributeOption.objects.order_by("pk"))
    found = kind.attributes.filter(type__in=KINDS).select_related("option_group").prefetch_related(options)
    return sorted(found, key=lambda attribute: (stem(attribute), list(ENDINGS).index(ending(attribute) or "_en")))


def ending(attribute: ProductAttribute) -> str:
    """The language its code ends in, as `_en`: then its values are texts of that language; else empty."""
    return next((end for end in ENDINGS if attribute.code.endswith(end)), "")


def stem(attribute: ProductAttribute) -> str:
    """Its code without the language."""
    return attribute.code.removesuffix(ending(attribute))


def label(attribute: ProductAttribute) -> str:
    """What staff read beside its field."""
    language = ENDINGS.get(ending(attribute))
    return f"{attribute.name} ({LANGUAGES.get(language, language)})" if language else capfirst(attribute.name)


def rows(attributes: Iterable[ProductAttribute]) -> list[tuple[ProductAttribute, ...]]:
    """Those that belong side by side: one for each language of the same text; the others by themselves."""
    found: dict[str, list[ProductAttribute]] = {}
    for attribute in attributes:
        found.setdefault(stem(attribute) if ending(attribute) else attribute.code + "_", []).append(attribute)
    return [tuple(row) for row in found.values()]


# --- forms ---


def field(attribute: ProductAttribute, *, required: bool = False) -> forms.Field:
    """The input that fits. Options are looked up once, not by each field that offers them."""
    return _FIELDS[attribute.type](attribute, label=label(attribute), required=required)


def initial(attribute: ProductAttribute, value: Any) -> Any:
    """A value as its field wants to begin with."""
    if attribute.type == "option":
        return value.pk if value else None
    return [option.pk for option in value or ()] if attribute.type == "multi_option" else value


def _text(_attribute: ProductAttribute, **common: Any) -> forms.Field:
    return forms.CharField(max_length=LONGEST, widget=widgets.UnfoldAdminTextInputWidget(), empty_value=None, **common)


def _integer(_attribute: ProductAttribute, **common: Any) -> forms.Field:
    return forms.IntegerField(
        min_value=-WHOLE, max_value=WHOLE, widget=widgets.UnfoldAdminIntegerFieldWidget(), **common
    )


def _float(_attribute: ProductAttribute, **common: Any) -> forms.Field:
    return forms.FloatField(widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}), **common)


def _boolean(_attribute: ProductAttribute, **common: Any) -> forms.Field:
    return forms.NullBooleanField(widget=widgets.UnfoldAdminNullBooleanSelectWidget(), **common)


def _date(_attribute: ProductAttribute, **common: Any) -> forms.Field:
    return forms.DateField(widget=widgets.UnfoldAdminSingleDateWidget(), **common)


def _datetime(_attribute: ProductAttribute, **common: Any) -> forms.Field:
    return forms.SplitDateTimeField(widget=widgets.UnfoldAdminSplitDateTimeWidget(), **common)


def options(attribute: ProductAttribute) -> list[AttributeOption]:
    """What may be chosen."""
    return list(attribute.option_group.options.all()) if attribute.option_group else []


def _option(attribute: ProductAttribute, **common: Any) -> forms.Field:
    known = {option.pk: option for option in options(attribute)}
    return forms.TypedChoiceField(
        choices=[("", _("not stated")), *((pk, str(option)) for pk, option in known.items())],
        coerce=lambda pk: known[int(pk)],
        empty_value=None,
        widget=widgets.UnfoldAdminSelectWidget(),
        **common,
    )


def _multi_option(attribute: ProductAttribute, **common: Any) -> forms.Field:
    known = {option.pk: option for option in options(attribute)}
    return forms.TypedMultipleChoiceField(
        choices=[(pk, str(option)) for pk, option in known.items()],
        coerce=lambda pk: known[int(pk)],
        empty_value=[],
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
        **common,
    )


_FIELDS: dict[str, Callable[..., forms.Field]] = {
    "text": _text,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "option": _option,
    "multi_option": _multi_option,
}

# --- values ---


def stored() -> Prefetch:
    """To be prefetched with products whose values are read by `values`."""
    rows = ProductAttributeValue.objects.select_related("attribute", "value_option")
    return Prefetch("attribute_values", rows.prefetch_related("value_multi_option"))


def values(product: Product) -> dict[int, Any]:
    """A product's own values by their attribute's key; asks nothing where `stored` was prefetched."""
    prefetch_related_objects([product], stored())
    return {row.attribute_id: _value(row) for row in product.attribute_values.all()}


def _value(row: ProductAttributeValue) -> Any:
    return list(row.value_multi_option.all()) if row.attribute.type == "multi_option" else row.value


def write(product: Product, changed: Mapping[ProductAttribute, Any]) -> None:
    """Keep these values; None, an empty text or no option removes one. The caller stamps the product."""
    for attribute, value in changed.items():
        attribute.save_value(product, value)


def shown(product: Product) -> list[tuple[str, str]]:
    """Names and values for people, in the order of the names' codes."""
    prefetch_related_objects([product], stored())
    kept = sorted(product.attribute_values.all(), key=lambda row: row.attribute.code)
    return [(label(row.attribute), str(row.value_as_text)) for row in kept]
