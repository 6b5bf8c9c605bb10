"""A browser whose person does not give up: a page that does not come is asked for again, a form is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from urllib.parse import urljoin

import requests

from erp.local.visitor import Form, Lost, Page, Visitor

PATIENCE = 90.0  # seconds after which a person gives up, and the test with them
PAUSE = 0.5
BASKET = "weft_test_basket"


def again_and_again() -> Iterator[int]:
    """The tries of somebody who waits a moment between them, for as long as they have patience."""
    deadline = time.monotonic() + PATIENCE
    for number in count():
        if number:
            time.sleep(PAUSE)
        if time.monotonic() > deadline:
            return
        yield number


def is_down(answer: requests.Response) -> bool:
    """A fault of theirs. 400 too: it is what Django says when the database goes away while a session is saved."""
    return answer.status_code >= 500 or answer.status_code == 400


class GaveUp(AssertionError):
    """The shop did not come back in time."""


class Browser(Visitor):
    """Pages are opened again and again until they come. Of a form that was sent, the answer is known or lost."""

    def open(self, address: str) -> Page:
        """The page, redirects followed, however long the shop is down (within PATIENCE)."""
        return self._page(self._fetch(address))

    def _fetch(self, address: str) -> requests.Response:
        seen = ""
        for _ in again_and_again():
            try:
                answer = self.session.get(urljoin(self.base, address), timeout=20)
            except requests.RequestException as error:
                seen = type(error).__name__
            else:
                if not is_down(answer):
                    return answer
                seen = str(answer.status_code)
        raise GaveUp(f"{address} did not come within {PATIENCE:.0f} s; the last answer: {seen}")

    def press(self, page: Page, form: Form, **values: str) -> str | None:
        """Send a form once: where the answer leads to, "" when it is a page again, None when it is not known.

        Any other answer of the kind 4xx is a defect, not a fault of the day: Lost.
        """
        url = urljoin(page.url, form.action or page.url)
        data = {**form.fields, **values}
        try:
            answer = self.session.post(url, data=data, headers={"Referer": page.url}, timeout=20, allow_redirects=False)
        except requests.RequestException:
            return None
        if is_down(answer):
            return None
        if answer.status_code >= 400:
            raise Lost(f"{url} answered {answer.status_code}: {answer.text[:300]}")
        return answer.headers["Location"] if answer.is_redirect else ""

    @property
    def basket(self) -> int | None:
        """The id of the basket this browser fills: its cookie names it."""
        cookie = self.session.cookies.get(BASKET)
        return int(cookie.strip('"').partition(":")[0]) if cookie else None
