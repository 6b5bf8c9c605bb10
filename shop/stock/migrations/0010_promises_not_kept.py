"""Promises that could not be kept, what they cost, and how a shortage ended."""

import django.db.models.deletion
import django.db.models.functions.datetime
import shop.pricing.fields
from django.db import migrations, models

# How shortages that are over ended was not noted.
KNOWN = "UPDATE stock_shortage SET in_all = quantity, given_back = CASE WHEN closed_at IS NULL THEN 0 END"


class Migration(migrations.Migration):

    dependencies = [
        ('order', '0004_lines_of_kits'),
        ('stock', '0009_repairs'),
    ]

    operations = [
        migrations.CreateModel(
            name='BrokenPromise',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ending', models.CharField(choices=[('cancelled', 'cancelled for want of goods'), ('late', 'shipped late')], max_length=16, verbose_name='what became of it')),
                ('cause', models.CharField(choices=[('reading', "ERP's figure fell"), ('count', 'count'), ('damage', 'damage'), ('shipped', 'shipped more than was there'), ('channel', 'sold on a channel beyond what it was given'), ('moved', 'moved off the shelf'), ('closed', 'warehouse closed for sale'), ('repair', 'found by a repair'), ('supply', 'incoming supply failed or was late')], max_length=16, verbose_name='cause')),
                ('units', models.PositiveIntegerField(verbose_name='units')),
                ('value', shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, verbose_name='value')),
                ('cost', shop.pricing.fields.MoneyField(decimal_places=4, max_digits=19, null=True, verbose_name='cost')),
                ('cost_note', models.CharField(blank=True, max_length=255, verbose_name='what for')),
                ('cost_by', models.CharField(blank=True, max_length=128, verbose_name='cost entered by')),
                ('cost_at', models.DateTimeField(null=True, verbose_name='cost entered at')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True, editable=False, verbose_name='at')),
            ],
            options={
                'verbose_name': 'promise not kept',
                'verbose_name_plural': 'promises not kept',
                'ordering': ['-id'],
                'permissions': [('enter_promise_cost', 'Can say what promises not kept have cost')],
            },
        ),
        migrations.AddField(
            model_name='shortage',
            name='given_back',
            field=models.PositiveBigIntegerField(default=0, editable=False, null=True, verbose_name='promises given back'),
        ),
        migrations.AddField(
            model_name='shortage',
            name='in_all',
            field=models.PositiveBigIntegerField(default=0, editable=False, verbose_name='units short in all'),
        ),
        migrations.AddIndex(
            model_name='shortage',
            index=models.Index(fields=['closed_at'], name='shortage_closed'),
        ),
        migrations.AddField(
            model_name='brokenpromise',
            name='line',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='broken_promises', to='order.line', verbose_name='order line'),
        ),
        migrations.AddField(
            model_name='brokenpromise',
            name='pool',
            field=models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='broken_promises', to='stock.pool', verbose_name='SKU'),
        ),
        migrations.AddField(
            model_name='brokenpromise',
            name='shortage',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='broken_promises', to='stock.shortage', verbose_name='shortage'),
        ),
        migrations.AddConstraint(
            model_name='brokenpromise',
            constraint=models.UniqueConstraint(fields=('line', 'ending', 'cause'), name='broken_promise_once'),
        ),
        migrations.AddConstraint(
            model_name='brokenpromise',
            constraint=models.CheckConstraint(condition=models.Q(('units__gt', 0), ('value__gte', 0)), name='broken_promise_of_something'),
        ),
        migrations.AddConstraint(
            model_name='brokenpromise',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cost__isnull', True), ('cost_at__isnull', True), ('cost_by', '')), models.Q(('cost__gte', 0), ('cost_at__isnull', False), models.Q(('cost_by', ''), _negated=True)), _connector='OR'), name='broken_promise_cost_by_somebody'),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
