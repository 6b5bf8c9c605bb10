"""The catalogue in the admin. Products, categories, types and files have modules of their own beside this one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub.desk.admin_pages import StaffAdmin
from shop.catalogue import admin_categories, admin_files, admin_products, admin_types  # noqa: F401  (they register)
from shop.partner.models import Partner


class PartnerForm(forms.ModelForm):
    """The code is chosen once: files know the supplier by it. (Oscar would make one of the name, and of a Chinese name
    one that nobody can read.)"""

    chosen_code = forms.SlugField(
        label=gettext_lazy("code"),
        max_length=128,
        help_text=gettext_lazy("Latin letters, digits and -; files know the supplier by it. It does not change."),
        widget=UnfoldAdminTextInputWidget(),
    )

    class Meta:
        model = Partner
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = True

    def clean_chosen_code(self) -> str:
        code = str(self.cleaned_data["chosen_code"])
        if Partner.objects.filter(code__iexact=code).exists():
            raise ValidationError(_("Another supplier has this code."))
        self.instance.code = code
        return code


@admin.register(Partner)
class PartnerAdmin(StaffAdmin):
    form = PartnerForm
    list_display = ("name", "code")
    search_fields = ("name", "code")
    readonly_fields = ("code",)

    def get_fields(self, request: HttpRequest, obj: Partner | None = None) -> tuple[str, ...]:
        return ("name", "code") if obj else ("name", "chosen_code")

    def get_form(self, request: HttpRequest, obj: Partner | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({"form": forms.ModelForm} if obj else {}), **kwargs)
