"""Types of products: what is asked of each product of a type, and the lists of options some of it is chosen from.

What products already use stays: an attribute's kind and list, an option that is somebody's value.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from integrations.hub.desk.admin_pages import StaffAdmin
from shop.catalogue import attributes
from shop.catalogue.models import (
    AttributeOption,
    AttributeOptionGroup,
    ProductAttribute,
    ProductAttributeValue,
    ProductClass,
)

SEPARATOR = "|"  # between several values in a file's cell


class NamedForm(forms.ModelForm):
    """Names in both languages: the Chinese one is needed, English falls back to it."""

    named = "name"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for end, words in (("zh_hans", _("Name (中文)")), ("en", _("Name (English)"))):
            if f"{self.named}_{end}" in self.fields:
                self.fields[f"{self.named}_{end}"].label = words
        if f"{self.named}_zh_hans" in self.fields:
            self.fields[f"{self.named}_zh_hans"].required = True


class AttributeForm(NamedForm):
    class Meta:
        model = ProductAttribute
        fields = ("name_zh_hans", "name_en", "code", "type", "option_group", "required")

    FIXED = ("code", "type", "option_group")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "type" in self.fields:
            kinds = dict(ProductAttribute.TYPE_CHOICES)
            known = [*attributes.KINDS, *({self.instance.type} - set(attributes.KINDS) if self.instance.pk else ())]
            self.fields["type"].choices = [(kind, kinds[kind]) for kind in known]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        lists = data.get("type") in ("option", "multi_option")
        if lists and not data.get("option_group"):
            self.add_error("option_group", _("Choose the list its values are chosen from."))
        if data.get("type") and not lists and data.get("option_group"):
            self.add_error("option_group", _("Only values that are chosen have a list."))
        self._refuse_changes(data)
        return data

    def _refuse_changes(self, data: dict[str, Any]) -> None:
        """What its values and files were written with stays as long as there are values."""
        changed = [name for name in self.FIXED if name in self.changed_data and name in data]
        used = self.instance.productattributevalue_set.count() if self.instance.pk and changed else 0
        for name in changed if used else ():
            self.add_error(name, _in_use(used, _("Make a new attribute instead.")))


def _in_use(number: int, then: str) -> str:
    words = ngettext("%(n)d product has a value of it.", "%(n)d products have a value of it.", number)
    return f"{words % {'n': number}} {then}"


class KeepUsed(PaginationInlineFormSet):
    """What products have values of is not deleted with a tick."""

    def used(self, keys: list[int]) -> Counter[int]:
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        gone = [form for form in self.deleted_forms if form.instance.pk]
        used = self.used([form.instance.pk for form in gone]) if gone else {}
        for form in gone:
            if number := used.get(form.instance.pk):
                words = _in_use(number, _("It cannot be deleted; empty these values first."))
                raise ValidationError(f"{form.instance}: {words}")


class AttributeFormSet(KeepUsed):
    def used(self, keys: list[int]) -> Counter[int]:
        rows = ProductAttributeValue.objects.filter(attribute__in=keys).values_list("attribute")
        return Counter(dict(rows.annotate(n=Count("pk")).order_by()))


class OptionFormSet(KeepUsed):
    def used(self, keys: list[int]) -> Counter[int]:
        rows = ProductAttributeValue.objects
        one = rows.filter(value_option__in=keys).values_list("value_option")
        several = rows.filter(value_multi_option__in=keys).values_list("value_multi_option")
        return Counter(dict(one.annotate(n=Count("pk")).order_by())) + Counter(
            dict(several.annotate(n=Count("pk")).order_by())
        )


class AttributeInline(TabularInline):
    model = ProductAttribute
    form = AttributeForm
    formset = AttributeFormSet
    fields = ("name_zh_hans", "name_en", "code", "type", "option_group", "required")
    hide_title = True
    extra = 0
    verbose_name_plural = gettext_lazy("What is asked of each product")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "option_group" and field is not None:
            field.widget = field.widget.widget  # its choices once for all rows, and no buttons beside them
            field.choices = [("", "–"), *((group.pk, str(group)) for group in _groups(request))]
        return field


def _groups(request: HttpRequest) -> list[AttributeOptionGroup]:
    """Looked up once per request, not for each row."""
    kept = request.__dict__.setdefault("_weft_option_groups", [])
    if not kept:
        kept.extend(AttributeOptionGroup.objects.order_by("pk"))
    return kept


@admin.register(ProductClass)
class ProductClassAdmin(StaffAdmin):
    form = NamedForm
    compressed_fields = False
    inlines = (AttributeInline,)
    list_display = ("shown_name", "asked", "sold", "requires_shipping")
    search_fields = ("name_zh_hans", "name_en")
    fields = (("name_zh_hans", "name_en"), ("requires_shipping", "track_stock"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductClass]:
        asked = Count("attributes", distinct=True)
        return super().get_queryset(request).annotate(n=asked, sold=Count("products", distinct=True))

    @display(description=gettext_lazy("name"), ordering="name")
    def shown_name(self, kind: ProductClass) -> str:
        return _both(kind.name_zh_hans or kind.name, kind.name_en)

    @display(description=gettext_lazy("attributes"), ordering="n")
    def asked(self, kind: Any) -> int:
        return kind.n

    @display(description=gettext_lazy("products"), ordering="sold")
    def sold(self, kind: Any) -> int:
        return kind.sold


class OptionForm(NamedForm):
    named = "option"

    class Meta:
        model = AttributeOption
        fields = ("option_zh_hans", "option_en", "code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "code" in self.fields:
            self.fields["code"].label = _("Word in files and SKUs")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("option_zh_hans", "option_en", "code"):
            if SEPARATOR in str(data.get(name) or ""):
                self.add_error(name, _("“|” stands between values in files; leave it out."))
        return data


class OptionInline(TabularInline):
    model = AttributeOption
    form = OptionForm
    formset = OptionFormSet
    fields = ("option_zh_hans", "option_en", "code")
    hide_title = True
    extra = 0
    verbose_name_plural = gettext_lazy("What can be chosen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttributeOption]:
        return super().get_queryset(request).order_by("pk")


@admin.register(AttributeOptionGroup)
class OptionGroupAdmin(StaffAdmin):
    form = NamedForm
    compressed_fields = False
    inlines = (OptionInline,)
    list_display = ("shown_name", "number", "users")
    search_fields = ("name_zh_hans", "name_en")
    ordering = ("pk",)
    fields = (("name_zh_hans", "name_en"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttributeOptionGroup]:
        attributes_ = Count("product_attributes", distinct=True)
        return super().get_queryset(request).annotate(n=Count("options", distinct=True), used=attributes_)

    @display(description=gettext_lazy("name"), ordering="name")
    def shown_name(self, group: AttributeOptionGroup) -> str:
        return _both(group.name_zh_hans or group.name, group.name_en)

    @display(description=gettext_lazy("options"), ordering="n")
    def number(self, group: Any) -> int:
        return group.n

    @display(description=gettext_lazy("attributes"), ordering="used")
    def users(self, group: Any) -> int:
        return group.used


def _both(first: str, second: str | None) -> str:
    return format_html('{}<span class="weft-second">{}</span>', first, second or "")
