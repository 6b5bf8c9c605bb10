"""What staff do to several products of the list at once. Each asks first, and says of how many it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.hub.desk.admin_pages import Confirm, StaffAdmin
from shop.catalogue import history
from shop.catalogue.admin_forms import CategoryChoice
from shop.catalogue.models import Category, Product, ProductCategory
from shop.catalogue.touch import lock, touched
from shop.pricing.models import TaxClass

Do = Callable[[list[int], dict[str, Any]], str]


class InCategory(Confirm):
    category = CategoryChoice(
        label=gettext_lazy("category"), queryset=Category.objects.order_by("path"), widget=UnfoldAdminSelectWidget()
    )


class WithTax(Confirm):
    tax_class = forms.ModelChoiceField(
        label=gettext_lazy("tax class"), queryset=TaxClass.objects.all(), widget=UnfoldAdminSelectWidget()
    )


class BulkActions(StaffAdmin):
    actions = ("publish", "hide", "add_to_category", "remove_from_category", "set_tax_class")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django shows the list again to who may not do what was posted; here that is an answer of its own: 403."""
        if request.POST.get("action") in self.actions and not self.has_change_permission(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    @admin.action(description=gettext_lazy("Make public"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        return self._ask(request, queryset, _set(is_public=True), title=_("Make public"), button=_("Make public"))

    @admin.action(description=gettext_lazy("Hide"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        explain = _("Customers do not find them any more, and what lies in baskets cannot be ordered.")
        return self._ask(
            request, queryset, _set(is_public=False), title=_("Hide"), button=_("Hide"), explain=explain, danger=True
        )

    @admin.action(description=gettext_lazy("Add to a category"), permissions=["change"])
    def add_to_category(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        title = _("Add to a category")
        return self._ask(request, queryset, _add_to_category, title=title, button=_("Add"), form=InCategory)

    @admin.action(description=gettext_lazy("Remove from a category"), permissions=["change"])
    def remove_from_category(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        title, explain = _("Remove from a category"), _("From this one only; categories below it are left as they are.")
        return self._ask(
            request, queryset, _remove_from_category, title=title, button=_("Remove"), form=InCategory, explain=explain
        )

    @admin.action(description=gettext_lazy("Set the tax class"), permissions=["change"])
    def set_tax_class(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        title, explain = _("Set the tax class"), _("Orders that were placed keep the tax they were placed with.")
        return self._ask(request, queryset, _set(), title=title, button=_("Set"), form=WithTax, explain=explain)

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[Product],
        do: Do,
        *,
        title: str,
        button: str,
        form: type[forms.Form] = Confirm,
        explain: str = "",
        danger: bool = False,
    ) -> HttpResponse | None:
        """The page that asks; posted again with the number it named, it is done. None: back to the list."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True))
        filled = form(request.POST) if "confirmed" in request.POST else form()
        if filled.is_bound and request.POST["confirmed"] != str(len(keys)):
            messages.warning(request, _("Their number has changed meanwhile. Nothing was done yet; look again."))
        elif filled.is_bound and filled.is_valid():
            with transaction.atomic(durable=True):
                lock(keys)
                said = do(keys, filled.cleaned_data)
                names = Product.objects.filter(pk__in=keys).values_list("pk", "title")
                history.note(request.user.pk, names, f"{title}: {said}")
            messages.success(request, said)
            return None
        page = {
            "form": filled, "title": title, "button": button, "explain": explain, "danger": danger, "number": len(keys),
            "posted": [(name, request.POST.get(name, "")) for name in ("action", "select_across")],
            "selected": [(ACTION_CHECKBOX_NAME, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)],
        }  # fmt: skip
        context = {**self.admin_site.each_context(request), "title": title, "bulk": page, "opts": self.opts}
        return TemplateResponse(request, "admin/catalogue/product/bulk.html", context)


def _set(**fixed: Any) -> Do:
    """Set these columns, or those the form brings."""

    def do(keys: list[int], data: dict[str, Any]) -> str:
        wanted = fixed or data
        changed = list(Product.objects.filter(pk__in=keys).exclude(**wanted).values_list("pk", flat=True))
        Product.objects.filter(pk__in=changed).update(**wanted)
        touched(changed)
        return _changed(len(changed), len(keys))

    return do


def _add_to_category(keys: list[int], data: dict[str, Any]) -> str:
    own = Product.objects.filter(pk__in=keys, parent=None)  # a variant hangs where its product hangs
    missing = list(own.exclude(categories=data["category"]).values_list("pk", flat=True))
    links = (ProductCategory(product_id=key, category=data["category"]) for key in missing)
    ProductCategory.objects.bulk_create(links, ignore_conflicts=True)
    touched(missing)
    return _changed(len(missing), len(keys))


def _remove_from_category(keys: list[int], data: dict[str, Any]) -> str:
    links = ProductCategory.objects.filter(product__in=keys, category=data["category"])
    there = list(links.values_list("product", flat=True))
    links.delete()
    touched(there)
    return _changed(len(there), len(keys))


def _changed(number: int, of: int) -> str:
    words = ngettext("%(n)d product changed.", "%(n)d products changed.", number) % {"n": number}
    if number == of:
        return words
    left = ngettext("%(n)d was so already.", "%(n)d were so already.", of - number) % {"n": of - number}
    return f"{words} {left}"
