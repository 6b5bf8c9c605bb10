"""What a stock code stands for: goods, shipping or a fee."""

from __future__ import annotations

import re

from shop.order.models import LineKind

SHIPPING = {"POST", "POSTAGE", "DOT", "C2", "SHIP", "SHIPPING", "FREIGHT", "DELIVERY", "CARRIAGE"}
FEES = {"M", "MANUAL", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "ADJUST", "ADJUST2", "FEE", "FEES"}
_SHIPS = re.compile(r"\b(postage|carriage|shipping|freight|delivery)\b", re.IGNORECASE)
_CHARGES = re.compile(
    r"\b(manual|fees?|charges?|commission|discount|surcharge|handling|samples|adjust\w*|bad debt)\b", re.IGNORECASE
)


def kind_of(code: str, description: str) -> LineKind:
    """Known codes first. A code without any digit says by its description what it charges for; all else is goods."""
    code = code.upper()
    if code in SHIPPING:
        return LineKind.SHIPPING
    if code in FEES:
        return LineKind.FEE
    if not any(character.isdigit() for character in code):
        if _SHIPS.search(description):
            return LineKind.SHIPPING
        if _CHARGES.search(description):
            return LineKind.FEE
    return LineKind.GOODS
