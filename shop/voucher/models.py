from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from oscar.apps.voucher.abstract_models import AbstractVoucher

from shop.pricing.fields import MoneyField


class Voucher(AbstractVoucher):
    total_discount = MoneyField(_("Total discount"), default=Decimal("0.00"))


from oscar.apps.voucher.models import *
