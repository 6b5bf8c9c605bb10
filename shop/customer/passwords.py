"""Forgotten passwords. The mail is a hub command like all mails; its link is made when it is sent, so that no token
that opens an account ever lies in a queue."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import forms, views
from django.contrib.auth.tokens import default_token_generator
from django.forms import EmailField, EmailInput
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse, reverse_lazy
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub import outgoing
from integrations.hub.errors import Rejected
from integrations.hub.models import Account, AccountState
from integrations.hub.topics import Command
from integrations.hub.values import Done, Lane, Pending, Repeat
from integrations.messages.base import Letter, Messages
from shop.customer.models import User


class PasswordMail(Command):
    """The link with which a person sets a new password. Late it is of no use."""

    name = "password-mail"
    label = gettext_lazy("letter with a new password link")
    by_hand = True
    lane = Lane.ORDERS
    kind = "messages"
    repeat = Repeat.SAFE
    resends = 1
    fresh_within = timedelta(minutes=2)
    expires_after = timedelta(hours=1)

    def subject(self, key: str) -> str:
        return f"customer:{key.split(':')[0]}"

    def send(self, remote: Messages, payload: dict[str, Any], key: str) -> Done:
        user = User.objects.filter(pk=payload["user"], is_active=True).first()
        if user is None or not user.email:
            raise Rejected("The account is gone, locked, or has no mail address.")
        return remote.send(compose(user, payload["language"], key))

    def look(self, remote: Messages, payload: dict[str, Any], key: str) -> Done | Pending | None:
        return None

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        """Nothing here depends on a mail."""


def compose(user: User, language: str, key: str) -> Letter:
    """The letter, in the language of the page on which it was asked for."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("customer:password-new", args=[uid, default_token_generator.make_token(user)])
    with translation.override(language):
        context = {"user": user, "link": settings.WEFT_SHOP_URL + path, "shop": settings.OSCAR_SHOP_NAME}
        subject = _("%(shop)s: set a new password") % context
        text = render_to_string("customer/password_mail.txt", context)
    host = urlsplit(settings.WEFT_SHOP_URL).hostname or "weft"
    return Letter(
        message_id=f"{key}@{host}", to=user.email, sender=settings.DEFAULT_FROM_EMAIL, subject=subject, text=text
    )


def ask(user: User, language: str) -> None:
    """Have the link sent to the account's own address."""
    with outgoing.recording():
        for account in Account.objects.filter(kind="messages").exclude(state=AccountState.RETIRED)[:1]:
            key = f"{user.pk}:password:{uuid.uuid4().hex}"
            outgoing.command("password-mail", account, {"user": user.pk, "language": language}, key=key)


class ForgottenForm(forms.PasswordResetForm):
    email = EmailField(
        label=gettext_lazy("E-mail address"), max_length=254, widget=EmailInput(attrs={"autocomplete": "email"})
    )

    def save(self, **kwargs: Any) -> None:
        for user in self.get_users(self.cleaned_data["email"]):
            ask(user, translation.get_language() or settings.LANGUAGE_CODE)


class ForgottenView(views.PasswordResetView):
    """Says the same whether there is such an account or not."""

    template_name = "customer/password_forgotten.html"
    form_class = ForgottenForm
    success_url = reverse_lazy("customer:password-sent")


class ChangeView(views.PasswordChangeView):
    template_name = "customer/password_change.html"
    success_url = reverse_lazy("customer:profile")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("Your password is changed."))
        return super().form_valid(form)
