"""A person with a browser, for the walkthrough: follows links, fills in forms, keeps cookies. On our own shop only."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

SECONDS = 60


class Lost(Exception):
    """The page is not what it should be; the message says what was seen."""


@dataclass
class Form:
    """A form as the page has it: where it goes, and what stands in it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self._select = ""
        self._open = False
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag == "a" and a.get("href"):
            self.links.append(a["href"])
        elif tag == "form":
            self.forms.append(Form(a.get("action", ""), a.get("method", "get").lower()))
            self._open = True
        elif tag in ("script", "style"):
            self._silent += 1
        elif self._open and self.forms:
            self._field(tag, a)

    def _field(self, tag: str, a: dict[str, str]) -> None:
        fields = self.forms[-1].fields
        if tag == "select":
            self._select = a.get("name", "")
        elif tag == "option" and self._select and ("selected" in a or self._select not in fields):
            fields[self._select] = a.get("value", "")
        elif tag == "textarea" and a.get("name"):
            fields[a["name"]] = ""
        elif tag == "input" and a.get("name"):
            kind = a.get("type", "text")
            if kind in ("radio", "checkbox") and "checked" not in a:
                return
            if kind not in ("submit", "button", "file"):
                fields[a["name"]] = a.get("value", "on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""
        elif tag in ("script", "style") and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.text.append(" ".join(data.split()))


@dataclass(frozen=True)
class Page:
    """A page that came with 200."""

    url: str
    forms: list[Form]
    links: list[str]
    text: str

    def form(self, *, to: str = "", with_field: str = "") -> Form:
        """The first POST form whose address contains `to` and that has that field."""
        for found in self.forms:
            if found.method == "post" and to in found.action and (not with_field or with_field in found.fields):
                return found
        raise Lost(f"{self.url} has no form for {to or with_field!r}. It says: {self.text[:300]}")

    def link(self, part: str) -> str:
        """The first link whose address contains `part`."""
        for href in self.links:
            if part in href:
                return urljoin(self.url, href)
        raise Lost(f"{self.url} has no link with {part!r}. It says: {self.text[:300]}")


class Visitor:
    """One browser session on our own shop."""

    def __init__(self, base: str, language: str = "en") -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = language

    def open(self, address: str) -> Page:
        """GET, redirects followed."""
        return self._page(self.session.get(urljoin(self.base, address), timeout=SECONDS))

    def send(self, page: Page, form: Form, **values: str) -> Page:
        """Fill in a form of `page` and send it, redirects followed."""
        url = urljoin(page.url, form.action or page.url)
        data = {**form.fields, **values}
        return self._page(self.session.post(url, data=data, headers={"Referer": page.url}, timeout=SECONDS))

    def _page(self, answer: requests.Response) -> Page:
        reader = _Reader()
        reader.feed(answer.text)
        text = " ".join(reader.text)
        if answer.status_code != 200:
            raise Lost(f"{answer.url} answered {answer.status_code}: {text[:300]}")
        return Page(answer.url, reader.forms, reader.links, text)
