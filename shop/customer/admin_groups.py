"""Groups of staff in the admin: their rights in the reader's language, only those that a page or an action asks for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from integrations.hub.desk.admin_pages import StaffAdmin
from shop.customer.groups import GROUPS

VERBS: dict[str, Any] = {
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
    "view": gettext_lazy("view"),
}
NAMES: dict[str, Any] = {
    "sales": gettext_lazy("Sales"),
    "warehouse": gettext_lazy("Warehouse"),
    "finance": gettext_lazy("Finance"),
    "catalogue": gettext_lazy("Catalogue"),
    "integrations": gettext_lazy("Integrations"),
    "auditor": gettext_lazy("Auditor"),
}


def thing(permission: Permission) -> str:
    """What the right is about."""
    try:
        model = apps.get_model(permission.content_type.app_label, permission.content_type.model)
    except LookupError:
        return permission.content_type.model
    return str(model._meta.verbose_name_plural)


def label(permission: Permission) -> str:
    """The right in the reader's language: `Orders: view`, or the words of a named right."""
    verb, _underscore, rest = permission.codename.partition("_")
    if verb in VERBS and rest == permission.content_type.model:
        return f"{thing(permission)}: {VERBS[verb]}"
    return f"{thing(permission)}: {_(permission.name)}"


class RightsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return label(obj)


def asked_for() -> QuerySet[Permission]:
    """The rights that mean something here: what any seeded group has, or a group was given since."""
    given = Q(group__isnull=False)
    for name in {right for rights in GROUPS.values() for right in rights}:
        app, _dot, codename = name.partition(".")
        given |= Q(content_type__app_label=app, codename=codename)
    rows = Permission.objects.filter(given).select_related("content_type").distinct()
    return rows.order_by("content_type__app_label", "content_type__model", "codename")


def group_name(group: Group) -> str:
    """The group's name in the reader's language."""
    return str(NAMES.get(group.name, group.name))


class GroupsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return group_name(obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, StaffAdmin):
    list_display = ("shown_name", "members", "rights")
    fields: Any = ("name", "permissions")
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(
            people=Count("user", distinct=True), granted=Count("permissions", distinct=True)
        )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """The seeded ones stay: services and docs speak of them."""
        return bool(request.user.is_superuser) and obj is not None and obj.name not in GROUPS

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return ("name", "permissions" if self.has_change_permission(request, obj) else "shown_rights")

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return ("shown_rights",)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "permissions":
            kwargs |= {
                "form_class": RightsField, "queryset": asked_for(), "widget": UnfoldAdminCheckboxSelectMultipleWidget(),
                "help_text": "",
            }  # fmt: skip
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description=gettext_lazy("group"), ordering="name")
    def shown_name(self, group: Group) -> str:
        if group.name not in NAMES:
            return group.name
        return format_html('{}<span class="weft-second">{}</span>', NAMES[group.name], group.name)

    @display(description=gettext_lazy("members"), ordering="people")
    def members(self, group: Any) -> int:
        return group.people

    @display(description=gettext_lazy("rights"), ordering="granted")
    def rights(self, group: Any) -> int:
        return group.granted

    @display(description=gettext_lazy("rights"))
    def shown_rights(self, group: Group) -> str:
        rows = group.permissions.select_related("content_type").order_by("content_type__app_label", "codename")
        return format_html_join("", "<p>{}</p>", ((label(permission),) for permission in rows)) or "–"
