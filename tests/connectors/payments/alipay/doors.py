"""A door behind which answers lie ready, for tests of what is made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from integrations.hub.http import Reply
from integrations.hub.testing.contract import NOON
from integrations.payments.alipay.keys import Keys, keys_of
from integrations.payments.providers.alipay import Alipay
from tests.connectors.payments.alipay import said

Answer = bytes | Mapping[str, Any] | Reply


class Ready:
    """Gives one answer after the other; `asked` is what was asked for them."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def request(self, method: str, url: str, **rest: Any) -> Reply:
        self.asked.append({"method": method, "url": url, **rest})
        answer = self.answers.pop(0)
        if isinstance(answer, Reply):
            return answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode()
        return Reply(200, {"content-type": "text/html;charset=utf-8"}, body)


def alipay(*answers: Answer, settings: Mapping[str, str] = said.KEY_MODE, **other: str) -> Alipay:
    made = Alipay({**settings, **other}, Ready(*answers), lambda: NOON)  # type: ignore[arg-type]
    if settings is said.KEY_MODE and not other:
        made._keys = _keys()  # reading a private key takes 30 ms
    return made


@cache
def _keys() -> Keys:
    return keys_of(said.KEY_MODE)


Call = Callable[[Alipay], Any]
