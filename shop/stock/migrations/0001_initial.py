import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('hub', '0001_initial'),
        ('order', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pool',
            fields=[
                ('sku', models.CharField(db_collation='C', max_length=64, primary_key=True, serialize=False, verbose_name='SKU')),
                ('on_hand', models.BigIntegerField(default=0, verbose_name='on hand')),
                ('reserved', models.BigIntegerField(default=0, verbose_name='reserved')),
                ('escrow', models.BigIntegerField(default=0, verbose_name='escrow')),
                ('shortage', models.BigIntegerField(default=0, verbose_name='shortage')),
            ],
            options={
                'verbose_name': 'stock',
                'verbose_name_plural': 'stock',
                'ordering': ['sku'],
                'permissions': [('adjust_stock', 'Can receive, count and write off stock')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Upper('sku'), name='pool_sku_unique_in_any_case'), models.CheckConstraint(condition=models.Q(('escrow__gte', 0), ('reserved__gte', 0), ('shortage__gte', 0), ('on_hand__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('reserved'), '+', models.F('escrow')), '-', models.F('shortage')))), name='I1')],
            },
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='applied at')),
                ('rows', models.PositiveIntegerField(default=0, verbose_name='rows read')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='rows changed')),
                ('refused', models.PositiveIntegerField(default=0, help_text='Changed here meanwhile.', verbose_name='rows refused')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='hub.account', verbose_name='account')),
            ],
            options={
                'verbose_name': 'reading',
                'verbose_name_plural': 'readings',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Warehouse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(db_collation='C', max_length=32, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=128, verbose_name='name')),
                ('priority', models.PositiveSmallIntegerField(default=1, help_text='Lower ships first.', verbose_name='priority')),
                ('is_sellable', models.BooleanField(default=True, help_text='Its stock may be promised.', verbose_name='sellable')),
                ('erp_account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='hub.account', verbose_name='figures owned by')),
            ],
            options={
                'verbose_name': 'warehouse',
                'verbose_name_plural': 'warehouses',
                'ordering': ['priority', 'code'],
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('consumed', models.PositiveIntegerField(default=0, verbose_name='shipped')),
                ('released', models.PositiveIntegerField(default=0, verbose_name='released')),
                ('open', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('quantity'), '-', models.F('consumed')), '-', models.F('released')), output_field=models.IntegerField(), verbose_name='open')),
                ('deadline', models.DateTimeField(blank=True, null=True, verbose_name='deadline')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='made at')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='order.line', verbose_name='order line')),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='stock.pool', verbose_name='SKU')),
            ],
            options={
                'verbose_name': 'hold',
                'verbose_name_plural': 'holds',
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('open__gt', 0)), fields=['pool'], name='hold_open'), models.Index(condition=models.Q(('open__gt', 0)), fields=['deadline'], name='hold_deadline')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('quantity__gte', django.db.models.expressions.CombinedExpression(models.F('consumed'), '+', models.F('released')))), name='hold_not_overdrawn')],
            },
        ),
        migrations.CreateModel(
            name='Shortage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveBigIntegerField(verbose_name='units short')),
                ('cause', models.CharField(choices=[('reading', "ERP's figure fell"), ('count', 'count'), ('damage', 'damage'), ('shipped', 'shipped more than was there')], max_length=16, verbose_name='cause')),
                ('provisional', models.BooleanField(default=False, verbose_name='provisional')),
                ('orders', models.JSONField(default=list, verbose_name='affected orders')),
                ('opened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='opened at')),
                ('opened_by_reading', models.BigIntegerField(editable=False, null=True)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmed at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='shortages', to='stock.pool', verbose_name='SKU')),
            ],
            options={
                'verbose_name': 'shortage',
                'verbose_name_plural': 'shortages',
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('pool',), name='one_open_shortage_per_sku')],
            },
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.BigIntegerField(help_text='Signed.', verbose_name='quantity')),
                ('reason', models.CharField(choices=[('opening', 'opening stock'), ('receipt', 'goods received'), ('count', 'count'), ('damage', 'damaged'), ('shipped', 'shipped'), ('reading', "ERP's figure")], max_length=16, verbose_name='reason')),
                ('document', models.CharField(blank=True, db_index=True, max_length=160, verbose_name='document')),
                ('actor', models.CharField(blank=True, max_length=128, verbose_name='by')),
                ('note', models.CharField(blank=True, max_length=255, verbose_name='note')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='at')),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='stock.pool', verbose_name='SKU')),
                ('warehouse', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='stock.warehouse')),
            ],
            options={
                'verbose_name': 'movement',
                'verbose_name_plural': 'movements',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['pool', 'warehouse'], name='movement_level')],
            },
        ),
        migrations.CreateModel(
            name='Level',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on_hand', models.BigIntegerField(default=0, verbose_name='on hand')),
                ('on_hand_rev', models.BigIntegerField(default=0)),
                ('reading_seq', models.BigIntegerField(default=0)),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='levels', to='stock.pool', verbose_name='SKU')),
                ('warehouse', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='levels', to='stock.warehouse')),
            ],
            options={
                'verbose_name': 'stock level',
                'verbose_name_plural': 'stock levels',
                'constraints': [models.UniqueConstraint(fields=('pool', 'warehouse'), name='level_unique')],
            },
        ),
    ]
