from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from oscar.apps.offer.abstract_models import AbstractBenefit, AbstractCondition, AbstractConditionalOffer
from oscar.models.fields import PositiveDecimalField

from shop.pricing.fields import MONEY_DECIMALS, MONEY_DIGITS, MoneyField


class ConditionalOffer(AbstractConditionalOffer):
    max_discount = MoneyField(_("Max discount"), null=True, blank=True)
    total_discount = MoneyField(_("Total Discount"), default=Decimal("0.00"))


class Benefit(AbstractBenefit):
    value = PositiveDecimalField(
        _("Value"), max_digits=MONEY_DIGITS, decimal_places=MONEY_DECIMALS, null=True, blank=True
    )


class Condition(AbstractCondition):
    value = PositiveDecimalField(
        _("Value"), max_digits=MONEY_DIGITS, decimal_places=MONEY_DECIMALS, null=True, blank=True
    )


from oscar.apps.offer.models import *
