import shop.pricing.fields
from decimal import Decimal
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('shipping', '0003_auto_20181115_1953'),
    ]

    operations = [
        migrations.AlterField(
            model_name='orderanditemcharges',
            name='free_shipping_threshold',
            field=shop.pricing.fields.MoneyField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Free Shipping'),
        ),
        migrations.AlterField(
            model_name='orderanditemcharges',
            name='price_per_item',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=Decimal('0.00'), max_digits=19, verbose_name='Price per item'),
        ),
        migrations.AlterField(
            model_name='orderanditemcharges',
            name='price_per_order',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=Decimal('0.00'), max_digits=19, verbose_name='Price per order'),
        ),
        migrations.AlterField(
            model_name='weightband',
            name='charge',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Charge'),
        ),
    ]
