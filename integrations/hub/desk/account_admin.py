"""Accounts in the admin: their health, their settings, and what staff do with them."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub import accounts, registry, said
from integrations.hub.connector import Connector, Field
from integrations.hub.desk import account_addresses
from integrations.hub.desk.account_addresses import AccountAddresses
from integrations.hub.desk.account_form import form_for, setting_names
from integrations.hub.desk.admin_pages import Refused, act, badge, too_late
from integrations.hub.files import exports
from integrations.hub.models import Account, AccountState
from integrations.hub.reading.admin import ReadAgain
from integrations.hub.words import KINDS

OPERATE = ["hub.operate_account"]
LONG_SECRET = 20  # characters; of shorter ones not even the end is shown
STATE_COLOURS = {"active": "success", "starting": "info", "paused": "warning", "retired": ""}


class TroubleFilter(admin.SimpleListFilter):
    title = gettext_lazy("problem")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("with a problem")), ("no", _("without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account]:
        match self.value():
            case "yes":
                return queryset.filter(pk__in=accounts.troubled().values("pk"))
            case "no":
                return queryset.filter(problem="")
        return queryset


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, kind_label(kind)) for kind in sorted({kind for kind, _name in registry.connectors()})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


def kind_label(kind: str) -> str:
    """What an account of this kind is for."""
    return _(KINDS[kind]) if kind in KINDS else kind


@admin.register(Account)
class AccountAdmin(AccountAddresses, ReadAgain):
    list_display = (
        "name", "connector", "state_badge", "health", "shown_success", "waiting", "oldest_wait", "parked",
    )  # fmt: skip
    list_filter = ("state", KindFilter, TroubleFilter)
    search_fields = ("name", "provider")
    search_help_text = gettext_lazy("Name")
    actions_list = ("flows",)
    actions_detail = (
        "test_connection", "pause", "resume", "objective",
        {
            "title": gettext_lazy("More"), "icon": "more_horiz",
            "items": ["backfill", "close_gaps", "new_address", "end_address", "retire"],
        },
    )  # fmt: skip
    readonly_fields = (
        "connector", "state_badge", "health", "shown_success", "shown_failure", "waiting", "oldest_wait", "parked",
        "remote_version", "checked_at", "active_since", "created_at", "shown_notes", "shown_settings", "readings",
        "addresses", "refused",
    )  # fmt: skip
    exported = (
        exports.text(gettext_lazy("name"), lambda account: account.name),
        exports.text(gettext_lazy("kind"), lambda account: kind_label(account.kind)),
        exports.text(gettext_lazy("state"), lambda account: account.get_state_display()),
        exports.text(gettext_lazy("problem"), lambda account: said.in_words(account.problem)),
        exports.time(gettext_lazy("last success"), lambda account: account.last_success),
        exports.time(gettext_lazy("last failure"), lambda account: account.last_failure),
        exports.text(gettext_lazy("waiting"), lambda account: account.waiting),
        exports.text(gettext_lazy("parked"), lambda account: account.parked),
        exports.text(gettext_lazy("remote's version"), lambda account: account.remote_version),
        exports.time(gettext_lazy("checked at"), lambda account: account.checked_at),
    )

    # --- columns ---

    @display(description=gettext_lazy("connector"))
    def connector(self, account: Account) -> str:
        known = registry.connectors().get((account.kind, account.provider))
        missing = _("%(kind)s/%(name)s (not installed)") % {"kind": account.kind, "name": account.provider}
        return _(known.label) if known else missing

    @display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, account: Account) -> str:
        return badge(account.get_state_display(), STATE_COLOURS.get(account.state, ""))

    @display(description=gettext_lazy("notes"))
    def shown_notes(self, account: Account) -> str:
        return format_html_join("", "<p>{}</p>", ((said.in_words(note),) for note in account.notes)) or "–"

    @display(description=gettext_lazy("settings"))
    def shown_settings(self, account: Account) -> str:
        known = registry.connectors().get((account.kind, account.provider))
        secrets = account.readable_credentials
        values = {**account.settings, **secrets}
        rows = [(_(f.label), _shown(f, values.get(f.name, ""))) for f in (known.fields if known else ())]
        return format_html_join("", "<p>{}: {}</p>", rows) or "–"

    # --- the form ---

    def _connector(self, request: HttpRequest, account: Account | None) -> type[Connector] | None:
        if account is not None:
            return registry.connectors().get((account.kind, account.provider))
        kind, _colon, provider = request.GET.get("connector", "").partition(":")
        return registry.connectors().get((kind, provider))

    def _may_edit(self, request: HttpRequest, account: Account | None) -> bool:
        if self._connector(request, account) is None:
            return False
        return self.has_change_permission(request, account) if account else self.has_add_permission(request)

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        connector = self._connector(request, obj)
        standing = (
            "connector", "state_badge", "health", "shown_success", "shown_failure", "waiting", "oldest_wait", "parked",
            "remote_version", "checked_at", "active_since", "readings", "addresses", "refused", "shown_notes",
        )  # fmt: skip
        facts = [(gettext_lazy("How it stands"), {"fields": standing})] if obj else []
        if connector is None or not self._may_edit(request, obj):
            return [*facts, (gettext_lazy("Settings"), {"fields": ("name", "shown_settings")})]
        fields = ("name", *setting_names(connector), "own_password")
        return [*facts, (_(connector.label), {"fields": fields})]

    def get_form(self, request: HttpRequest, obj: Account | None = None, change: bool = False, **kwargs: Any) -> Any:
        connector = self._connector(request, obj)
        if connector is None or not self._may_edit(request, obj):
            return super().get_form(request, obj, change, **{**kwargs, "fields": ()})
        return form_for(connector, request.user)

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        if obj is not None and (obj.state == AccountState.RETIRED or self._connector(request, obj) is None):
            return False
        return super().has_change_permission(request, obj)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if self._connector(request, None) is not None:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        known = registry.connectors().items()
        choices = sorted((kind, name, _(found.label), kind_label(kind)) for (kind, name), found in known)
        context = {**self.admin_site.each_context(request), "title": _("A new account: with whom?"), "choices": choices}
        return TemplateResponse(request, "admin/hub/account/choose.html", context)

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """Settings are the account's own data, not a service's doing: they commit with the form."""
        if change:
            Account.objects.filter(pk=obj.pk).update(name=obj.name)
        else:
            kind, _colon, provider = request.GET["connector"].partition(":")
            obj.kind, obj.provider = kind, provider
        obj.pk = accounts.connect(obj.kind, obj.provider, obj.name, form.settings()).pk

    # --- actions ---

    def offers(self, action: str, obj: Account) -> bool:
        if action in ("new_address", "end_address"):
            return account_addresses.offers(action, obj)
        return super().offers(action, obj) and obj.state in {
            "test_connection": {AccountState.STARTING, AccountState.ACTIVE, AccountState.PAUSED},
            "pause": {AccountState.STARTING, AccountState.ACTIVE},
            "resume": {AccountState.PAUSED},
            "objective": {AccountState.STARTING, AccountState.ACTIVE, AccountState.PAUSED},
            "retire": {AccountState.STARTING, AccountState.ACTIVE, AccountState.PAUSED},
        }.get(action, set(AccountState))

    @action(description=gettext_lazy("Test the connection"), url_path="test", icon="network_check", permissions=OPERATE)
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not self.offers("test_connection", account):
            return too_late(self, request, account)
        explain = [
            _("Weft asks the remote now, which may take up to 20 seconds. Nothing is written there."),
            *_what_is_tried(account),
        ]
        return act(self, request, account, lambda _data: _tested(account), title=_("Test the connection"),
                   button=_("Ask now"), explain=explain)  # fmt: skip

    @action(description=gettext_lazy("Pause"), url_path="pause", icon="pause", permissions=OPERATE)
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not self.offers("pause", account):
            return too_late(self, request, account)
        explain = [_("Nothing more is sent until somebody resumes it. The work waits and is not lost.")]
        return act(self, request, account, lambda _data: _paused(account), title=_("Pause the account"),
                   button=_("Pause"), explain=explain)  # fmt: skip

    @action(description=gettext_lazy("Resume"), url_path="resume", icon="play_arrow", permissions=OPERATE,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not self.offers("resume", account):
            return too_late(self, request, account)
        explain = [_("The connection is checked first, then what waits is sent.")]
        return act(self, request, account, lambda _data: _resumed(account), title=_("Resume the account"),
                   button=_("Resume"), explain=explain)  # fmt: skip

    @action(description=gettext_lazy("Retire"), url_path="retire", icon="inventory_2", permissions=OPERATE)
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not self.offers("retire", account):
            return too_late(self, request, account)
        explain = [
            _("Nothing new is started with it, and what still waits is withdrawn. Its history stays."),
            _("This cannot be undone: to work with this partner again, make a new account."),
        ]
        return act(self, request, account, lambda _data: _retired(account), title=_("Retire the account"),
                   button=_("Retire for good"), explain=explain, danger=True)  # fmt: skip


def _secret(value: str) -> str:
    """That it is set, and of a long one its end: enough to tell two keys apart."""
    return _("set, ends in %(end)s") % {"end": value.strip()[-4:]} if len(value.strip()) >= LONG_SECRET else _("set")


def _shown(field: Field, value: str) -> str:
    """What people may see of it. Keys are many lines, and begin and end alike: their fingerprint tells them apart."""
    if not value:
        return "–"
    if field.long:
        return _("set, fingerprint %(start)s") % {"start": hashlib.sha256(value.strip().encode()).hexdigest()[:8]}
    return _secret(value) if field.secret else value


def _what_is_tried(account: Account) -> list[str]:
    """With whom, where, and what a test does, as far as it may be shown."""
    known = registry.connectors().get((account.kind, account.provider))
    if known is None:
        return []
    plain = [one for one in known.fields if not (one.secret or one.long) and account.settings.get(one.name)]
    where = [f"{_(field.label)}: {account.settings[field.name]}" for field in plain]
    return [", ".join([_(known.label), *where]), *([_("It %(checks)s.") % {"checks": _(known.checks)}] if known.checks
                                                   else [])]  # fmt: skip


def _tested(account: Account) -> str:
    """Asks, and says what was tried, how long it took and what came of it."""
    began = time.monotonic()
    works = accounts.check(account)
    seconds = time.monotonic() - began
    account.refresh_from_db()
    tried = {"account": account, "seconds": f"{seconds:.2f}", "what": "; ".join(_what_is_tried(account))}
    if not works:
        words = _("It does not work. %(account)s was asked for %(seconds)s s (%(what)s). It said: %(problem)s")
        raise Refused(words % {**tried, "problem": said.in_words(account.problem)}, final=True)
    words = _("It works. %(account)s answered in %(seconds)s s (%(what)s). Its version: %(version)s.")
    notes = [said.in_words(note) for note in account.notes]
    return " ".join([words % {**tried, "version": account.remote_version or "–"}, *notes])


def _paused(account: Account) -> str:
    accounts.pause(account)
    return _("Paused.")


def _resumed(account: Account) -> str:
    accounts.resume(account)
    return _("Resumed: the connection is checked within seconds.")


def _retired(account: Account) -> str:
    return _("Retired. Rows withdrawn: %(number)s") % {"number": accounts.retire(account)}
