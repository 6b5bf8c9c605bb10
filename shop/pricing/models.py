from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class TaxClass(models.Model):
    """What is taxed alike. `code` travels to the ERP; `rate`, a fraction (0.13), is copied onto each order line."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=128)
    rate = models.DecimalField(_("rate"), max_digits=6, decimal_places=5, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("tax class")
        verbose_name_plural = _("tax classes")
        ordering = ["-rate", "code"]
        constraints = [
            models.CheckConstraint(name="tax_rate_is_a_fraction", condition=models.Q(rate__gte=0, rate__lt=1))
        ]

    def __str__(self) -> str:
        return self.name
