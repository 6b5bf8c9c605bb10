import shop.pricing.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('basket', '0012_line_code'),
    ]

    operations = [
        migrations.AlterField(
            model_name='line',
            name='price_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, null=True, verbose_name='Price excl. Tax'),
        ),
        migrations.AlterField(
            model_name='line',
            name='price_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, null=True, verbose_name='Price incl. Tax'),
        ),
    ]
