"""The addresses on an account's page: where its remote sends to, shown whole once, and how many were refused there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.hub import said
from integrations.hub.desk.account_health import AccountHealth
from integrations.hub.desk.admin_pages import Confirm, Refused, act, too_late
from integrations.hub.incoming import addresses as hook_addresses
from integrations.hub.models import Account, HookAddress, HookRefusal

OPERATE = ["hub.operate_account"]


def offers(name: str, account: Account) -> bool:
    """Has the moment for this button come?"""
    if name == "new_address":
        return hook_addresses.hears(account)
    return hook_addresses.valid(account).exists()


def _at(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d H:i")


def _shown(address: HookAddress) -> str:
    words = _("ends in %(end)s, made %(made)s") % {"end": address.ends_in, "made": _at(address.created_at)}
    if address.ends_at is None:
        return words
    return _("%(address)s, valid until %(until)s") % {"address": words, "until": _at(address.ends_at)}


def _end_form(account: Account) -> type[Confirm]:
    choices = [(address.pk, _shown(address)) for address in hook_addresses.valid(account)]
    field = forms.ChoiceField(label=_("Address"), choices=choices, widget=UnfoldAdminSelectWidget())
    return type("EndAddress", (Confirm,), {"address": field})


class AccountAddresses(AccountHealth):
    """Where messages to an account come in."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).select_related("refusals")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With what its page shows several times, for wide and narrow screens."""
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            prefetch_related_objects([found], "addresses", "cursors")
        return found

    @display(description=gettext_lazy("addresses for messages"))
    def addresses(self, account: Account) -> str:
        if not hook_addresses.hears(account):
            return _("Its remote sends nothing.")
        now = timezone.now()
        valid = (one for one in account.addresses.all() if one.ends_at is None or one.ends_at > now)
        rows = ((_shown(address),) for address in valid)
        return format_html_join("", "<p>{}</p>", rows) or _("None yet: make one with the button above.")

    @display(description=gettext_lazy("refused messages"))
    def refused(self, account: Account) -> str:
        try:
            found = account.refusals
        except HookRefusal.DoesNotExist:
            return "–"
        words = _("%(times)s, last %(at)s: %(reason)s") % {
            "times": found.times, "at": _at(found.last_at), "reason": said.in_words(found.last_reason),
        }  # fmt: skip
        return format_html("<p>{}</p>", words)

    @action(description=gettext_lazy("New address"), url_path="new-address", icon="add_link", permissions=OPERATE)
    def new_address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not offers("new_address", account):
            return too_late(self, request, account)
        if request.method == "POST":
            try:
                return self._once(request, account, hook_addresses.make(account))
            except hook_addresses.TooMany as refusal:
                return act(self, request, account, _refuse(refusal), title=_("New address"), button=_("Make it"))
        explain = [
            _("The remote sends its messages there. It is shown once; keep it like a password."),
            _("The former address works for another week, so that you can enter the new one there in peace."),
        ]
        return act(self, request, account, lambda _data: "", title=_("New address"), button=_("Make it"),
                   explain=explain)  # fmt: skip

    def _once(self, request: HttpRequest, account: Account, address: str) -> HttpResponse:
        """The one page on which the address stands; it goes into no message, session or log."""
        self.log_change(request, account, _("New address"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("New address"), "subtitle": str(account), "address": address, "back": self.address(account),
        }  # fmt: skip
        response = TemplateResponse(request, "admin/hub/account/address.html", context)
        add_never_cache_headers(response)
        return response

    @action(description=gettext_lazy("End an address"), url_path="end-address", icon="link_off", permissions=OPERATE)
    def end_address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.wanted(request, object_id)
        if not offers("end_address", account):
            return too_late(self, request, account)
        explain = [
            _("Nothing is taken there any more. Has the other one been entered at the remote, and does it work?"),
        ]
        return act(self, request, account, _ended(account), form=_end_form(account), title=_("End an address"),
                   button=_("End it"), explain=explain, danger=True)  # fmt: skip


def _refuse(refusal: hook_addresses.TooMany) -> Callable[[dict[str, Any]], str]:
    def do(_data: dict[str, Any]) -> str:
        raise Refused(said.in_words(refusal.message), final=True)

    return do


def _ended(account: Account) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        if not hook_addresses.end(account, int(data["address"])):
            raise Refused(_("It was over already. Nothing was changed."), final=True)
        return _("Address ended.")

    return do
