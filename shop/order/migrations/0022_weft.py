import shop.pricing.fields
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('basket', '0013_weft'),
        ('order', '0021_billingaddress_code_shippingaddress_code'),
        ('sites', '0002_alter_domain_unique'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveField(
            model_name='line',
            name='allocation_cancelled',
        ),
        migrations.RemoveField(
            model_name='line',
            name='num_allocated',
        ),
        migrations.AddField(
            model_name='line',
            name='tax_rate',
            field=models.DecimalField(decimal_places=5, default=Decimal('0'), max_digits=6, verbose_name='tax rate'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='order',
            name='external_number',
            field=models.CharField(default='', editable=False, max_length=128, verbose_name='external number'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='order',
            name='is_historical',
            field=models.BooleanField(default=False, editable=False, verbose_name='historical'),
        ),
        migrations.AddField(
            model_name='order',
            name='is_test',
            field=models.BooleanField(default=False, editable=False, verbose_name='test'),
        ),
        migrations.AddField(
            model_name='order',
            name='language',
            field=models.CharField(default='', editable=False, max_length=10, verbose_name='language'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='order',
            name='needs_return',
            field=models.BooleanField(default=False, editable=False, verbose_name='needs a return'),
        ),
        migrations.AddField(
            model_name='order',
            name='note',
            field=models.TextField(blank=True, verbose_name="customer's note"),
        ),
        migrations.AddField(
            model_name='order',
            name='paid_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='paid at'),
        ),
        migrations.AddField(
            model_name='order',
            name='payment_deadline',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='payment deadline'),
        ),
        migrations.AddField(
            model_name='order',
            name='payment_method',
            field=models.CharField(choices=[('bank_transfer', 'bank transfer'), ('on_account', 'on account')], default='', editable=False, max_length=32, verbose_name='payment method'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='order',
            name='shipping_tax_rate',
            field=models.DecimalField(decimal_places=5, default=0, max_digits=6, verbose_name='shipping tax rate'),
        ),
        migrations.AddField(
            model_name='order',
            name='source_account',
            field=models.CharField(default='web', editable=False, max_length=64, verbose_name='source'),
        ),
        migrations.AddField(
            model_name='orderstatuschange',
            name='actor',
            field=models.CharField(blank=True, max_length=128, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='orderstatuschange',
            name='reason',
            field=models.CharField(blank=True, max_length=255, verbose_name='reason'),
        ),
        migrations.AlterField(
            model_name='line',
            name='line_price_before_discounts_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Price before discounts (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='line',
            name='line_price_before_discounts_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Price before discounts (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='line',
            name='line_price_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Price (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='line',
            name='line_price_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Price (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='line',
            name='unit_price_excl_tax',
            field=shop.pricing.fields.MoneyField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Unit Price (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='line',
            name='unit_price_incl_tax',
            field=shop.pricing.fields.MoneyField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name='Unit Price (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='lineprice',
            name='price_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Price (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='lineprice',
            name='price_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Price (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='lineprice',
            name='shipping_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Shipping (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='lineprice',
            name='shipping_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Shiping (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='order',
            name='shipping_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Shipping charge (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='order',
            name='shipping_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Shipping charge (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='order',
            name='status',
            field=models.CharField(choices=[('pending_payment', 'awaiting payment'), ('paid', 'paid'), ('on_account', 'accepted on account'), ('partly_shipped', 'partly shipped'), ('shipped', 'shipped'), ('cancelling', 'being cancelled'), ('cancelled', 'cancelled'), ('expired', 'payment time over')], editable=False, max_length=32, verbose_name='Status'),
        ),
        migrations.AlterField(
            model_name='order',
            name='total_excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Order total (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='order',
            name='total_incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Order total (inc. tax)'),
        ),
        migrations.AlterField(
            model_name='orderdiscount',
            name='amount',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Amount'),
        ),
        migrations.AlterField(
            model_name='orderlinediscount',
            name='amount',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Line discount (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='paymentevent',
            name='amount',
            field=shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='Amount'),
        ),
        migrations.AlterField(
            model_name='surcharge',
            name='excl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Surcharge (excl. tax)'),
        ),
        migrations.AlterField(
            model_name='surcharge',
            name='incl_tax',
            field=shop.pricing.fields.MoneyField(decimal_places=4, default=0, max_digits=19, verbose_name='Surcharge (inc. tax)'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('status', 'pending_payment')), fields=['payment_deadline'], name='order_deadline'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['status', '-date_placed'], name='order_status'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('source_account', 'external_number'), name='order_external_number_unique'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('total_excl_tax__gte', 0), ('total_incl_tax__gte', 0)), name='order_totals_not_negative'),
        ),
    ]
