"""A buyer's browser, as light as it can be: pages, forms, redirects and cookies; no pictures, no scripts.

Each request has a connection of its own, as behind a web server that passes requests on with its default settings.
That also spreads the requests over gunicorn's processes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit

TIMEOUT = 120.0
MOST_REDIRECTS = 8
FORM = "application/x-www-form-urlencoded"


class Failed(Exception):
    """An answer no buyer should see: an error status, or a page without what belongs on it."""

    def __init__(self, status: int, path: str, text: str = "") -> None:
        super().__init__(f"{status} for {path}\n{text}".strip())
        self.status = status


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was shown in the end, after redirects."""

    path: str
    text: str

    def value(self, name: str) -> str:
        """What a hidden field of that name holds."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        if found is None:
            raise Failed(200, self.path, f"no field {name!r}")
        return html.unescape(found[1])


class Browser:
    """One guest. Keeps every cookie, also those marked Secure: in front of a real shop stands TLS.

    `requests` counts what was asked of the server, redirects included.
    """

    def __init__(self, port: int, cookies: Mapping[str, str] | None = None, seen: str = "") -> None:
        self.port = port
        self.cookies = dict(cookies or {})
        self.requests = 0
        self._seen = seen  # the page before, as browsers tell it

    def get(self, path: str) -> Page:
        return self._follow("GET", path, None)

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        return self._follow("POST", path, urlencode(fields))

    def press(self, path: str, fields: Mapping[str, str]) -> str:
        """POST, and where it leads; '' where it leads nowhere."""
        return self._ask("POST", path, urlencode(fields))[1] or ""

    def _follow(self, method: str, path: str, body: str | None) -> Page:
        for _ in range(MOST_REDIRECTS):
            status, to, text = self._ask(method, path, body)
            if to is None:
                if status != 200:
                    raise Failed(status, path, text[:500])
                self._seen = path
                return Page(path, text)
            target = urlsplit(urljoin(path, to))
            method, path, body = "GET", target.path + (f"?{target.query}" if target.query else ""), None
        raise Failed(310, path, "redirected without end")

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str | None, str]:
        """Status, where to go next, and the text."""
        self.requests += 1
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, self._headers(body))
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            self._keep(cookie)
        return answer.status, answer.headers["Location"] if 300 <= answer.status < 400 else None, text

    def _headers(self, body: str | None) -> dict[str, str]:
        headers = {"Accept": "text/html", "Accept-Language": "en", "Connection": "close"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self._seen:
            headers["Referer"] = f"http://127.0.0.1:{self.port}{self._seen}"
        if body is not None:
            headers["Content-Type"] = FORM
        return headers

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        if "Max-Age=0" in cookie:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
