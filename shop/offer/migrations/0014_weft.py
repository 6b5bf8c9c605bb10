import oscar.models.fields
import shop.pricing.fields
from decimal import Decimal
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('offer', '0013_range_excluded_categories'),
    ]

    operations = [
        migrations.AlterField(
            model_name='benefit',
            name='value',
            field=oscar.models.fields.PositiveDecimalField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Value'),
        ),
        migrations.AlterField(
            model_name='condition',
            name='value',
            field=oscar.models.fields.PositiveDecimalField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Value'),
        ),
        migrations.AlterField(
            model_name='conditionaloffer',
            name='max_discount',
            field=shop.pricing.fields.MoneyField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Max discount'),
        ),
        migrations.AlterField(
            model_name='conditionaloffer',
            name='total_discount',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=Decimal('0.00'), max_digits=19, verbose_name='Total Discount'),
        ),
    ]
