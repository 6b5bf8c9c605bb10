"""A request and a reply, as the parts of the gateways hand them to each other."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HTML = "text/html; charset=utf-8"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Request:
    """`target` is path and query as they came; `quirks` the faults that strike this one."""

    method: str
    target: str
    headers: Message
    body: bytes
    client: str = "127.0.0.1"
    quirks: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return self.form(urlsplit(self.target).query)

    def form(self, text: str, charset: str = "utf-8") -> dict[str, str]:
        return dict(parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace"))

    def kind(self) -> str:
        """The media type of the body."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    kind: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def said(data: Any, status: int = 200) -> Reply:
    """A reply in JSON."""
    return Reply(status, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def page(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), HTML, {"cache-control": "no-store", "content-language": "zh-CN"})


def redirect(url: str) -> Reply:
    return Reply(302, b"", HTML, {"location": url, "cache-control": "no-store"})
