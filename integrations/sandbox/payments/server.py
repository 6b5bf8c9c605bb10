"""The gateways behind HTTP, in one process."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode, urlsplit

from integrations.sandbox.payments import alipay, alipay_methods, alipay_said, pages, wechatpay, wechatpay_methods
from integrations.sandbox.payments.control import Control
from integrations.sandbox.payments.faults import Faults
from integrations.sandbox.payments.keys import load
from integrations.sandbox.payments.notices import Sender
from integrations.sandbox.payments.state import Book, Trade
from integrations.sandbox.payments.trading import Trading
from integrations.sandbox.payments.web import Reply, Request, page, redirect, said
from integrations.sandbox.payments.wechat_login import Login

LATER = 10.0  # seconds, where a person says: pay later
MOST = 2_000_000  # bytes of a request
BUSY = Reply(503, b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>", "text/html")
Answer = Callable[[Request], Reply]


class Site(ThreadingHTTPServer):
    """Both gateways, the pages for people, the control API."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], folder: Path, state: Path | None = None, base: str = "") -> None:
        super().__init__(address, Handler)
        self.base = base or f"http://{address[0]}:{self.server_port}"
        self.keys = load(folder)
        self.keys.keep(self.base)
        self.book = Book(state)
        self.faults = Faults()
        self.trading = Trading(self.book, self.keys, self.faults)
        self.sender = Sender(self.book, self.keys, self.trading)
        self.control = Control(self.trading, self.sender, self.base)
        self.alipay = alipay.Gateway(alipay_methods.Methods(self.trading, self.base))
        self.wechatpay = wechatpay.Gateway(wechatpay_methods.Methods(self.trading, self.base))
        self.login = Login(self.book, self.keys.wechatpay)

    def answer(self, request: Request) -> Reply | None:
        """None: the line goes dead."""
        path = request.path
        if path.startswith("/control/"):
            return self._controlled(request)
        if path == "/alipay/gateway.do":
            return self._struck(request, self.alipay.operation(request), self.alipay.answer, self.alipay.unknown)
        if path.startswith("/v3/"):
            name = self.wechatpay.operation(request)
            return self._struck(request, name, self.wechatpay.answer, self.wechatpay.unknown)
        if path == "/sns/oauth2/access_token":
            return self._struck(request, "wechatpay.login", self.login.access_token, self.login.access_token)
        with self.book.lock:
            self.trading.sweep()
            return self._page(request)

    def _controlled(self, request: Request) -> Reply:
        with self.book.lock:
            self.trading.sweep()
            reply = self.control.answer(request)
        if request.path == "/control/notices" and request.method == "POST" and reply.status == 200:
            return said(self.control.send(json.loads(reply.body)["release"]))
        return reply

    def _struck(self, request: Request, operation: str, answer: Answer, unknown: Answer) -> Reply | None:
        """The answer, with the faults that wait for this operation."""
        quirks = frozenset(self.faults.take_all(operation))
        request = replace(request, quirks=quirks)
        if "latency" in quirks:
            time.sleep(self.faults.seconds)
        if "lose" in quirks:
            return None
        if "html_503" in quirks:
            return BUSY
        with self.book.lock:
            self.trading.sweep()
            reply = answer(request)
            if "unknown" in quirks:
                reply = unknown(request)
        return None if "cut" in quirks else reply

    def _page(self, request: Request) -> Reply:
        path, last = request.path, request.path.rpartition("/")[2]
        if path == "/":
            return self._phone()
        if path == "/scan":
            code = request.query.get("code", "")
            token = urlsplit(code).query.partition("pr=")[2] if code.startswith("weixin:") else code.rpartition("/")[2]
            return redirect(f"/cashier/{token}") if self.book.by_token(token) else page(pages.problem("404", code), 404)
        if path == "/connect/oauth2/authorize":
            return self.login.authorize(request)
        if path.startswith("/alipay/qr/"):
            return redirect(f"/cashier/{last}")
        if path in ("/wechatpay/h5", "/wechatpay/jsapi"):
            return self._wechat_page(request)
        trade = self.book.by_token(last) if path.startswith("/cashier/") else None
        if trade is None:
            return page(pages.problem("404", path), 404)
        return self._cashier(request, trade)

    def _wechat_page(self, request: Request) -> Reply:
        """The address of an H5 payment, or what WeChat shows when a page's script asks it for one."""
        given = request.query
        if request.path == "/wechatpay/jsapi" and not wechatpay.pay_sign_is_right(self.wechatpay, given):
            return page(pages.problem("fail", "get_brand_wcpay_request: paySign"), 400)
        prepay = given.get("prepay_id") or given.get("package", "").removeprefix("prepay_id=")
        trade = self.book.by_token(prepay.removeprefix("wx"))
        if trade is None or trade.product != request.path.rpartition("/")[2]:
            return page(pages.problem("404", "prepay_id"), 404)
        trade.return_url = given.get("redirect_url", "") or trade.return_url
        self.book.put(trade)
        return redirect(f"/cashier/{trade.token}")

    def _phone(self) -> Reply:
        waiting = [trade for trade in self.book.trades.values() if trade.state in ("made", "open")][-20:][::-1]
        return page(pages.phone(waiting, [f"/cashier/{trade.token}" for trade in waiting]))

    def _cashier(self, request: Request, trade: Trade) -> Reply:
        shop = "练习商户 Practice merchant"
        self.trading.open(trade)
        if trade.state != "open":
            return page(pages.ended(trade, shop, self._back(trade)))
        wanted = request.form(request.body.decode("latin-1")).get("do") if request.method == "POST" else ""
        if wanted == "pay":
            self.trading.pay(trade)
            back = self._back(trade)
            return redirect(back) if back else page(pages.ended(trade, shop, ""))
        if wanted == "later":
            self.trading.later(trade, LATER)
            return page(pages.ended(trade, shop, trade.quit_url or trade.return_url, "later"))
        if wanted == "decline":
            return page(pages.ended(trade, shop, trade.quit_url or trade.return_url, "declined"))
        return page(pages.cashier(trade, shop))

    def _back(self, trade: Trade) -> str:
        """Where the browser goes when it is paid: Alipay adds what it says, signed; WeChat Pay adds nothing."""
        url = trade.return_url
        if not url or not trade.paid_at or trade.provider != "alipay":
            return url
        added = urlencode(alipay_said.way_back(self.book, self.keys.alipay, trade), encoding=trade.charset)
        return f"{url}{'&' if '?' in url else '?'}{added}"


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the demo's log is read by people, and addresses carry what was paid."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MOST:
            self.close_connection = True
            return self._send(Reply(413))
        body = self.rfile.read(length)
        request = Request(self.command, _origin_form(self.path), self.headers, body, self.client_address[0])
        reply = self.server.answer(request)
        if reply is None:
            self.close_connection = True
            self.connection.close()
            return None
        return self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("content-type", reply.kind)
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        if reply.status != 204:
            self.wfile.write(reply.body)


def _origin_form(target: str) -> str:
    """Some clients name the whole address in the request line."""
    parts = urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "") if parts.scheme else target


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.payments", description="Practice gateways.")
    parser.add_argument("--port", type=int, default=8730)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--folder", type=Path, required=True, help="keys; what the merchant gets is written here")
    parser.add_argument("--state", type=Path, help="where trades are kept, so that a restart finds them")
    parser.add_argument("--base", default="", help="how others name this place, if not by host and port")
    given = parser.parse_args()
    site = Site((given.host, given.port), given.folder, given.state, given.base.rstrip("/"))

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=site.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Practice payment gateways at {site.base}", flush=True)
    site.sender.start()
    site.serve_forever()
    site.sender.stop()
    site.server_close()
