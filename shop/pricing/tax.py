"""Tax out of a gross price: tax = gross - round_half_up(gross / (1 + rate))."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shop.pricing.money import quantise


@dataclass(frozen=True, slots=True)
class Taxed:
    """One amount with its tax taken apart; gross = net + tax, all quantised in one currency."""

    net: Decimal
    tax: Decimal
    gross: Decimal


def split(gross: Decimal, rate: Decimal, currency: str) -> Taxed:
    """`gross` (quantised) taken apart at `rate`, a fraction such as Decimal('0.13')."""
    if not rate:
        return Taxed(net=gross, tax=gross - gross, gross=gross)
    net = quantise(gross / (1 + rate), currency)
    return Taxed(net=net, tax=gross - net, gross=gross)
