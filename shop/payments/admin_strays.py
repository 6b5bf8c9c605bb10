"""Money without an order."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub.desk.admin_pages import badge
from integrations.hub.files import exports
from shop.payments import admin_forms, aftercare, strays
from shop.payments.admin_base import SETTLE, PaymentsAdmin, StateFilter
from shop.payments.models import (
    Stray,
)
from shop.pricing.templatetags.prices import money


class StrayFilter(StateFilter):
    states = (
        ("open", gettext_lazy("open"), lambda: Q(pk__in=strays.listed().order_by().values("pk"))),
        ("closed", gettext_lazy("closed"), lambda: Q(closed_at__isnull=False)),
    )


@admin.register(Stray)
class StrayAdmin(PaymentsAdmin):
    list_display = ("number", "account", "remote", "captured_", "refunded_", "paid_at", "first_seen_at", "state")
    list_filter = (StrayFilter, "account")
    list_select_related = ("account",)
    search_fields = ("=number", "=remote")
    search_help_text = gettext_lazy("Number, or the provider's number")
    change_form_before_template = "admin/payments/stray/detail.html"
    actions_detail = ("close",)
    exported = (
        exports.text(gettext_lazy("number"), lambda row: row.number),
        exports.text(gettext_lazy("account"), lambda row: str(row.account)),
        exports.text(gettext_lazy("number at the provider"), lambda row: row.remote),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("paid"), lambda row: row.captured),
        exports.text(gettext_lazy("given back"), lambda row: row.refunded),
        exports.time(gettext_lazy("paid at"), lambda row: row.paid_at),
        exports.time(gettext_lazy("first seen at"), lambda row: row.first_seen_at),
        exports.time(gettext_lazy("closed at"), lambda row: row.closed_at),
        exports.text(gettext_lazy("what was done about it"), lambda row: row.closed_note),
    )

    def shown(self, request: HttpRequest, obj: Stray) -> dict[str, Any]:
        return {"stray": obj, "badge": self.state(obj)}

    @display(description=gettext_lazy("paid"), ordering="captured")
    def captured_(self, stray: Stray) -> str:
        return money(stray.captured, stray.currency)

    @display(description=gettext_lazy("given back"), ordering="refunded")
    def refunded_(self, stray: Stray) -> str:
        return money(stray.refunded, stray.currency) if stray.refunded else ""

    @display(description=gettext_lazy("state"))
    def state(self, stray: Stray) -> str:
        return badge(_("closed")) if stray.closed_at else badge(_("open"), "danger")

    def offers(self, action: str, obj: Stray) -> bool:
        return obj.closed_at is None

    @action(description=gettext_lazy("Close"), url_path="close", icon="task_alt", permissions=[SETTLE],
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stray = self.wanted(request, object_id)
        explain = [_("Nothing moves by this. Look the payment up on the provider's own pages and give it back there, "
                     "or find out which order it was meant for and confirm that order's payment by hand.")]  # fmt: skip

        def do(data: dict[str, Any]) -> str:
            aftercare.close_stray(stray.pk, data["note"])
            return _("Closed: %(note)s") % {"note": data["note"]}

        return self.page(request, "close", stray, do, form=admin_forms.Done, explain=explain, title=_("Close"),
                         button=_("Close"))  # fmt: skip
