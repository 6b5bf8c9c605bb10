import shop.pricing.fields
from decimal import Decimal
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('voucher', '0010_auto_20210224_0712'),
    ]

    operations = [
        migrations.AlterField(
            model_name='voucher',
            name='total_discount',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=Decimal('0.00'), max_digits=19, verbose_name='Total discount'),
        ),
    ]
