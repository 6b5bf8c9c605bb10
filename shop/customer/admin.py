"""Customers and staff in the admin. Who works here is a superuser's business: nobody else may touch a staff account,
a group or a password, or selling rights would be a way to all rights."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from integrations.hub.admin_pages import StaffAdmin, act, badge, too_late
from shop.customer.models import User
from shop.order.admin import status_badge
from shop.order.models import Order

ORDERS_SHOWN = 20
ALLOW = ["customer.allow_on_account"]

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin, StaffAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("person", "phone", "kind", "on_account", "orders", "date_joined", "is_active")
    list_filter = ("is_staff", "may_buy_on_account", "is_active", "groups")
    search_fields = ("email", "name", "phone")
    search_help_text = gettext_lazy("E-mail, name or phone")
    ordering = ("-date_joined", "-pk")
    actions_detail = ("allow_on_account", "stop_on_account")
    readonly_fields = ("on_account", "last_login", "date_joined")
    change_form_after_template = "admin/customer/user/orders.html"
    person_fields = (
        gettext_lazy("The person"),
        {"fields": ("email", "name", "phone", "language", "time_zone", "on_account", "is_active", "date_joined")},
    )
    staff_fields = (
        gettext_lazy("Staff"),
        {"fields": ("password", "is_staff", "is_superuser", "groups", "last_login")},
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "is_staff", "groups", "usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        counted = (
            Order.objects.filter(user=OuterRef("pk")).order_by().values("user").annotate(n=Count("pk")).values("n")
        )
        return super().get_queryset(request).annotate(
            ordered=Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        return (self.person_fields, self.staff_fields) if request.user.is_superuser else (self.person_fields,)

    # --- columns ---

    @display(description=gettext_lazy("person"), ordering="email")
    def person(self, user: User) -> str:
        return format_html('{}<span class="weft-second">{}</span>', user, user.email or "")

    @display(description=gettext_lazy("kind"), ordering="is_staff")
    def kind(self, user: User) -> str:
        return badge(_("staff"), "info") if user.is_staff else _("customer")

    @display(description=gettext_lazy("may buy on account"), ordering="may_buy_on_account")
    def on_account(self, user: User) -> str:
        return badge(_("yes"), "success") if user.may_buy_on_account else _("no")

    @display(description=gettext_lazy("orders"), ordering="ordered")
    def orders(self, user: Any) -> str:
        link = f"{reverse('admin:order_order_changelist')}?user__id__exact={user.pk}"
        return format_html('<a href="{}">{}</a>', link, user.ordered) if user.ordered else "0"

    # --- rights ---

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and (obj.is_staff or obj.is_superuser) and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        user = self.get_object(request, unquote(object_id))
        sees = user is not None and request.user.has_perm("order.view_order")
        latest = Order.objects.filter(user=user).order_by("-date_placed")[:ORDERS_SHOWN] if sees else ()
        orders = [(order, status_badge(order)) for order in latest]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "orders": orders})

    # --- actions ---

    def offers(self, action: str, obj: User) -> bool:
        return obj.may_buy_on_account == (action == "stop_on_account")

    @action(description=gettext_lazy("Let buy on account"), url_path="allow-on-account", icon="credit_score",
            permissions=ALLOW)  # fmt: skip
    def allow_on_account(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explain = [_("Orders on account are accepted, reserved and shipped without payment first.")]
        return self._set_on_account(request, object_id, True, title=_("Let buy on account"), button=_("Allow"),
                                    explain=explain)  # fmt: skip

    @action(description=gettext_lazy("No more on account"), url_path="stop-on-account", icon="credit_card_off",
            permissions=ALLOW)  # fmt: skip
    def stop_on_account(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explain = [_("New orders have to be paid first. Orders that were placed stay as they are.")]
        return self._set_on_account(request, object_id, False, title=_("No more on account"), button=_("Stop"),
                                    explain=explain)  # fmt: skip

    def _set_on_account(self, request: HttpRequest, object_id: str, allowed: bool, **page: Any) -> HttpResponse:
        user = self.wanted(request, object_id)
        if user.may_buy_on_account == allowed:
            return too_late(self, request, user)

        def do(_data: dict[str, Any]) -> str:
            User.objects.filter(pk=user.pk).update(may_buy_on_account=allowed)
            return _("May buy on account.") if allowed else _("May not buy on account any more.")

        return act(self, request, user, do, **page)
