"""The catalogue in the admin. Products, categories, types and files have modules of their own beside this one."""

from __future__ import annotations

from django.contrib import admin

from integrations.hub.admin_pages import StaffAdmin
from shop.catalogue import admin_categories, admin_files, admin_products, admin_types  # noqa: F401  (they register)
from shop.partner.models import Partner


@admin.register(Partner)
class PartnerAdmin(StaffAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")
    fields = ("name", "code")
