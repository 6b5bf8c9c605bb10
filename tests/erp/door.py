"""The hub's own door, watched: tests count what was asked. It lets these tests reach this machine, nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from integrations.hub.http import Door, Reply

BUDGET = 300.0  # seconds for all of one connector's calls: a test's connector lives longer than a delivery's


class LoopbackDoor(Door):
    """Keeps what was asked: (operation, method, address without its query)."""

    def __init__(self) -> None:
        super().__init__(budget=BUDGET)
        self.asked: list[tuple[str, str, str]] = []

    def request(self, method: str, url: str, *, operation: str, **rest: Any) -> Reply:
        """One request, by the real door."""
        place = urlsplit(url)
        assert place.hostname == "127.0.0.1", "tests stay on this machine"
        settings.WEFT_PRIVATE_HOSTS = settings.WEFT_PRIVATE_HOSTS | {place.netloc}
        self.asked.append((operation, method, url.partition("?")[0]))
        return super().request(method, url, operation=operation, **rest)
