"""Variants on the page of their product: a table to edit them in, and a page that offers all combinations of chosen
values."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.forms import formset_factory
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import PaginationInlineFormSet

from integrations.hub.desk.admin_pages import StaffAdmin
from shop.catalogue import attributes, combinations
from shop.catalogue.admin_forms import (
    PREFIX,
    AttributedForm,
    asking,
)
from shop.catalogue.admin_prices import PricedForm
from shop.catalogue.admin_variant_forms import VariantRow, VariantRows, choose_form
from shop.catalogue.models import Product, ProductAttribute
from shop.catalogue.records import plain_price, record_of, usual_partner
from shop.partner.models import StockRecord
from shop.partner.strategy import attach_records, free_units
from shop.pricing.templatetags.prices import money

CHANGE = ["catalogue.add_product", "partner.add_stockrecord"]
EDIT = "partner.change_stockrecord"


class VariantForm(PricedForm, AttributedForm):
    """One row of the table. Its currency and supplier are those of its stock record, or the family's."""

    class Meta:
        model = Product
        fields = ("is_public",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["price_currency"], self.fields["partner"]
        self.instance.structure = Product.CHILD
        self.fields["sku"].required = self.record is None
        if "is_public" in self.fields:
            self.fields["is_public"].label = _("Public")
            self.fields["is_public"].help_text = ""

    def _post_clean(self) -> None:
        """A row nobody touched is not checked again: that would ask the database for each."""
        if self.has_changed():
            super()._post_clean()

    @property
    def usual_currency(self) -> str:
        first = getattr(self, "family", None)
        return self.record.price_currency if self.record else first.price_currency if first else super().usual_currency

    def save(self, commit: bool = True) -> Product:
        child = self.instance
        if not child.slug:
            child.slug = combinations.slug(child.parent, self.cleaned_data["sku"])
        super().save(commit)
        family: StockRecord | None = getattr(self, "family", None)
        self.save_record(child, partner=family.partner if family else None)
        self.write_attributes(child)
        return child


class VariantFormSet(PaginationInlineFormSet):
    """All variants, with their stock records and figures in one query for all."""

    def get_queryset(self) -> QuerySet[Product]:
        known = hasattr(self, "_queryset")
        found = super().get_queryset()
        if not known:
            attach_records(found)
        return found

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.parent = self.instance
        form.family = next((child.record for child in self.get_queryset() if child.record), None)
        return form

    def clean(self) -> None:
        super().clean()
        skus: set[str] = set()
        combinations: set[tuple[str, ...]] = set()
        for form in self.forms:
            if form.is_valid() and (form.instance.pk or form.has_changed()):
                _claim(form, "sku", form.cleaned_data["sku"].upper(), skus)
                values = tuple(str(value) for value in form.chosen().values())
                if any(value not in ("None", "[]") for value in values):
                    _claim(form, None, values, combinations)


def _claim(form: Any, field: str | None, value: Any, claimed: set[Any]) -> None:
    """A SKU or a combination that a row above has already is an error of this one."""
    if value in claimed:
        words = _("Another row has this SKU already.") if field else _("Another variant has the same values already.")
        form.add_error(field, words)
        raise ValidationError(words)
    claimed.add(value)


class VariantInline(TabularInline):
    model = Product
    fk_name = "parent"
    formset = VariantFormSet
    form = VariantForm
    readonly_fields = ("shown_sku", "shown_values", "shown_price", "stock", "page")
    hide_title = True
    can_delete = False
    extra = 0
    verbose_name = gettext_lazy("variant")
    verbose_name_plural = gettext_lazy("variants")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        found = super().get_queryset(request).defer("search").select_related("parent").order_by("pk")
        return found.prefetch_related(attributes.stored())

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        if not self._edits(request):
            return ["shown_sku", "shown_values", "shown_price", "is_public", "stock"]
        return ["sku", *(PREFIX + a.code for a in _told_apart_by(request, obj)), "price", "is_public", "stock", "page"]

    def get_formset(self, request: HttpRequest, obj: Product | None = None, **kwargs: Any) -> Any:
        if self._edits(request):
            kwargs["form"] = asking(VariantForm, _told_apart_by(request, obj), required=True)
        return super().get_formset(request, obj, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return super().has_change_permission(request, obj) and request.user.has_perm(EDIT)

    def has_add_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return all(request.user.has_perm(permission) for permission in CHANGE)

    def _edits(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    @display(description=gettext_lazy("SKU"))
    def shown_sku(self, child: Product) -> str:
        record = record_of(child)
        return record.partner_sku if record else "–"

    @display(description=gettext_lazy("attributes"))
    def shown_values(self, child: Product) -> str:
        return format_html_join(", ", "{}: {}", attributes.shown(child)) or "–"

    @display(description=gettext_lazy("price"))
    def shown_price(self, child: Product) -> str:
        record = record_of(child)
        return money(plain_price(record), record.price_currency) if record and record.price is not None else "–"

    @display(description=gettext_lazy("free units"))
    def stock(self, child: Product) -> str:
        record = record_of(child) if child.pk else None
        if record is None:
            return "–"
        link = reverse("admin:stock_pool_change", args=[quote(record.partner_sku)])
        return format_html('<a href="{}">{}</a>', link, free_units(record))

    @display(description="")
    def page(self, child: Product) -> str:
        if not child.pk:
            return ""
        link = reverse("admin:catalogue_product_change", args=[child.pk])
        return format_html('<a href="{}">{}</a>', link, _("page"))


def _told_apart_by(request: HttpRequest, parent: Product | None) -> list[ProductAttribute]:
    """Looked up once per request."""
    kept = request.__dict__.setdefault("_weft_told_apart_by", {})
    key = parent.pk if parent else None
    if key not in kept:
        kept[key] = combinations.told_apart_by(parent) if parent else []
    return kept[key]


class VariantActions(StaffAdmin):
    """The page of combinations: what is chosen stands in the address, what is made is posted."""

    @action(description=gettext_lazy("Add variants"), url_path="add-variants", icon="add_box", permissions=CHANGE,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def add_variants(self, request: HttpRequest, object_id: str) -> HttpResponse:
        parent = self.wanted(request, object_id)
        if not parent.is_parent:
            raise Http404
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        choose = choose_form(combinations.offered(parent), request.GET or None)
        chosen = choose.chosen() if choose.is_bound and choose.is_valid() else {}
        offers = combinations.combinations(parent, chosen) if chosen else []
        rows = _rows(request, parent, [offer for offer in offers if not offer.is_there])
        if request.method == "POST" and rows.is_valid() and (made := _make(request, parent, offers, rows)):
            words = ngettext("%(n)d variant added.", "%(n)d variants added.", made) % {"n": made}
            self.log_change(request, parent, words)
            messages.success(request, words)
            return HttpResponseRedirect(self.address(parent))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add variants"),
            "subtitle": str(parent),
            "choose": choose,
            "there": [offer for offer in offers if offer.is_there],
            "rows": rows,
            "offered": bool(offers),
            "back": self.address(parent),
            "types": reverse("admin:catalogue_productclass_change", args=[parent.product_class_id]),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/catalogue/product/variants.html", context)


def _beside(parent: Product) -> StockRecord | None:
    """The stock record new variants take supplier, currency and price after."""
    return StockRecord.objects.filter(product__parent=parent).select_related("partner").order_by("pk").first()


def _rows(request: HttpRequest, parent: Product, new: list[combinations.Combination]) -> Any:
    beside = _beside(parent)
    currency = beside.price_currency if beside else settings.OSCAR_DEFAULT_CURRENCY
    factory = formset_factory(VariantRow, formset=VariantRows, extra=0, max_num=combinations.MOST, validate_max=True)
    if request.method == "POST":
        return factory(request.POST, form_kwargs={"currency": currency})
    used = StockRecord.objects.values_list("partner_sku", flat=True)
    skus = combinations.suggestions(parent, new, set(used) if new else ())
    first = {"use": True, "price": plain_price(beside) if beside else None}
    initial = [
        {**first, "key": offer.key, "sku": sku, "words": offer.words} for offer, sku in zip(new, skus, strict=True)
    ]
    return factory(initial=initial, form_kwargs={"currency": currency})


def _make(request: HttpRequest, parent: Product, offers: list[combinations.Combination], rows: Any) -> int:
    """How many were made; none with the reason said."""
    known = {offer.key: dict(offer.values) for offer in offers if not offer.is_there}
    beside = _beside(parent)
    partner = beside.partner if beside else usual_partner()
    currency = beside.price_currency if beside else settings.OSCAR_DEFAULT_CURRENCY
    used = [row for row in rows.cleaned_data if row.get("use")]
    if not used:
        refusal = _("Tick at least one variant.")
    elif partner is None:
        refusal = _("There is no supplier yet. Make one first: every SKU comes from one.")
    elif any(row["key"] not in known for row in used):
        refusal = _("Somebody added some of these meanwhile. Nothing was added; choose again.")
    else:
        wanted = [combinations.Wanted(row["sku"], row["price"], currency, known[row["key"]]) for row in used]
        try:
            return len(combinations.make(parent, wanted, partner))
        except IntegrityError:
            refusal = _("One of these SKUs was taken a moment ago. Nothing was added.")
    messages.error(request, refusal)
    return 0
