"""Customers and staff in the admin. Who works here is a superuser's business: nobody else may touch a staff account,
a group or a password, or selling rights would be a way to all rights."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from integrations.hub.desk.admin_pages import StaffAdmin, act, badge, too_late
from integrations.hub.files import exports
from shop.customer import finding
from shop.customer.admin_groups import GroupsField
from shop.customer.forms import zone_choices
from shop.customer.models import User
from shop.order.admin_page import status_badge
from shop.order.models import Order, PaymentMethod, Status

ORDERS_SHOWN = 20
ALLOW = ["customer.allow_on_account"]

# Orders that came to nothing: they are counted, but nobody bought anything by them.
CAME_TO_NOTHING = (Status.CANCELLED, Status.EXPIRED)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, StaffAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("person", "phone", "kind", "on_account", "orders", "last_seen", "date_joined", "is_active")
    list_filter = ("is_staff", "may_buy_on_account", "is_active", "groups", "date_joined")
    search_fields = ("email",)  # shows the box; see `finding.users`
    search_help_text = gettext_lazy("E-mail, name or phone")
    ordering = ("-date_joined", "-pk")
    filter_horizontal = ()
    actions_detail = ("allow_on_account", "stop_on_account")
    readonly_fields = ("on_account", "last_login", "date_joined")
    change_form_after_template = "admin/customer/user/orders.html"
    export_permission = "customer.export_personal"
    exported = (
        exports.text(gettext_lazy("name"), lambda user: user.name),
        exports.text(gettext_lazy("e-mail"), lambda user: user.email),
        exports.text(gettext_lazy("phone"), lambda user: user.phone),
        exports.text(gettext_lazy("language"), lambda user: user.language),
        exports.text(gettext_lazy("staff"), lambda user: user.is_staff),
        exports.text(gettext_lazy("may buy on account"), lambda user: user.may_buy_on_account),
        exports.text(gettext_lazy("orders"), lambda user: user.ordered),
        exports.text(gettext_lazy("active"), lambda user: user.is_active),
        exports.time(gettext_lazy("joined"), lambda user: user.date_joined),
        exports.time(gettext_lazy("last login"), lambda user: user.last_login),
    )
    person_fields = (
        gettext_lazy("The person"),
        {"fields": ("email", "name", "phone", "language", "time_zone", "on_account", "is_active", "date_joined",
                    "last_login")},
    )  # fmt: skip
    staff_fields = (
        gettext_lazy("Staff"),
        {"fields": ("password", "is_staff", "is_superuser", "groups")},
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

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {
                "form_class": GroupsField, "queryset": Group.objects.order_by("name"), "help_text": "",
                "widget": UnfoldAdminCheckboxSelectMultipleWidget(),
            }  # fmt: skip
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Language and time zone are chosen, not typed."""
        choices = {"language": [("", "–"), *settings.LANGUAGES], "time_zone": zone_choices()}.get(db_field.name)
        if choices is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ChoiceField(
            label=db_field.verbose_name, required=False, choices=choices, widget=UnfoldAdminSelectWidget()
        )

    def found(self, text: str) -> QuerySet[User]:
        return finding.users(text)

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

    @display(description=gettext_lazy("last login"), ordering="last_login")
    def last_seen(self, user: User) -> str:
        return date_format(timezone.localtime(user.last_login), "Y-m-d H:i") if user.last_login else "–"

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
        shown = bought(user) if user is not None and sees else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

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


def bought(user: User) -> dict[str, Any]:
    """A customer's latest orders, and what they come to: for each currency by itself, never across."""
    orders = Order.objects.filter(user=user)
    stands = ~Q(status__in=CAME_TO_NOTHING)
    owed = stands & Q(payment_method=PaymentMethod.ON_ACCOUNT, paid_at=None)
    sums = orders.order_by("currency").values("currency").annotate(
        count=Count("pk"),
        total=Sum("total_incl_tax", filter=stands, default=0),
        owed=Sum("total_incl_tax", filter=owed, default=0),
    )  # fmt: skip
    latest = orders.order_by("-date_placed", "-pk")[:ORDERS_SHOWN]
    return {"sums": sums, "orders": [(order, status_badge(order)) for order in latest]}
