"""What a kit is made of, on its product's page: a table of SKUs and numbers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from shop.catalogue import facts
from shop.catalogue.models import Product
from shop.partner.models import StockRecord
from shop.partner.strategy import offer_of
from shop.pricing.templatetags.prices import money
from shop.stock.models import KitPart, Pool
from shop.stock.offered import Offered

CHANGE = "catalogue.change_product"


class KitPartForm(forms.ModelForm):
    """A part is named by its SKU."""

    sku = forms.CharField(label=gettext_lazy("SKU of the part"), max_length=64, widget=UnfoldAdminTextInputWidget())

    quantity = forms.IntegerField(
        label=gettext_lazy("Units in each kit"), min_value=1, initial=1, widget=UnfoldAdminIntegerFieldWidget()
    )

    class Meta:
        model = KitPart
        fields = ("quantity",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["sku"] = self.instance.part.partner_sku

    def clean_sku(self) -> str:
        """As the catalogue spells it."""
        found = StockRecord.objects.filter(partner_sku__iexact=self.cleaned_data["sku"].strip()).first()
        if found is None:
            raise ValidationError(_("No product has this SKU."))
        if KitPart.objects.filter(kit=found.product_id).exists() or found.product_id == self.kit_id:
            raise ValidationError(_("This is a kit itself: kits are made of single goods only."))
        self.instance.part = found
        return found.partner_sku

    @property
    def kit_id(self) -> int | None:
        return self.instance.kit_id


class KitFormSet(BaseInlineFormSet):
    """All parts of one kit. What has stock of its own cannot become one, nor what is part of another kit."""

    def get_queryset(self) -> Any:
        """With what of each part is offered, in one query for all."""
        known = hasattr(self, "_queryset")
        found = super().get_queryset()
        if not known:
            offers = {offer.pk: offer for offer in Offered.objects.filter(record__in=[part.part_id for part in found])}
            facts.name_variants(part.part.product for part in found)
            for part in found:
                part.part.offer = offers[part.part_id]
        return found

    def clean(self) -> None:
        super().clean()
        wanted = [form for form in self.forms if self._is_wanted(form)]
        if not wanted:
            return
        skus = [form.cleaned_data["sku"].upper() for form in wanted]
        if len(set(skus)) < len(skus):
            raise ValidationError(_("A part stands here twice. Give it once, with the number of units."))
        if self.instance.pk:
            _refuse(self.instance)

    def _is_wanted(self, form: Any) -> bool:
        return form.is_valid() and "sku" in form.cleaned_data and not form.cleaned_data.get("DELETE")


def _refuse(product: Product) -> None:
    record = StockRecord.objects.filter(product=product).first()
    if record is None:
        return
    if Pool.objects.filter(sku__iexact=record.partner_sku).exists():
        words = _("%(sku)s has stock of its own. Make a new product for the kit, with a SKU of its own.")
        raise ValidationError(words % {"sku": record.partner_sku})
    if KitPart.objects.filter(part=record).exists():
        words = _("%(sku)s is part of a kit, and so cannot be one.")
        raise ValidationError(words % {"sku": record.partner_sku})


class KitInline(TabularInline):
    """Empty for most products. With a part in it the product is a kit: it has no stock of its own any more."""

    model = KitPart
    fk_name = "kit"
    form = KitPartForm
    formset = KitFormSet
    fields = ("sku", "quantity", "title", "price", "free")
    readonly_fields = ("title", "price", "free")
    hide_title = True
    extra = 0
    verbose_name = gettext_lazy("part")
    verbose_name_plural = gettext_lazy("kit: the parts it is made of, empty for single goods")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("part__product__parent").order_by("pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalogue.view_product")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(CHANGE)

    has_change_permission = has_delete_permission = has_add_permission

    @display(description=gettext_lazy("title"))
    def title(self, part: KitPart) -> str:
        return part.part.product.get_title() if part.pk else "–"

    @display(description=gettext_lazy("price by itself"))
    def price(self, part: KitPart) -> str:
        priced = part.pk and part.part.price is not None
        return money(part.part.price, part.part.price_currency) if priced else "–"

    @display(description=gettext_lazy("free units"))
    def free(self, part: KitPart) -> str:
        return format_html("{}", offer_of(part.part).free) if part.pk else "–"
