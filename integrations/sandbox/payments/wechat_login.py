"""Who is it that pays? WeChat's silent sign-in (snsapi_base): a code for the browser, an openid for the code."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from integrations.sandbox.payments import payer
from integrations.sandbox.payments.keys import WeChatPay
from integrations.sandbox.payments.pages import problem
from integrations.sandbox.payments.state import Book
from integrations.sandbox.payments.web import Reply, Request, page, said

CODE_LIVES = 300
TOKEN_LIVES = 7200


class Login:
    """/connect/oauth2/authorize and /sns/oauth2/access_token."""

    def __init__(self, book: Book, wechatpay: WeChatPay) -> None:
        self.book, self.wechatpay = book, wechatpay

    def authorize(self, request: Request) -> Reply:
        """Sends the browser back with a code; what is wrong is shown to the person, as WeChat does."""
        given = request.query
        back = urlsplit(given.get("redirect_uri", ""))
        if given.get("appid") != self.wechatpay.appid:
            return page(problem("10003", "appid"))
        if given.get("response_type") != "code" or given.get("scope") != "snsapi_base":
            return page(problem("10005", "scope"))
        if back.scheme not in ("http", "https") or not back.hostname:
            return page(problem("10003", "redirect_uri"))
        code = secrets.token_urlsafe(24)
        self.book.codes[code] = {"until": self.book.now() + CODE_LIVES, "used": False}
        query = "&".join(filter(None, (back.query, urlencode({"code": code, "state": given.get("state", "")}))))
        return Reply(302, headers={"location": urlunsplit(back._replace(query=query, fragment="")),
                                   "cache-control": "no-store"})  # fmt: skip

    def access_token(self, request: Request) -> Reply:
        """Once per code."""
        given = request.query
        if "error" in request.quirks:
            return _text({"errcode": -1, "errmsg": "system error"})
        if given.get("appid") != self.wechatpay.appid:
            return _text({"errcode": 40013, "errmsg": "invalid appid"})
        if given.get("secret") != self.wechatpay.app_secret:
            return _text({"errcode": 40125, "errmsg": "invalid appsecret"})
        if given.get("grant_type") != "authorization_code":
            return _text({"errcode": 40002, "errmsg": "invalid grant_type"})
        known = self.book.codes.get(given.get("code", ""))
        if known is None or known["until"] < self.book.now():
            return _text({"errcode": 40029, "errmsg": "invalid code"})
        if known["used"]:
            return _text({"errcode": 40163, "errmsg": "code been used"})
        known["used"] = True
        return _text({
            "access_token": secrets.token_urlsafe(32), "expires_in": TOKEN_LIVES,
            "refresh_token": secrets.token_urlsafe(32), "openid": payer.OPENID, "scope": "snsapi_base",
        })  # fmt: skip


def _text(data: dict[str, Any]) -> Reply:
    """JSON that calls itself text, as WeChat's does."""
    reply = said(data)
    reply.kind = "text/plain"
    return reply
