"""What each row of a sheet means: the entry it is about, its values, and everything that is wrong with it.

A django-import-export resource over entries; it writes nothing.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.resources import Resource
from import_export.results import Result

from integrations.hub.files.sheets import Bad, Sheet, Unreadable
from shop.catalogue.files import entries
from shop.catalogue.files.columns import ATTRIBUTE, EXAMPLE, STOCK, Column, columns
from shop.catalogue.files.entries import PARENT, SINGLE, VARIANT, Entry
from shop.catalogue.files.lookups import Lookups
from shop.catalogue.files.widgets import as_text, some
from shop.catalogue.models import Product
from shop.pricing.money import TooFine, exact

_SLUG = re.compile(r"[-a-zA-Z0-9_]+")


class _NoLoader:
    """The resource finds its entries itself."""

    def __init__(self, resource: Resource, dataset: tablib.Dataset) -> None:
        pass


class ProductFile(Resource):
    class Meta:
        using_db = "default"
        import_id_fields = ("sku",)
        instance_loader_class = _NoLoader
        skip_diff = True
        use_bulk = True  # nothing is saved here, so no row needs a savepoint
        use_transactions = False

    def __init__(self, sheet: Sheet, lookups: Lookups, known: dict[str, int], existing: dict[int, Entry]) -> None:
        super().__init__()
        self.fields = columns(lookups)
        self.sheet, self.lookups, self.known, self.existing = sheet, lookups, known, existing
        self.parents = {entry.key.upper(): entry for entry in existing.values() if entry.structure == PARENT}
        self.accepted: list[Entry] = []
        self.rows_of = _rows_by_key(sheet)
        self.new_parents = self._new_parents()
        self.upcs = self._upcs()

    def check(self) -> Result:
        """Every row of the sheet; those that are right and change something are in `accepted`."""
        dataset = tablib.Dataset(headers=self.sheet.columns)
        for line in self.sheet.lines:
            dataset.append(line.cells)
        result = self.import_data(dataset)
        for _number, errors in result.row_errors():
            raise errors[0].error  # not the row's fault
        return result

    # --- what the row is about ---

    def get_or_init_instance(self, instance_loader: Any, row: Any) -> tuple[Entry, bool]:
        key = self._key(row)
        found = self.existing.get(self.known.get(key.upper(), 0))
        if found is not None:
            return found, False
        parent = text(row.get("parent"))
        structure = self._structure(key, row)
        values = entries.blank(structure, parent=parent, usual_supplier=self.lookups.usual_supplier)
        return Entry(key, None, structure, self._kind(structure, parent, row), values), True

    def _key(self, row: Any) -> str:
        """The row's SKU, alone in the file. Without it nothing else of the row can be understood."""
        cell = row["sku"]
        try:
            if isinstance(cell, Bad):
                raise ValueError(cell.words)
            key = self.fields["sku"].widget.clean(cell)
            if not key:
                raise ValueError(_("Every row needs a SKU; a product with variants its style code."))
            if key.upper() == EXAMPLE:
                raise ValueError(_("This is the template's example. Write your own product here, or delete the row."))
            others = self.rows_of[key.upper()]
            if len(others) > 1:
                words = _("This SKU stands in rows %(rows)s. Leave it in one.")
                raise ValueError(words % {"rows": ", ".join(map(str, others))})
        except ValueError as error:
            raise ValidationError({"sku": str(error)}) from None
        return str(key)

    def _structure(self, key: str, row: Any) -> str:
        """Of a new product: what the row says, else what the others say of it."""
        if text(row.get("structure")):
            try:
                return str(self.fields["structure"].widget.clean(row["structure"]))
            except ValueError as error:
                raise ValidationError({"structure": str(error)}) from None
        if text(row.get("parent")):
            return VARIANT
        return PARENT if key.upper() in self.new_parents else SINGLE

    def _kind(self, structure: str, parent: str, row: Any) -> int | None:
        """The type of a new product: a variant's is its product's."""
        if structure == VARIANT:
            above = self.existing.get(self.known.get(parent.upper(), 0))
            return above.kind if above else self._kind_said(self.new_parents.get(parent.upper(), {}))
        return self._kind_said(row)

    def _kind_said(self, row: Any) -> int | None:
        names = self.lookups.kinds
        found = names.find(text(row.get("type"))) or (set(names.words) if not text(row.get("type")) else set())
        return next(iter(found)) if len(found) == 1 else None

    # --- whether it is right ---

    def import_field(self, field: Column, instance: Entry, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        if field.column_name in row and field.attribute != "sku":
            field.save(instance, row)

    def import_instance(self, instance: Entry, row: Any, **kwargs: Any) -> None:
        instance.row = self.sheet.lines[kwargs["row_number"] - 1].number
        super().import_instance(instance, row, **kwargs)

    def skip_row(self, instance: Entry, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Nothing would change."""
        return instance.before is not None and not import_validation_errors and not instance.changes

    def validate_instance(
        self, instance: Entry, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        errors = dict(import_validation_errors or {})
        checks = self._new(instance) if instance.before is None else self._kept(instance)
        for column, words in (*checks, *self._both(instance)):
            errors.setdefault(column, ValidationError(words))
        if errors:
            raise ValidationError(errors)

    def save_instance(self, instance: Entry, is_create: bool, row: Any, **kwargs: Any) -> None:
        self.accepted.append(instance)

    def _new(self, entry: Entry) -> Iterable[tuple[str, str]]:
        if entry.structure == VARIANT:
            yield from self._new_variant(entry)
            return
        if not entry.values["title_zh_hans"]:
            yield "title_zh_hans", _("A new product needs a title in Chinese; English falls back to it.")
        if entry.kind is None and "type" not in entry.given:
            yield (
                "type",
                _("A new product needs a type. There is: %(there)s.")
                % {"there": some(self.lookups.kinds.words.values())},
            )
        entry.values["type"] = entry.kind
        if entry.structure == SINGLE:
            yield from self._required(entry, {})
            yield from self._supplied(entry)

    def _new_variant(self, entry: Entry) -> Iterable[tuple[str, str]]:
        key = str(entry.values["parent"]).upper()
        above = self.existing.get(self.known.get(key, 0))
        if not key:
            yield "parent", _("A variant needs the style code of its product.")
        elif above is None and key not in self.rows_of:
            yield "parent", _("There is no such product, here or in this file.")
        elif above is not None and above.structure != PARENT:
            yield "parent", _("This is no product with variants.")
        else:
            yield from self._required(entry, above.values if above else {})
            yield from self._supplied(entry)

    def _supplied(self, entry: Entry) -> Iterable[tuple[str, str]]:
        if entry.values["supplier"] is None:
            yield "supplier", _("There is no supplier yet. Make one first: every SKU comes from one.")

    def _kept(self, entry: Entry) -> Iterable[tuple[str, str]]:
        """What a product is stays; the rest may change."""
        for name in ("structure", "type", "parent"):
            if name in entry.changes:
                said = str(entry.values[name]).upper() if name == "parent" else None
                if said is not None and said == str((entry.before or {})["parent"]).upper():
                    entry.values[name] = (entry.before or {})[name]
                else:
                    yield name, _KEPT[name]()
        if entry.structure != VARIANT and not entry.values["title_zh_hans"]:
            yield "title_zh_hans", _("The title in Chinese is needed; English falls back to it.")
        if entry.structure != PARENT:
            above = self.parents.get(str((entry.before or {})["parent"]).upper())
            yield from self._required(entry, above.values if above else {}, only=entry.given)

    def _required(
        self, entry: Entry, above: dict[str, Any], *, only: set[str] | None = None
    ) -> Iterable[tuple[str, str]]:
        """Attributes that must have a value; a variant may have its product's. `only`: those the row speaks of."""
        for (kind, code), attribute in self.lookups.attributes.items():
            name = ATTRIBUTE + code
            if kind != entry.kind or not attribute.required or (only is not None and name not in only):
                continue
            if entry.values.get(name) in (None, "", ()) and above.get(name) in (None, "", ()):
                yield name, _("“%(name)s” is needed.") % {"name": attribute.name}

    def _both(self, entry: Entry) -> Iterable[tuple[str, str]]:
        price, currency = entry.values.get("price"), entry.values.get("currency")
        if price is not None and currency and {"price", "currency"} & set(entry.changes):
            try:
                entry.values["price"] = exact(price, currency)
            except TooFine:
                yield "price", _("This has more decimals than the currency can be paid in.")
        if "slug" in entry.given and not _SLUG.fullmatch(entry.values["slug"]):
            yield "slug", _("Latin letters, digits, - and _ only.")
        owner = self.upcs.get(str(entry.values.get("upc") or ""))
        if owner is not None and owner != entry.key.upper():
            yield "upc", _("Another product has this bar code: %(sku)s.") % {"sku": owner}

    # --- what the whole file says ---

    def _new_parents(self) -> dict[str, dict[str, Any]]:
        """Rows that others name as their product, by their key."""
        named = {text(row.get("parent")).upper() for row in self._rows()}
        return {key: row for row in self._rows() if (key := text(row.get("sku")).upper()) in named and key}

    def _upcs(self) -> dict[str, str]:
        """Bar code -> who has it: the first row that claims it, else the product that has it in the shop."""
        claimed: dict[str, str] = {}
        for row in self._rows():
            if code := text(row.get("upc")):
                claimed.setdefault(code, text(row.get("sku")).upper())
        theirs = Product.objects.filter(upc__in=list(claimed))
        owners = theirs.values_list("upc", "stockrecords__partner_sku", "pk")
        return claimed | {code: (sku or f"#{pk}").upper() for code, sku, pk in owners}

    def _rows(self) -> Iterable[dict[str, Any]]:
        return (dict(zip(self.sheet.columns, line.cells, strict=True)) for line in self.sheet.lines)


_KEPT = {
    "structure": lambda: _("What a product is sold as does not change. Make a new product, and hide this one."),
    "type": lambda: _("A file does not change a product's type: its attributes would be lost. Do it on its page."),
    "parent": lambda: _("A variant stays with its product. Make a new variant, and hide this one."),
}


def text(cell: Any) -> str:
    """A cell that is compared before it is checked."""
    try:
        return "" if cell is None or isinstance(cell, Bad) else as_text(cell)
    except ValueError:
        return ""


def _rows_by_key(sheet: Sheet) -> dict[str, list[int]]:
    place = sheet.columns.index("sku")
    rows: dict[str, list[int]] = defaultdict(list)
    for line in sheet.lines:
        rows[text(line.cells[place]).upper()].append(line.number)
    return rows


def check_header(sheet: Sheet, lookups: Lookups) -> list[str]:
    """Every column known, the key among them; returns the columns that are left alone, which are those of stock."""
    known = [*columns(lookups)]
    if "sku" not in sheet.columns:
        words = _("There is no column “sku”, which says what each row is about. The columns are: %(names)s.")
        raise Unreadable(words % {"names": ", ".join(sheet.columns[:12])})
    unknown = [name for name in sheet.columns if name not in known and name not in STOCK]
    if unknown:
        raise Unreadable(" ".join(_unknown(name, known) for name in unknown[:10]))
    return [name for name in sheet.columns if name in STOCK and name not in known]


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return _("There is no column “%(name)s”; perhaps “%(near)s” is meant.") % {"name": name, "near": near[0]}
    return _("There is no column “%(name)s”. Delete it, or name it as in the template.") % {"name": name}
