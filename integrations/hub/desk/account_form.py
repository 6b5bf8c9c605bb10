"""The form of an account, made from what its connector declares. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from integrations.hub import accounts
from integrations.hub.connector import Connector, Field
from integrations.hub.models import Account

PREFIX = "setting_"


class AccountForm(forms.ModelForm):
    """`connector` and `user` are set by `form_for`."""

    connector: ClassVar[type[Connector]]
    user: ClassVar[Any]

    own_password = forms.CharField(
        label=_("Your own password"),
        required=False,
        help_text=_("Needed when anything but the name changes."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    class Meta:
        model = Account
        fields = ["name"]
        widgets = {"name": UnfoldAdminTextInputWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.kept_secrets()
        for field in self.connector.fields:
            shown = self.fields[PREFIX + field.name]
            if field.secret:
                shown.required = field.required and field.name not in kept
                if field.name in kept:
                    shown.widget.attrs["placeholder"] = gettext("set; leave empty to keep it")
            else:
                shown.initial = self.instance.settings.get(field.name, field.default)
                # Disabled fields ignore what is posted: another merchant is another account.
                shown.disabled = field.name in self.connector.identity and accounts.is_used(self.instance)

    def kept_secrets(self) -> dict[str, str]:
        return self.instance.readable_credentials if self.instance.pk else {}

    def settings(self) -> dict[str, str]:
        """All settings as `accounts.connect` wants them: what was typed, and the secrets that were left alone."""
        typed = {field.name: self.cleaned_data.get(PREFIX + field.name) or "" for field in self.connector.fields}
        kept = self.kept_secrets()
        secret = {field.name for field in self.connector.fields if field.secret}
        values = {name: value or (kept.get(name, "") if name in secret else "") for name, value in typed.items()}
        return {name: value for name, value in values.items() if value or name not in secret}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and self._is_sensitive() and not self.user.check_password(data.get("own_password") or ""):
            self.add_error("own_password", _("This is not your password. Nothing was changed."))
        return data

    def _is_sensitive(self) -> bool:
        """Also an address is: the secrets that are kept would be sent there."""
        return any(self._is_changed(field) for field in self.connector.fields)

    def _is_changed(self, field: Field) -> bool:
        typed = self.cleaned_data.get(PREFIX + field.name) or ""
        if field.secret or not self.instance.pk:
            return bool(typed)
        return bool(typed != self.instance.settings.get(field.name, field.default))


def form_for(connector: type[Connector], user: Any) -> type[AccountForm]:
    """The form class of one connector, filled in by `user`."""
    fields = {PREFIX + field.name: _form_field(field) for field in connector.fields}
    return type("ConnectorForm", (AccountForm,), {**fields, "connector": connector, "user": user})


def _form_field(field: Field) -> forms.CharField:
    # A connector knows no Django, so its words are translated here; they stand in `words.py` for the catalogue.
    label, help_text = gettext(field.label), gettext(field.help) if field.help else ""
    return forms.CharField(label=label, help_text=help_text, required=field.required, widget=_widget(field))


def _widget(field: Field) -> forms.Widget:
    """A line would swallow the line breaks of keys and certificates. What is kept secret is filled into neither."""
    if field.long:
        attrs = {"rows": 6, "spellcheck": "false", "autocomplete": "off"}
        return SecretArea(attrs=attrs) if field.secret else UnfoldAdminTextareaWidget(attrs=attrs)
    if field.secret:
        return UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return UnfoldAdminTextInputWidget()


class SecretArea(UnfoldAdminTextareaWidget):
    """Like a password's field: what was typed is not sent back with a form that has errors."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


def setting_names(connector: type[Connector]) -> list[str]:
    """The names of the form's fields for a connector's settings."""
    return [PREFIX + field.name for field in connector.fields]
