"""What several tests of the admin need: addresses, messages, and forms as browsers would post them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.urls import reverse


def action(model: str, name: str, pk: object) -> str:
    """The address of an action's page, e.g. action("order_order", "cancel_order", 1)."""
    return reverse(f"admin:{model}_{name}", args=[pk])


def said(response: HttpResponse) -> str:
    """What the person was told, after a redirect."""
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


class _Form(HTMLParser):
    """The controls of the form with an id, with what stands in them."""

    def __init__(self, id: str) -> None:
        super().__init__()
        self.id, self.inside = id, False
        self.values: dict[str, Any] = {}
        self.select = self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name") or ""
        if tag == "form":
            self.inside = found.get("id") == self.id
        if not self.inside:
            return
        if tag == "input" and name and "disabled" not in found:
            self._input(name, found)
        elif tag == "textarea":
            self.textarea, self.values[name] = name, ""
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in found:
            self.values[self.select] = found.get("value") or ""

    def _input(self, name: str, found: dict[str, str | None]) -> None:
        kind, value = found.get("type"), found.get("value") or ""
        if kind in ("submit", "file"):
            return
        if kind == "checkbox":
            if "checked" in found:
                self.values.setdefault(name, []).append(found.get("value") or "on")
        else:
            self.values[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.textarea = ""

    def handle_data(self, data: str) -> None:
        if self.inside and self.textarea:
            self.values[self.textarea] += data.lstrip("\n") if not self.values[self.textarea] else data


def filled(response: HttpResponse, form: str) -> dict[str, Any]:
    """What a browser would post of a page's form that nobody touched."""
    parser = _Form(form)
    parser.feed(response.content.decode())
    return {name: value for name, value in parser.values.items() if "__prefix__" not in name}
