"""How Alipay tells of a trade: in the reply to a query, in a notice, in the address a browser comes back with."""

from __future__ import annotations

import json
from typing import Any

from integrations.sandbox.payments import payer
from integrations.sandbox.payments.keys import Alipay, private
from integrations.sandbox.payments.signing import alipay_content, sign
from integrations.sandbox.payments.state import Book, Refund, Trade, beijing, yuan

FUNDS = "ALIPAYACCOUNT"


def status(book: Book, trade: Trade) -> str:
    """Alipay's word; TRADE_CLOSED says both: nobody paid, and all of it was given back."""
    return {"open": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED"}.get(trade.state, "")


def amounts(trade: Trade) -> dict[str, str]:
    """What it costs, what the payer paid, what the merchant gets (here: without fees)."""
    if not trade.paid_at:
        return {"total_amount": yuan(trade.total), "buyer_pay_amount": "0.00", "receipt_amount": "0.00",
                "invoice_amount": "0.00", "point_amount": "0.00"}  # fmt: skip
    total, coupon = trade.paid["total"], trade.paid["coupon"]
    return {"total_amount": yuan(total), "buyer_pay_amount": yuan(total - coupon), "receipt_amount": yuan(total),
            "invoice_amount": yuan(total - coupon), "point_amount": "0.00"}  # fmt: skip


def buyer() -> dict[str, str]:
    return {"buyer_logon_id": payer.ALIPAY_LOGON_ID, "buyer_user_id": payer.ALIPAY_USER_ID,
            "buyer_open_id": payer.ALIPAY_OPEN_ID}  # fmt: skip


def trade(book: Book, trade: Trade) -> dict[str, Any]:
    """The business part of the reply to alipay.trade.query."""
    said: dict[str, Any] = {
        "out_trade_no": trade.number, "trade_no": trade.remote, "trade_status": status(book, trade),
        **amounts(trade), "buyer_user_type": "PRIVATE", "send_pay_date": "",
    }  # fmt: skip
    if trade.paid_at:
        said |= {**buyer(), "buyer_user_name": payer.NAME, "send_pay_date": beijing(trade.paid_at),
                 "subject": trade.title, "fund_bill_list": _funds(trade)}  # fmt: skip
        if trade.paid["currency"] != "CNY":
            currency = trade.paid["currency"]
            said |= {"pay_currency": currency, "trans_currency": currency, "settle_currency": currency}
    else:
        del said["send_pay_date"]
        said |= buyer()
    if trade.attach:
        said["passback_params"] = trade.attach
    return said


def notice(book: Book, alipay: Alipay, trade: Trade, refund: Refund | None = None) -> dict[str, Any]:
    """What a notice says, but for its own time and signature. Every value is text."""
    said = {
        "notify_type": "trade_status_sync", "version": "1.0", "app_id": alipay.app_id, "auth_app_id": alipay.app_id,
        "out_trade_no": trade.number, "trade_no": trade.remote, "trade_status": status(book, trade),
        "subject": trade.title, "gmt_create": beijing(trade.opened_at), "seller_id": alipay.seller_id,
        "seller_email": "practice-shop@alipay.example", "passback_params": trade.attach, **amounts(trade),
    }  # fmt: skip
    if trade.paid_at:
        funds = [{"amount": fund["amount"], "fundChannel": fund["fund_channel"]} for fund in _funds(trade)]
        said |= {
            "buyer_id": payer.ALIPAY_USER_ID, "buyer_logon_id": payer.ALIPAY_LOGON_ID,
            "buyer_open_id": payer.ALIPAY_OPEN_ID, "gmt_payment": beijing(trade.paid_at),
            "seller_id": trade.paid["payee"] or alipay.seller_id,
            "fund_bill_list": json.dumps(funds, separators=(",", ":")),
        }  # fmt: skip
    if trade.paid_at and trade.paid["currency"] != "CNY":
        said["trans_currency"] = said["pay_currency"] = trade.paid["currency"]
    if trade.closed_at:
        said["gmt_close"] = beijing(trade.closed_at)
    if refund:
        said |= {"refund_fee": yuan(book.refunded(trade)), "send_back_fee": yuan(refund.amount),
                 "gmt_refund": f"{beijing(refund.done_at)}.000", "out_biz_no": refund.name}  # fmt: skip
    return said


def refund(book: Book, trade: Trade, refund: Refund, changed: bool) -> dict[str, Any]:
    """The reply to alipay.trade.refund: `refund_fee` is all that was ever given back of the trade."""
    funds = [{"amount": yuan(refund.amount), "fund_channel": FUNDS}]
    said = {"out_trade_no": trade.number, "trade_no": trade.remote, **buyer(),
            "fund_change": "Y" if changed else "N", "refund_fee": yuan(book.refunded(trade)),
            "send_back_fee": yuan(refund.amount if changed else 0), "refund_detail_item_list": funds}  # fmt: skip
    return said | ({"gmt_refund_pay": beijing(refund.done_at)} if refund.done_at else {})


def refund_seen(book: Book, trade: Trade, refund: Refund) -> dict[str, Any]:
    """The reply to alipay.trade.fastpay.refund.query: it names a status only when the money is back."""
    said = {"out_trade_no": trade.number, "trade_no": trade.remote, "out_request_no": refund.name,
            "refund_amount": yuan(refund.amount), "total_amount": yuan(trade.paid["total"]),
            "refund_reason": refund.reason}  # fmt: skip
    done = {"refund_status": "REFUND_SUCCESS", "gmt_refund_pay": beijing(refund.done_at)}
    return said | (done if refund.state == "SUCCESS" else {})


def way_back(book: Book, alipay: Alipay, trade: Trade) -> dict[str, str]:
    """What is added to `return_url`, signed."""
    said = {
        "charset": trade.charset, "out_trade_no": trade.number, "trade_no": trade.remote,
        "method": f"alipay.trade.{trade.product}.pay.return", "total_amount": yuan(trade.paid["total"]),
        "auth_app_id": alipay.app_id, "app_id": alipay.app_id, "seller_id": alipay.seller_id, "version": "1.0",
        "sign_type": "RSA2", "timestamp": beijing(book.now()),
    }  # fmt: skip
    content = alipay_content(said, ("sign", "sign_type")).encode(trade.charset)
    return said | {"sign": sign(private(alipay.gateway_key), content)}


def _funds(trade: Trade) -> list[dict[str, str]]:
    coupon = trade.paid["coupon"]
    funds = [{"amount": yuan(trade.paid["total"] - coupon), "fund_channel": FUNDS}]
    return funds + ([{"amount": yuan(coupon), "fund_channel": "COUPON"}] if coupon else [])
