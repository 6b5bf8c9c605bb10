"""What people see: the cashier, the practice phone with the codes to scan, and errors. Chinese first, English below."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from integrations.sandbox.payments import payer
from integrations.sandbox.payments.state import Trade, yuan

NAMES = {"alipay": ("支付宝（练习）", "Alipay (practice)", "#0958d9"),
         "wechatpay": ("微信支付（练习）", "WeChat Pay (practice)", "#067a43")}  # fmt: skip
STYLE = """
:root{font:16px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;color:#1f2329;background:#f3f4f6}
body{margin:0}main{max-width:26rem;margin:0 auto;padding:1rem}
header{background:#ffd666;color:#3d2c00;text-align:center;padding:.5rem 1rem;font-weight:600}
.card{background:#fff;border-radius:12px;padding:1.25rem;margin-top:1rem;box-shadow:0 1px 3px #0001}
h1{font-size:1.1rem;margin:0}.amount{font-size:2.25rem;font-weight:700;margin:.5rem 0}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1rem 0}dt,.en,small{color:#5b626d}
dd{margin:0;overflow-wrap:anywhere;text-align:right}
button,.button{display:block;box-sizing:border-box;width:100%;min-height:2.75rem;margin-top:.75rem;padding:.5rem;
 border:1px solid #c9cdd4;border-radius:8px;background:#fff;color:inherit;font:inherit;text-align:center;cursor:pointer;
 text-decoration:none}
button.first{background:var(--brand);border-color:var(--brand);color:#fff;font-weight:600}
button:focus-visible,.button:focus-visible,input:focus-visible{outline:3px solid #ffb800;outline-offset:2px}
input{width:100%;box-sizing:border-box;min-height:2.75rem;font:inherit;padding:.5rem;border:1px solid #c9cdd4;
 border-radius:8px}ul{list-style:none;padding:0;margin:0}
"""


def _frame(title: str, body: str, brand: str = "#0958d9") -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}:root{{--brand:{brand}}}</style></head><body>"
        '<header>练习收银台 · 不会扣真钱 <span lang="en">/ PRACTICE · no real money</span></header>'
        f"<main>{body}</main></body></html>"
    )


def _facts(trade: Trade, shop: str) -> str:
    rows = (("商户 Merchant", shop), ("商品 For", trade.title), ("订单号 Number", trade.number))
    cells = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f'<p class="amount">¥ {yuan(trade.total)}</p><dl>{cells}</dl>'


def cashier(trade: Trade, shop: str) -> str:
    """Pay, decline, or later."""
    chinese, english, brand = NAMES[trade.provider]
    button = '<button name="do" value="{}"{}>{} <span lang="en">{}</span></button>'
    choices = (
        button.format("pay", ' class="first"', "确认付款", "Pay")
        + button.format("later", "", "10 秒后付款", "Pay in 10 seconds")
        + button.format("decline", "", "不付款", "Decline")
    )
    who = (
        f'<p><small>练习付款人 <span lang="en">practice payer</span>: {payer.NAME} · {payer.PHONE}<br>'
        f"{payer.BANK} {payer.CARD}</small></p>"
    )
    body = (
        f'<section class="card"><h1>{chinese}</h1><span class="en" lang="en">{english}</span>{_facts(trade, shop)}{who}'
        f'<form method="post">{choices}</form></section>'
    )
    return _frame(chinese, body, brand)


def ended(trade: Trade, shop: str, back: str, word: str = "") -> str:
    """What came of it, and the way back."""
    chinese, _english, brand = NAMES[trade.provider]
    words = {
        "paid": ("付款成功", "Paid"), "closed": ("交易已关闭", "This payment is closed"),
        "later": ("将在几秒后付款", "It will be paid in some seconds"), "declined": ("您没有付款", "You did not pay"),
    }  # fmt: skip
    zh, en = words.get(word or trade.state, words["declined"])
    again = '<a class="button" href="">重新付款 <span lang="en">Pay after all</span></a>' if word == "declined" else ""
    link = (
        f'<a class="button" href="{escape(back)}">返回商户 <span lang="en">Back to the shop</span></a>' if back else ""
    )
    body = (
        f'<section class="card" role="status"><h1>{zh}</h1><span class="en" lang="en">{en}</span>'
        f"{_facts(trade, shop)}{again}{link}</section>"
    )
    return _frame(zh, body, brand)


def problem(code: str, words: str) -> str:
    """An error that a person sees."""
    body = (
        '<section class="card" role="alert"><h1>调试错误，请回到请求来源地，重新发起请求。</h1>'
        '<span class="en" lang="en">The request is wrong; go back and start again.</span>'
        f"<dl><dt>错误代码 Code</dt><dd>{escape(code)}</dd><dt>说明 Why</dt><dd>{escape(words)}</dd></dl></section>"
    )
    return _frame("错误 Error", body)


def phone(trades: Sequence[Trade], links: Sequence[str]) -> str:
    """A practice phone: what could be paid now, and a field for what a QR code says."""
    rows = "".join(
        f'<li><a class="button" href="{escape(link)}">¥ {yuan(trade.total)} · {escape(trade.title)}<br>'
        f"<small>{NAMES[trade.provider][0]} · {escape(trade.number)}</small></a></li>"
        for trade, link in zip(trades, links, strict=True)
    )
    body = (
        '<section class="card"><h1>练习手机</h1><span class="en" lang="en">Practice phone</span>'
        '<form method="get" action="/scan"><p><label for="code">二维码内容 '
        '<span lang="en">What the QR code says</span></label><input id="code" name="code" required></p>'
        '<button class="first">扫一扫 <span lang="en">Scan</span></button></form></section>'
        '<section class="card"><h1>待付款</h1><span class="en" lang="en">Waiting to be paid</span>'
        f"<ul>{rows or '<li>—</li>'}</ul></section>"
    )
    return _frame("练习手机 Practice phone", body)
