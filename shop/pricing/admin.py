from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.desk.admin_pages import StaffAdmin
from shop.pricing.models import TaxClass


@admin.register(TaxClass)
class TaxClassAdmin(StaffAdmin):
    list_display = ("name", "code", "percent")
    search_fields = ("name", "code")
    fields = ("code", "name", "rate")

    @display(description=gettext_lazy("rate"), ordering="rate")
    def percent(self, tax_class: TaxClass) -> str:
        return f"{(tax_class.rate * 100).normalize():f} %"

    def get_readonly_fields(self, request: HttpRequest, obj: TaxClass | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()  # ERPs and old orders know it by its code
