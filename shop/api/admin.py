"""API clients in the admin: who may use the partner API, with what; secrets are shown once and kept by nobody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from integrations.hub.desk.admin_pages import StaffAdmin, act
from shop.api.models import Client, Scope

OPERATE = ["api.operate_client"]


class ClientForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"),
        choices=lambda: [(scope.value, f"{scope.label} ({scope.value})") for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Only what it needs. What is taken away ends at once, in tokens too."),
    )

    class Meta:
        model = Client
        fields = ("name", "code", "contact", "scopes", "may_buy_on_account", "is_active")


@admin.register(Client)
class ClientAdmin(StaffAdmin):
    form = ClientForm
    list_display = ("name", "client_id", "rights", "may_buy_on_account", "is_active", "last_token_at", "orders")
    list_filter = ("is_active", "may_buy_on_account")
    search_fields = ("name", "code", "client_id", "contact")
    actions_detail = ("new_secret", "end_tokens")
    readonly_fields = ("client_id", "created_at", "last_token_at", "orders")

    def get_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:
        shown = self.readonly_fields if obj else ()
        return (*ClientForm.Meta.fields, *shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:
        return (*self.readonly_fields, "code") if obj else ()

    @display(description=gettext_lazy("rights"))
    def rights(self, client: Client) -> str:
        return ", ".join(client.scopes) or _("none")

    @display(description=gettext_lazy("its orders"))
    def orders(self, client: Client) -> str:
        link = reverse("admin:order_order_changelist") + f"?source_account__exact={client.source}"
        return format_html('<a href="{}">{}</a>', link, client.source)

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if not change:
            obj.renew_secret()  # nobody has seen it: the first secret comes from the button
        super().save_model(request, obj, form, change)

    @action(description=gettext_lazy("New secret"), url_path="new-secret", icon="key", permissions=OPERATE,
            variant=ActionVariant.PRIMARY)  # fmt: skip
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.wanted(request, object_id)
        if request.method == "POST":
            return self._shown(request, client)
        explain = [_("The old secret stops working at once, and so do the tokens it was given.")]
        return act(self, request, client, lambda data: "", title=_("New secret"), button=_("Make a new secret"),
                   explain=explain)  # fmt: skip

    def _shown(self, request: HttpRequest, client: Client) -> HttpResponse:
        """The one page on which the secret stands; it goes into no message, session or log."""
        secret = client.renew_secret()
        client.save(update_fields=["secret_digest"])
        client.end_tokens()
        self.log_change(request, client, _("New secret"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("New secret"),
            "subtitle": str(client),
            "client": client,
            "secret": secret,
            "back": self.address(client),
        }
        response = TemplateResponse(request, "admin/api/client/secret.html", context)
        add_never_cache_headers(response)
        return response

    @action(description=gettext_lazy("End its tokens"), url_path="end-tokens", icon="block", permissions=OPERATE)
    def end_tokens(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.wanted(request, object_id)
        explain = [_("It can get new ones with its secret. To shut it out, clear “active”.")]
        return act(self, request, client, lambda data: _ended(client), title=_("End its tokens"), button=_("End them"),
                   explain=explain, danger=True)  # fmt: skip


def _ended(client: Client) -> str:
    return _("Tokens ended: %(count)d") % {"count": client.end_tokens()}
