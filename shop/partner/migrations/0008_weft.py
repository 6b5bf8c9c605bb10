import django.db.models.functions.text
import shop.pricing.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0033_weft'),
        ('partner', '0007_partneraddress_code'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='stockrecord',
            name='num_allocated',
        ),
        migrations.RemoveField(
            model_name='stockrecord',
            name='num_in_stock',
        ),
        migrations.AlterField(
            model_name='stockrecord',
            name='price',
            field=shop.pricing.fields.MoneyField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Price'),
        ),
        migrations.AddConstraint(
            model_name='stockrecord',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Upper('partner_sku'), name='sku_unique_in_any_case'),
        ),
        migrations.AddConstraint(
            model_name='stockrecord',
            constraint=models.UniqueConstraint(fields=('product',), name='one_stock_record_per_product'),
        ),
        migrations.AddConstraint(
            model_name='stockrecord',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='price_not_negative'),
        ),
    ]
