"""Who pays inside WeChat: OAuth with the scope `snsapi_base`, which shows the buyer nothing and tells us an openid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from integrations.hub.answers import text, understood
from integrations.hub.errors import Misconfigured, Rejected, Scope, TryAgain

if TYPE_CHECKING:
    from integrations.hub.http import Door

OPERATION = "ask who pays"
WRONG_APP = frozenset({40001, 40013, 40125, 40164})  # secret, app ID, secret, this machine's address is not allowed
BUSY = frozenset({-1, 45009, 45011})


def sign_in_url(address: str, appid: str, back: str, state: str) -> str:
    """Its parameters stand in the order that WeChat wants."""
    asked = {
        "appid": appid, "redirect_uri": back, "response_type": "code", "scope": "snsapi_base", "state": state,
    }  # fmt: skip
    return f"{address}?{urlencode(asked)}#wechat_redirect"


def openid(
    http: Door, address: str, appid: str, secret: str, query: Mapping[str, str], quoted: Callable[[str | bytes], str]
) -> str:
    """The openid, for the code with which the browser came back."""
    code = query.get("code", "")
    if not code:
        raise Rejected("The browser came back from WeChat without a code.")
    asked = {"appid": appid, "secret": secret, "code": code, "grant_type": "authorization_code"}
    reply = http.request("GET", f"{address}?{urlencode(asked)}", operation=OPERATION, writes=False)
    if reply.status in (401, 403):
        raise Misconfigured(f"{OPERATION}: WeChat refuses the app ID or its secret ({reply.status}).")
    if reply.status >= 400 and reply.status < 500:
        raise Rejected(f"{OPERATION}: WeChat refused it ({reply.status}): {quoted(reply.body)}")
    if reply.status != 200:
        raise TryAgain(f"{OPERATION}: WeChat answered {reply.status}.")
    told = reply.json(writes=False)
    with understood(OPERATION, writes=False):
        _heed(told, quoted)
        found = text(told, "openid")
    if not found:
        raise TryAgain(f"{OPERATION}: WeChat did not say who.")
    return found


def _heed(told: Any, quoted: Callable[[str | bytes], str]) -> None:
    """Errors come with HTTP 200."""
    number = told.get("errcode") or 0
    if not number:
        return
    words = f"{OPERATION}: WeChat answered {quoted(str(number))}: {quoted(str(told.get('errmsg', '')))}"
    if number in WRONG_APP:
        raise Misconfigured(f"{words}. Compare the app ID and the app secret, and the addresses that may use them.")
    if number in BUSY:
        raise TryAgain(words, after=timedelta(seconds=10), scope=Scope.OPERATION)
    raise Rejected(words)
