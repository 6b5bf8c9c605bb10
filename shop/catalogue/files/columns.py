"""The columns a file may have, in the order it is written in: what each is for, whom it fits, what its cells accept.

A column that is not there, and an empty cell, leave things as they are; `[empty]` empties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.widgets import Widget

from integrations.hub.files.sheets import Bad
from shop.catalogue import attributes
from shop.catalogue.files import widgets
from shop.catalogue.files.entries import ATTRIBUTE, PARENT, SINGLE, VARIANT, Entry
from shop.catalogue.files.lookups import Lookups, Names, fold
from shop.catalogue.models import ProductAttribute
from shop.catalogue.records import SKU_LENGTH

EMPTY = ("[empty]", "[清空]")
EXAMPLE = "EXAMPLE-1"  # the SKU of the template's row
STOCK = {"stock", "on_hand", "num_in_stock", "quantity", "qty", "inventory", "库存", "数量", "现货"}
STRUCTURES = {
    SINGLE: ("single", "standalone", "单品"),
    PARENT: ("parent", "主商品", "父商品"),
    VARIANT: ("variant", "child", "变体", "规格"),
}
ALL, OWN, SOLD = {SINGLE, PARENT, VARIANT}, {SINGLE, PARENT}, {SINGLE, VARIANT}
WEIGHT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """`fits`: structures that have it. `empties`: what `[empty]` makes of it; None where it cannot be empty."""

    widget: Widget
    words: Any
    fits: set[str]
    empties: Any = None
    may_be_empty: bool = True
    example: str = ""


class Column(Field):
    """A column of the sheet and of the entry alike."""

    def __init__(self, name: str, kind: Kind) -> None:
        super().__init__(attribute=name, column_name=name, widget=kind.widget)
        self.kind = kind

    def save(self, instance: Entry, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        cell = row[self.column_name]
        if isinstance(cell, Bad):
            raise ValueError(cell.words)
        if cell == "":
            return
        self._refuse(instance)
        instance.given.add(self.attribute)
        instance.values[self.attribute] = self._emptied() if is_emptying(cell) else self.cleaned(instance, cell)

    def cleaned(self, instance: Entry, cell: Any) -> Any:
        return self.widget.clean(cell)

    def _emptied(self) -> Any:
        if not self.kind.may_be_empty:
            raise ValueError(_("This cannot be emptied."))
        return self.kind.empties

    def _refuse(self, instance: Entry) -> None:
        if instance.structure not in self.kind.fits:
            words = {
                PARENT: _("A product with variants has none of its own: its variants do. Empty the cell."),
                VARIANT: _("A variant has none of its own: its product does. Empty the cell."),
            }
            raise ValueError(words.get(instance.structure, _("Only variants have one. Empty the cell.")))

    def get_value(self, instance: Entry) -> Any:
        return instance.values.get(self.attribute) if instance.structure in self.kind.fits else None


class AttributeColumn(Column):
    """One attribute's code; what its cells accept depends on the type of the row's product."""

    def __init__(self, code: str, lookups: Lookups) -> None:
        super().__init__(ATTRIBUTE + code, Kind(Widget(), gettext_lazy("Value of this attribute"), ALL))
        self.code, self.lookups = code, lookups
        self._widgets: dict[int, Widget] = {}

    def _refuse(self, instance: Entry) -> None:
        if instance.kind is not None and (instance.kind, self.code) not in self.lookups.attributes:
            kind = self.lookups.kinds.words[instance.kind]
            raise ValueError(
                _("Products of the type %(kind)s have no such attribute. Empty the cell.") % {"kind": kind}
            )

    def _emptied(self) -> Any:
        return None

    def cleaned(self, instance: Entry, cell: Any) -> Any:
        return self._widget(instance).clean(cell) if instance.kind is not None else None

    def export(self, instance: Entry, **kwargs: Any) -> Any:
        value = instance.values.get(self.attribute)
        return "" if value is None or instance.kind is None else self._widget(instance).render(value)

    def _widget(self, instance: Entry) -> Widget:
        attribute = self.lookups.attributes[instance.kind, self.code]  # type: ignore[index]
        if attribute.pk not in self._widgets:
            self._widgets[attribute.pk] = attribute_widget(attribute, self.lookups)
        return self._widgets[attribute.pk]


def is_emptying(cell: Any) -> bool:
    return isinstance(cell, str) and fold(cell) in EMPTY


def attribute_widget(attribute: ProductAttribute, lookups: Lookups) -> Widget:
    """What cells for this attribute accept."""
    options = lookups.options.get(attribute.option_group_id or 0, Names())
    kinds: dict[str, Callable[[], Widget]] = {
        "text": lambda: widgets.Words(attributes.LONGEST, lines=True),
        "integer": lambda: widgets.Whole(-attributes.WHOLE, attributes.WHOLE),
        "float": widgets.Measure,
        "boolean": widgets.Flag,
        "date": widgets.Day,
        "datetime": widgets.Moment,
        "option": lambda: widgets.One(options),
        "multi_option": lambda: widgets.Several(options),
    }
    return kinds[attribute.type]()


def structures() -> Names:
    """The words for what a product is sold as; keys are their places in STRUCTURES."""
    names = Names()
    for number, words in enumerate(STRUCTURES.values()):
        names.add(number, *words)
    return names


class Structure(widgets.One):
    """A word in a cell, Oscar's word as a value."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:  # type: ignore[override]
        return list(STRUCTURES)[super().clean(value)]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return STRUCTURES[value][0] if value else ""


def fixed(lookups: Lookups) -> dict[str, Kind]:
    """All columns but those of attributes."""
    _l = gettext_lazy
    kinds = {
        "sku": Kind(
            widgets.Code(SKU_LENGTH),
            _l("The SKU: it says which product the row is about. For a product with variants: its style code."),
            ALL, may_be_empty=False, example=EXAMPLE,
        ),
        "structure": Kind(
            Structure(structures()),
            _l("single, parent (a product with variants) or variant. Empty: single, or variant where parent is given."),
            ALL, may_be_empty=False, example="single",
        ),
        "parent": Kind(
            widgets.Code(SKU_LENGTH), _l("For a variant: the style code of its product."), {VARIANT}, may_be_empty=False
        ),
        "type": Kind(
            widgets.One(lookups.kinds), _l("The product's type: the word it has in addresses, or its name."), OWN,
            may_be_empty=False, example=next(iter(lookups.kinds.words.values()), ""),
        ),
        "title_zh_hans": Kind(widgets.Words(255), _l("Title in Chinese"), ALL, "", example="可调光阅读台灯"),
        "title_en": Kind(widgets.Words(255), _l("Title in English"), ALL, "", example="Dimmable reading lamp"),
        "summary_zh_hans": Kind(widgets.Words(255), _l("Summary in Chinese, one line"), ALL, ""),
        "summary_en": Kind(widgets.Words(255), _l("Summary in English, one line"), ALL, ""),
        "description_zh_hans": Kind(widgets.Words(50_000, lines=True), _l("Description in Chinese"), ALL, ""),
        "description_en": Kind(widgets.Words(50_000, lines=True), _l("Description in English"), ALL, ""),
        "price": Kind(widgets.Price(), _l("Price, tax included: the amount only"), SOLD, example="279.00"),
        "currency": Kind(
            widgets.Currency(), _l("Three letters. Empty for a new product: the shop's currency."), SOLD,
            may_be_empty=False, example="CNY",
        ),
        "supplier": Kind(
            widgets.One(lookups.suppliers), _l("Code or name. Empty for a new product: the usual one."), SOLD,
            may_be_empty=False, example=lookups.suppliers.words.get(lookups.usual_supplier or 0, ""),
        ),
        "tax_class": Kind(
            widgets.One(lookups.taxes), _l("Code of the tax class. A variant without one is taxed as its product."),
            ALL, example=next(iter(lookups.taxes.words.values()), ""),
        ),
        "categories": Kind(
            widgets.Several(lookups.categories),
            _l("All categories it is to be in, with | between them: each by its way, home/lamps, or its last word."),
            OWN, (), example=next(iter(lookups.categories.words.values()), ""),
        ),
        "public": Kind(
            widgets.Flag(), _l("yes or no: whether customers see it"), ALL, may_be_empty=False, example="yes"
        ),
        "featured": Kind(widgets.Flag(), _l("yes or no: on the home page"), OWN, may_be_empty=False, example="no"),
        "discountable": Kind(
            widgets.Flag(), _l("yes or no: takes part in offers"), ALL, may_be_empty=False, example="yes"
        ),
        "upc": Kind(widgets.Code(64), _l("Bar code (EAN, UPC). Format the column as text."), SOLD, ""),
        "weight_g": Kind(widgets.Whole(0, WEIGHT), _l("Weight in grams"), ALL, example="1450"),
        "slug": Kind(
            widgets.Code(255), _l("Address in the shop. Empty for a new product: made from the English title."), ALL,
            may_be_empty=False,
        ),
    }  # fmt: skip
    return kinds


def columns(lookups: Lookups) -> dict[str, Column]:
    """Every column, by name, in order."""
    found: dict[str, Column] = {name: Column(name, kind) for name, kind in fixed(lookups).items()}
    return found | {ATTRIBUTE + code: AttributeColumn(code, lookups) for code in lookups.codes}
