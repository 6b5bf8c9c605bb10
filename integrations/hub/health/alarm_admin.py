"""Alarms in the admin: what stands wrong and what did, who looks after it, and what is silent until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, actor, badge, too_late
from integrations.hub.files import exports
from integrations.hub.health import spans
from integrations.hub.health.alarms import opened, unseen
from integrations.hub.health.models import Alarm

OPERATE = ["hub.operate_alarm"]
HOURS = (1, 4, 12, 24, 72)


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unseen", _("nobody looks after it")), ("open", _("stands")), ("ended", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        match self.value():
            case "unseen":
                return queryset.filter(pk__in=unseen().values("pk"))
            case "open":
                return queryset.filter(pk__in=opened().values("pk"))
            case "ended":
                return queryset.filter(ended_at__isnull=False)
        return queryset


class Seen(Confirm):
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=500,
        help_text=gettext_lazy("What you found, and what is being done."), widget=UnfoldAdminTextareaWidget(),
    )  # fmt: skip


class Silence(Confirm):
    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"), coerce=int, initial=4, widget=UnfoldAdminSelectWidget(),
        choices=lambda: [(hours, spans.words(hours * 3600)) for hours in HOURS],
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, widget=UnfoldAdminTextareaWidget())


@admin.register(Alarm)
class AlarmAdmin(ViewOnlyAdmin):
    list_display = ("shown", "state_badge", "opened_at", "lasted", "told_at", "shown_care")
    list_filter = (StateFilter, "kind", "account")
    list_select_related = ("account",)
    search_fields = ("account__name",)
    search_help_text = gettext_lazy("Name of the account")
    actions_detail = ("acknowledge", "silence", "speak")
    fields = (
        "shown", "kind", "account", "state_badge", "opened_at", "ended_at", "lasted", "told_at", "acknowledged_by",
        "acknowledged_at", "note", "silenced_by", "silent_until", "silent_reason",
    )  # fmt: skip
    exported = (
        exports.text(gettext_lazy("alarm"), str),
        exports.text(gettext_lazy("kind"), lambda alarm: alarm.get_kind_display()),
        exports.time(gettext_lazy("since"), lambda alarm: alarm.opened_at),
        exports.time(gettext_lazy("ended at"), lambda alarm: alarm.ended_at),
        exports.time(gettext_lazy("told last"), lambda alarm: alarm.told_at),
        exports.text(gettext_lazy("seen by"), lambda alarm: alarm.acknowledged_by),
        exports.text(gettext_lazy("note"), lambda alarm: alarm.note),
    )

    @display(description=gettext_lazy("alarm"))
    def shown(self, alarm: Alarm) -> str:
        return str(alarm)

    @display(description=gettext_lazy("state"))
    def state_badge(self, alarm: Alarm) -> str:
        if alarm.ended_at:
            return badge(_("ended"), "success")
        if _is_silent(alarm):
            return badge(_("stands, silent"), "warning")
        if alarm.acknowledged_at:
            return badge(_("stands, seen"), "warning")
        return badge(_("stands"), "danger")

    @display(description=gettext_lazy("lasted"))
    def lasted(self, alarm: Alarm) -> str:
        return spans.words(((alarm.ended_at or timezone.now()) - alarm.opened_at).total_seconds())

    @display(description=gettext_lazy("looked after by"))
    def shown_care(self, alarm: Alarm) -> str:
        who = alarm.acknowledged_by or (alarm.silenced_by if _is_silent(alarm) else "")
        return who.partition(":")[2] or "–"

    def offers(self, action: str, obj: Alarm) -> bool:
        return obj.ended_at is None and {
            "acknowledge": obj.acknowledged_at is None,
            "silence": not _is_silent(obj),
            "speak": _is_silent(obj),
        }.get(action, True)

    @action(description=gettext_lazy("I look after it"), url_path="acknowledge", icon="visibility", permissions=OPERATE,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def acknowledge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        alarm = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            self._update(alarm, "acknowledge", acknowledged_at=timezone.now(), acknowledged_by=actor(request),
                         note=data["note"])  # fmt: skip
            return _("It is yours. No reminder comes; its end is told.")

        explain = [_("Others see that you look after it, and no reminder is sent. Its end is told.")]
        return self._act(request, alarm, "acknowledge", do, form=Seen, explain=explain,
                         title=_("Look after this alarm"), button=_("I look after it"))  # fmt: skip

    @action(description=gettext_lazy("Silence"), url_path="silence", icon="notifications_off", permissions=OPERATE)
    def silence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        alarm = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            until = timezone.now() + timedelta(hours=data["hours"])
            self._update(alarm, "silence", silent_until=until, silenced_by=actor(request),
                         silent_reason=data["reason"])  # fmt: skip
            at = date_format(timezone.localtime(until), "m-d H:i")
            return _("Silent until %(at)s. The board goes on showing it.") % {"at": at}

        explain = [
            _("Nobody is told of it until then, also when it ends and begins anew. The board goes on showing it."),
        ]
        return self._act(request, alarm, "silence", do, form=Silence, explain=explain,
                         title=_("Silence this alarm"), button=_("Silence"))  # fmt: skip

    @action(description=gettext_lazy("End the silence"), url_path="speak", icon="notifications", permissions=OPERATE)
    def speak(self, request: HttpRequest, object_id: str) -> HttpResponse:
        alarm = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            self._update(alarm, "speak", silent_until=None)
            return _("It is told of again.")

        words = _("End the silence")
        return self._act(request, alarm, "speak", do, title=words, button=words)

    def _act(self, request: HttpRequest, alarm: Alarm, name: str, do: Any, **page: Any) -> HttpResponse:
        if not self.offers(name, alarm):
            return too_late(self, request, alarm)
        return act(self, request, alarm, do, **page)

    def _update(self, alarm: Alarm, name: str, **fields: Any) -> None:
        """Only what still stands is looked after."""
        if not Alarm.objects.filter(pk=alarm.pk, ended_at=None).update(**fields):
            raise Refused(_("It has ended meanwhile."), final=True)


def _is_silent(alarm: Alarm) -> bool:
    return alarm.silent_until is not None and alarm.silent_until > timezone.now()
