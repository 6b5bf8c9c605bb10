"""How WeChat Pay tells of a trade and of a refund: in replies and in notices. Amounts are fen."""

from __future__ import annotations

from typing import Any

from integrations.sandbox.payments import payer
from integrations.sandbox.payments.keys import WeChatPay
from integrations.sandbox.payments.state import Book, Refund, Trade, rfc3339

TYPES = {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI"}
WORDS = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}
ENDS = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}


def status(book: Book, trade: Trade) -> str:
    """WeChat Pay's word. REFUND: it was paid, and at least a part was given back or is about to be."""
    if trade.state == "paid":
        return "REFUND" if book.refunded(trade, "PROCESSING", "SUCCESS", "ABNORMAL") else "SUCCESS"
    return "CLOSED" if trade.state == "closed" else "NOTPAY"


def trade(book: Book, wechatpay: WeChatPay, trade: Trade) -> dict[str, Any]:
    """A trade as a query shows it."""
    said: dict[str, Any] = {
        "appid": wechatpay.appid, "mchid": wechatpay.mchid, "out_trade_no": trade.number,
        "trade_state": status(book, trade), "trade_state_desc": WORDS[status(book, trade)], "promotion_detail": [],
        "amount": {"total": trade.total, "payer_currency": "CNY"},
    }  # fmt: skip
    if trade.attach:
        said["attach"] = trade.attach
    return said | (_payment(wechatpay, trade) if trade.paid_at else {})


def _payment(wechatpay: WeChatPay, trade: Trade) -> dict[str, Any]:
    total, coupon, currency = trade.paid["total"], trade.paid["coupon"], trade.paid["currency"]
    coupons = [{"coupon_id": "990001", "name": "练习优惠券", "scope": "GLOBAL", "type": "NOCASH", "amount": coupon,
                "wechatpay_contribute": coupon, "currency": "CNY"}]  # fmt: skip
    return {
        "mchid": trade.paid["payee"] or wechatpay.mchid, "transaction_id": trade.remote,
        "trade_type": TYPES[trade.product], "bank_type": "PRACTICE_DEBIT", "success_time": rfc3339(trade.paid_at),
        "payer": {"openid": trade.openid or payer.OPENID}, "promotion_detail": coupons if coupon else [],
        "amount": {"total": total, "payer_total": total - coupon, "currency": currency, "payer_currency": currency},
    }  # fmt: skip


def trade_notice(book: Book, wechatpay: WeChatPay, paid: Trade) -> dict[str, Any]:
    """What a notice of a payment says: its kind, its summary, and what is sealed in it."""
    return {"event_type": "TRANSACTION.SUCCESS", "summary": "支付成功", "original_type": "transaction",
            "resource": trade(book, wechatpay, paid) | {"trade_state": "SUCCESS", "trade_state_desc": "支付成功"},
            }  # fmt: skip


def refund(trade: Trade, refund: Refund) -> dict[str, Any]:
    """A refund as it is replied, and as a query shows it."""
    total, coupon = trade.paid["total"], trade.paid["coupon"]
    said: dict[str, Any] = {
        "refund_id": refund.remote, "out_refund_no": refund.name, "transaction_id": trade.remote,
        "out_trade_no": trade.number, "channel": "ORIGINAL", "user_received_account": payer.RECEIVED_ACCOUNT,
        "create_time": rfc3339(refund.made_at), "status": refund.state, "funds_account": "AVAILABLE",
        "promotion_detail": [],
        "amount": {"total": total, "refund": refund.amount, "from": [], "payer_total": total - coupon,
                   "payer_refund": refund.amount, "settlement_refund": refund.amount, "settlement_total": total,
                   "discount_refund": 0, "currency": "CNY", "refund_fee": 0},
    }  # fmt: skip
    return said | ({"success_time": rfc3339(refund.done_at)} if refund.state == "SUCCESS" else {})


def refund_notice(book: Book, wechatpay: WeChatPay, trade: Trade, refund: Refund) -> dict[str, Any]:
    """What a notice of a refund says; here the state is called `refund_status`."""
    total = trade.paid["total"]
    resource: dict[str, Any] = {
        "mchid": wechatpay.mchid, "out_trade_no": trade.number, "transaction_id": trade.remote,
        "out_refund_no": refund.name, "refund_id": refund.remote, "refund_status": refund.state,
        "user_received_account": payer.RECEIVED_ACCOUNT,
        "amount": {"total": total, "refund": refund.amount, "payer_total": total - trade.paid["coupon"],
                   "payer_refund": refund.amount},
    }  # fmt: skip
    if refund.state == "SUCCESS":
        resource["success_time"] = rfc3339(refund.done_at)
    return {"event_type": f"REFUND.{refund.state}", "summary": ENDS[refund.state], "original_type": "refund",
            "resource": resource}  # fmt: skip
