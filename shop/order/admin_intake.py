"""Documents from outside of which rows were refused: looked at, dealt with, and closed with a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub import said
from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, actor, badge, too_late
from integrations.hub.files import exports
from shop.order.models import OPEN_INTAKE, Intake, Order
from shop.said import who

CLASSES: dict[str, Any] = {
    "ordered": gettext_lazy("lines of an order"),
    "movement": gettext_lazy("stock movements"),
    "adjustment": gettext_lazy("money adjustments"),
    "returned": gettext_lazy("returned"),
    "credited": gettext_lazy("credited, no purchase known"),
}


class Note(Confirm):
    note = forms.CharField(
        label=gettext_lazy("What was done about it"),
        max_length=255,
        help_text=gettext_lazy("Entered by hand as ..., asked the source, or not wanted. It stays with the import."),
        widget=UnfoldAdminTextInputWidget(),
    )


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("refused, to look at")), ("closed", _("refused, closed")), ("whole", _("taken in whole"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Intake]) -> QuerySet[Intake]:
        match self.value():
            case "open":
                return queryset.filter(OPEN_INTAKE)
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case "whole":
                return queryset.filter(refused={})
        return queryset


def is_open(intake: Intake) -> bool:
    """Rows were refused, and nobody has closed it."""
    return bool(intake.refused) and intake.closed_at is None


def taken(intake: Intake) -> int:
    """How many rows became something."""
    return sum(len(positions) for positions in intake.rows.values())


@admin.register(Intake)
class IntakeAdmin(ViewOnlyAdmin):
    list_display = ("external_number", "source_account", "taken_rows", "refused_rows", "why", "shown_state", "taken_at")
    list_filter = (StateFilter, "source_account", "taken_at")
    search_fields = ("^external_number",)
    search_help_text = gettext_lazy("Number at the source")
    draws_itself = True
    change_form_before_template = "admin/order/intake/detail.html"
    actions_detail = ("close",)
    exported = (
        exports.text(gettext_lazy("source"), lambda intake: intake.source_account),
        exports.text(gettext_lazy("external number"), lambda intake: intake.external_number),
        exports.time(gettext_lazy("taken at"), lambda intake: intake.taken_at),
        exports.text(gettext_lazy("rows taken"), taken),
        exports.text(gettext_lazy("rows refused"), lambda intake: len(intake.refused)),
        exports.text(gettext_lazy("why"), lambda intake: "; ".join(_reasons(intake))),
        exports.time(gettext_lazy("closed at"), lambda intake: intake.closed_at),
        exports.text(gettext_lazy("closed by"), lambda intake: who(intake.closed_by)),
        exports.text(gettext_lazy("what was done about it"), lambda intake: intake.closing_note),
    )

    @display(description=gettext_lazy("rows taken"))
    def taken_rows(self, intake: Intake) -> int:
        return taken(intake)

    @display(description=gettext_lazy("rows refused"))
    def refused_rows(self, intake: Intake) -> str:
        return format_html('<span class="weft-bad">{}</span>', len(intake.refused)) if intake.refused else "0"

    @display(description=gettext_lazy("why"))
    def why(self, intake: Intake) -> str:
        return "; ".join(_reasons(intake)[:2])

    @display(description=gettext_lazy("state"))
    def shown_state(self, intake: Intake) -> str:
        return state_badge(intake)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        intake = self.get_object(request, unquote(object_id))
        shown = page(intake) if intake else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown": shown})

    def offers(self, action: str, obj: Intake) -> bool:
        return is_open(obj)

    @action(description=gettext_lazy("Close the import"), url_path="close", icon="task_alt",
            permissions=["order.close_intake"], variant=ActionVariant.PRIMARY)  # fmt: skip
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        intake = self.wanted(request, object_id)
        if not is_open(intake):
            return too_late(self, request, intake)
        explain = [_("The refused rows were dealt with. The import stays as it is, with your note.")]
        return act(self, request, intake, _close(intake, request), form=Note, explain=explain,
                   title=_("Close the import"), button=_("It is dealt with"))  # fmt: skip


def _close(intake: Intake, request: HttpRequest) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        still_open = Intake.objects.filter(OPEN_INTAKE, pk=intake.pk)
        if not still_open.update(closed_at=timezone.now(), closed_by=actor(request), closing_note=data["note"]):
            raise Refused(_("Somebody else has closed it meanwhile."), final=True)
        return _("Closed: %(note)s") % {"note": data["note"]}

    return do


def _reasons(intake: Intake) -> list[str]:
    """Each reason once, in the reader's language."""
    return [said.in_words(reason) for reason in dict.fromkeys(intake.refused.values())]


def state_badge(intake: Intake) -> str:
    """Where an import stands, coloured."""
    if not intake.refused:
        return badge(_("taken in whole"), "success")
    return badge(_("closed")) if intake.closed_at else badge(_("to look at"), "danger")


def page(intake: Intake) -> dict[str, Any]:
    """What the template of an import's page shows. Positions are those of the rows in the source."""
    order = Order.objects.filter(
        source_account=intake.source_account, external_number=intake.external_number
    ).only("pk", "number").first()  # fmt: skip
    return {
        "intake": intake,
        "state": state_badge(intake),
        "closed_by": who(intake.closed_by),
        "order": order,
        "order_link": reverse("admin:order_order_change", args=[order.pk]) if order else "",
        "taken": [(CLASSES.get(name, name), positions) for name, positions in intake.rows.items()],
        "refused": sorted((int(position), said.in_words(reason)) for position, reason in intake.refused.items()),
    }
