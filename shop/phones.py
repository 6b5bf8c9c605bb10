"""Phone numbers as people type them: found by how they end, whatever stands before.

+86 138 0013 8000, 13800138000 and 138-0013-8000 end alike; so does what a customer says of it: "... 8000".
"""

from __future__ import annotations

import re

import phonenumbers
from django.conf import settings
from django.db.models import CharField, F, Func, Value

FEWEST = 4  # digits; fewer would find half of the customers


def backwards(field: str) -> Func:
    """The digits of a text column in reverse, for an index and for who looks up by it."""
    digits = Func(
        F(field), Value(r"\D"), Value(""), Value("g"), function="REGEXP_REPLACE", output_field=CharField()
    )  # fmt: skip
    return Func(digits, function="REVERSE", output_field=CharField())


def ending(text: str) -> str:
    """The digits with which a number written like `text` ends, without country code; '' where it is none."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < FEWEST or re.search(r"[^\d\s+()./-]", text):
        return ""
    try:
        number = phonenumbers.parse(text, settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return digits
    return str(number.national_number)
