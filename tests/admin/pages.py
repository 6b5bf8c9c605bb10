"""What several tests of the admin need: addresses and messages."""

from __future__ import annotations

from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.urls import reverse


def action(model: str, name: str, pk: object) -> str:
    """The address of an action's page, e.g. action("order_order", "cancel_order", 1)."""
    return reverse(f"admin:{model}_{name}", args=[pk])


def said(response: HttpResponse) -> str:
    """What the person was told, after a redirect."""
    return " ".join(str(message) for message in get_messages(response.wsgi_request))
