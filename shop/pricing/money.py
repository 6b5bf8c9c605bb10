"""The one place where amounts are rounded: to the ISO 4217 exponent of their currency, halves up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cache

from babel.numbers import get_currency_precision

ZERO = Decimal(0)


class TooFine(ValueError):
    """A price has more decimals than its currency can be paid in."""

    def __init__(self, amount: Decimal, currency: str) -> None:
        super().__init__(
            f"{amount} has more decimals than {currency} can be paid in ({exponent(currency)}); round it at its source."
        )


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency (ISO 4217, from CLDR): 2 for CNY, 0 for JPY, 3 for BHD."""
    return get_currency_precision(currency)


@cache
def unit(currency: str) -> Decimal:
    """The smallest payable amount, e.g. Decimal('0.01')."""
    return Decimal(1).scaleb(-exponent(currency))


def quantise(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up to the currency's smallest unit."""
    return amount.quantize(unit(currency), rounding=ROUND_HALF_UP)


def exact(amount: Decimal, currency: str) -> Decimal:
    """`amount` in the currency's decimals; raises TooFine rather than round."""
    quantised = quantise(amount, currency)
    if quantised != amount:
        raise TooFine(amount, currency)
    return quantised


def spread(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split `total` in proportion to `weights` (not negative) by the largest remainder; the parts add up exactly.

    Ties go to the earlier weight. With all weights zero everything goes to the first.
    """
    if not weights:
        raise ValueError("nothing to spread over")
    if total == 0:
        return [ZERO] * len(weights)
    step = unit(currency)
    whole = sum(weights, ZERO)
    if whole == 0:
        return [total, *[ZERO] * (len(weights) - 1)]
    shares = [total * weight / whole for weight in weights]
    parts = [share.quantize(step, rounding=ROUND_FLOOR) for share in shares]
    missing = int((total - sum(parts, ZERO)) / step)
    by_remainder = sorted(range(len(shares)), key=lambda i: (parts[i] - shares[i], i))
    for i in by_remainder[:missing]:
        parts[i] += step
    return parts
