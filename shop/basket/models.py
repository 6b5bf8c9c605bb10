from django.utils.translation import gettext_lazy as _
from oscar.apps.basket.abstract_models import AbstractLine

from shop.pricing.fields import MoneyField


class Line(AbstractLine):
    price_excl_tax = MoneyField(_("Price excl. Tax"), null=True)
    price_incl_tax = MoneyField(_("Price incl. Tax"), null=True)


from oscar.apps.basket.models import *
