"""What the browser tests know of the shop they look at. No models: their own process has no database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    password: str


STAFF = Login("staff@weft.test", "a-staff-password-7")
SHIRT = ("府绸衬衫", "Poplin shirt")
VARIANTS = (  # SKU, option of the colour, size, price, units
    ("PO-G-S", "color-green", "S", "299.00", 30),
    ("PO-G-M", "color-green", "M", "299.00", 2),
    ("PO-G-L", "color-green", "L", "319.00", 0),
    ("PO-B-S", "color-blue", "S", "299.00", 30),
    ("PO-B-M", "color-blue", "M", "299.00", 30),
)
