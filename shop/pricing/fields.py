"""Money columns. Wider than Oscar's 12,2 so that any ISO 4217 exponent and any currency's amounts fit."""

from django.db import models

MONEY_DIGITS = 19
MONEY_DECIMALS = 4


class MoneyField(models.DecimalField):
    """A DecimalField of 19,4. What is written into it is quantised before, in `shop.pricing.money`."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max_digits", MONEY_DIGITS)
        kwargs.setdefault("decimal_places", MONEY_DECIMALS)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
