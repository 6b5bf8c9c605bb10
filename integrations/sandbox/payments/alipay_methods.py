"""What Alipay does when it is asked: the business of each method, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from integrations.sandbox.payments import alipay_said
from integrations.sandbox.payments.state import BEIJING, Book, Refund, Trade
from integrations.sandbox.payments.trading import Trading
from integrations.sandbox.payments.web import Reply, redirect

PAGES = {"alipay.trade.page.pay": ("page", "FAST_INSTANT_TRADE_PAY"), "alipay.trade.wap.pay": ("wap", "QUICK_WAP_WAY")}
WAP_CODES = ("QUICK_WAP_WAY", "QUICK_WAP_PAY")  # the second in older documents, and still taken
AMOUNT = re.compile(r"(0|[1-9]\d{0,8})(\.\d{1,2})?")
NUMBER = re.compile(r"[A-Za-z0-9_]{1,64}")
SPANS = {"m": 60, "h": 3600, "d": 86400}
LONGEST = 15 * 86400


class Refused(Exception):
    """A reply that is not 10000."""

    def __init__(self, code: str, sub_code: str, words: str, **more: str) -> None:
        super().__init__(sub_code)
        self.code, self.sub_code, self.words, self.more = code, sub_code, words, more


Operation = Callable[[dict[str, Any], dict[str, str], str, frozenset[str]], dict[str, Any]]


class Methods:
    """By the name of the method: the operation that faults are set for, and what does it."""

    def __init__(self, trading: Trading, base: str) -> None:
        self.trading, self.base = trading, base
        self.book: Book = trading.book
        self.keys = trading.keys
        self.operations: dict[str, tuple[str, Operation]] = {
            "alipay.trade.page.pay": ("pay", self._none), "alipay.trade.wap.pay": ("pay", self._none),
            "alipay.trade.precreate": ("precreate", self.precreate), "alipay.trade.query": ("query", self.query),
            "alipay.trade.close": ("close", self.close), "alipay.trade.refund": ("refund", self.refund),
            "alipay.trade.fastpay.refund.query": ("refund_query", self.refund_query),
        }  # fmt: skip

    def _none(
        self, asked: dict[str, Any], given: dict[str, str], charset: str, quirks: frozenset[str]
    ) -> dict[str, Any]:
        raise AssertionError("a page answers this one")

    def pay_page(self, method: str, asked: dict[str, Any], given: dict[str, str], charset: str) -> Reply:
        """The buyer's browser is sent on to the cashier. No trade yet: Alipay makes it when the buyer is there."""
        product, code = PAGES[method]
        if asked.get("product_code", code) not in (WAP_CODES if product == "wap" else (code,)):
            raise _invalid("product_code")
        trade = self._expected(product, asked, given, charset)
        return redirect(f"{self.base}/cashier/{trade.token}")

    def precreate(self, asked: dict[str, Any], given: dict[str, str], charset: str, quirks: frozenset[str],
                  ) -> dict[str, Any]:  # fmt: skip
        trade = self._expected("qr", asked, given, charset)
        return {"out_trade_no": trade.number, "qr_code": f"{self.base}/alipay/qr/{trade.token}"}

    def query(self, asked: dict[str, Any], given: dict[str, str], charset: str, quirks: frozenset[str],
              ) -> dict[str, Any]:  # fmt: skip
        return alipay_said.trade(self.book, self._there(asked))

    def close(self, asked: dict[str, Any], given: dict[str, str], charset: str, quirks: frozenset[str],
              ) -> dict[str, Any]:  # fmt: skip
        trade = self._there(asked)
        if trade.state != "open":
            raise Refused("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        self.trading.close(trade)
        return {"out_trade_no": trade.number, "trade_no": trade.remote}

    def refund(self, asked: dict[str, Any], given: dict[str, str], charset: str, quirks: frozenset[str],
               ) -> dict[str, Any]:  # fmt: skip
        trade, amount = self._there(asked), _fen(asked.get("refund_amount"), "refund_amount")
        name = str(asked.get("out_request_no") or "")
        known = self._refund(trade, name or trade.number)
        if known:
            if known.amount != amount:
                raise Refused("40004", "ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
            return alipay_said.refund(self.book, trade, known, changed=False)
        self._check_refund(trade, name, amount, quirks)
        made = self.trading.refund(
            trade, name or trade.number, amount, pending="pending" in quirks, reason=str(asked.get("refund_reason", ""))
        )
        return alipay_said.refund(self.book, trade, made, changed=made.state == "SUCCESS")

    def _check_refund(self, trade: Trade, name: str, amount: int, quirks: frozenset[str]) -> None:
        if not trade.paid_at or trade.state != "paid":
            raise Refused("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法", **_nothing(trade))
        if not name and amount != trade.total:
            raise Refused(
                "40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "撤销或退款金额与订单金额不一致", **_nothing(trade)
            )
        if amount < 1 or amount + self.book.refunded(trade, "SUCCESS", "PROCESSING") > trade.total:
            raise Refused("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效", **_nothing(trade))
        if "not_enough" in quirks:
            raise Refused("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足", **_nothing(trade))

    def refund_query(self, asked: dict[str, Any], given: dict[str, str], charset: str, quirks: frozenset[str],
                     ) -> dict[str, Any]:  # fmt: skip
        trade = self._there(asked)
        if not asked.get("out_request_no"):
            raise _invalid("out_request_no")
        refund = self._refund(trade, str(asked["out_request_no"]))
        return alipay_said.refund_seen(self.book, trade, refund) if refund else {}

    def _refund(self, trade: Trade, name: str) -> Refund | None:
        return self.book.refunds.get(f"{trade.key}:{name}")

    def _there(self, asked: dict[str, Any]) -> Trade:
        """The trade that is meant; one that nobody scanned is none."""
        number, remote = str(asked.get("out_trade_no") or ""), str(asked.get("trade_no") or "")
        if not number and not remote:
            raise _invalid("out_trade_no")
        trade = self.book.trade("alipay", number, remote)
        if trade is None or not trade.remote:
            raise Refused("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
        return trade

    def _expected(self, product: str, asked: dict[str, Any], given: dict[str, str], charset: str) -> Trade:
        """The payment as it is asked for: a new one, or the same again."""
        number = str(asked.get("out_trade_no") or "")
        title = str(asked.get("subject") or "")
        if not NUMBER.fullmatch(number):
            raise _invalid("out_trade_no")
        if not title or len(title) > 256:
            raise _invalid("subject")
        if asked.get("seller_id") and asked["seller_id"] != self.keys.alipay.seller_id:
            raise Refused("40004", "ACQ.PARTNER_ERROR", "应用APP_ID填写错误")
        agreed = {"total": _fen(asked.get("total_amount"), "total_amount"), "title": title}
        if agreed["total"] < 1:
            raise _invalid("total_amount")
        now = self.book.now()
        known = self.book.trade("alipay", number)
        if known and (known.state != "closed" or known.remote or known.asked != agreed):
            return _again(known, agreed)
        made = Trade(
            "alipay", number, product, agreed["total"], title, given.get("notify_url", ""), now, _expiry(asked, now),
            return_url=given.get("return_url", ""), quit_url=str(asked.get("quit_url") or ""),
            attach=str(asked.get("passback_params") or ""), asked=agreed, charset=charset,
            certified=bool(given.get("app_cert_sn")),
        )  # fmt: skip
        self.book.put(made)
        return made


def _again(known: Trade, agreed: dict[str, Any]) -> Trade:
    """The same number once more: only for the same payment, and while nobody paid or closed it."""
    if known.asked != agreed:
        raise Refused("40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
    if known.paid_at:
        raise Refused("40004", "ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if known.state == "closed":
        raise Refused("40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    return known


def _nothing(trade: Trade) -> dict[str, str]:
    return {"out_trade_no": trade.number, "refund_fee": "0.00", "send_back_fee": "0.00"}


def _invalid(name: str) -> Refused:
    return Refused("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{name}")


def _fen(value: Any, name: str) -> int:
    """Yuan, as text or as a number, with at most two decimals."""
    text = str(value)
    if isinstance(value, bool) or not AMOUNT.fullmatch(text):
        raise _invalid(name)
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def _expiry(asked: dict[str, Any], now: float) -> float:
    """time_expire (Beijing) or timeout_express; fifteen days where nothing is said."""
    if asked.get("time_expire"):
        try:
            when = datetime.strptime(str(asked["time_expire"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        except ValueError:
            raise _invalid("time_expire") from None
        if when.timestamp() <= now:
            raise _invalid("time_expire")
        return min(when.timestamp(), now + LONGEST)
    span = str(asked.get("qr_code_timeout_express") or asked.get("timeout_express") or "15d")
    if not re.fullmatch(r"[1-9]\d{0,4}[mhd]", span):
        raise _invalid("timeout_express")
    return now + min(int(span[:-1]) * SPANS[span[-1]], LONGEST)
