"""A door for tests that need no Django: the same promises as the hub's, over plain `requests`."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from integrations.hub.errors import OutcomeUnknown, Scope, TryAgain


@dataclass(frozen=True, slots=True)
class Reply:
    """A remote's answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return jsonlib.loads(self.body)


class LoopbackDoor:
    """Sends without asking a database; keeps what was asked, so that tests can count."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def request(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        writes: bool = True,
        timeout: float = 30.0,
    ) -> Reply:
        """One request."""
        assert url.startswith("http://127.0.0.1:")
        self.asked.append((operation, method, url.partition("?")[0]))
        try:
            answer = requests.request(
                method, url, headers=headers, params=params, json=json, data=body, timeout=timeout
            )
        except requests.exceptions.ConnectionError as error:
            if "refused" in str(error):
                raise TryAgain(f"{operation}: refused", scope=Scope.ACCOUNT) from None
            raise OutcomeUnknown(operation) if writes else TryAgain(operation) from None
        if answer.status_code == 429:
            raise TryAgain(operation, scope=Scope.OPERATION)
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)
