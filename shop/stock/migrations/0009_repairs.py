"""What repairs have set right."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

KEEP = """
CREATE TRIGGER repair_append_only BEFORE UPDATE OR DELETE ON stock_repair
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('what a repair has set right stays on record');
"""
FORGET = "DROP TRIGGER repair_append_only ON stock_repair;"


class Migration(migrations.Migration):

    dependencies = [
        ('stock', '0008_supply_kits_presales'),
    ]

    operations = [
        migrations.AlterField(
            model_name='shortage',
            name='cause',
            field=models.CharField(choices=[('reading', "ERP's figure fell"), ('count', 'count'), ('damage', 'damage'), ('shipped', 'shipped more than was there'), ('channel', 'sold on a channel beyond what it was given'), ('moved', 'moved off the shelf'), ('closed', 'warehouse closed for sale'), ('repair', 'found by a repair')], max_length=16, verbose_name='cause'),
        ),
        migrations.CreateModel(
            name='Repair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.CharField(choices=[('on_hand', 'on hand'), ('reserved', 'reserved'), ('escrow', 'escrow'), ('shortage', 'units short'), ('movements', 'movements of a level'), ('held', 'held for an order that is over'), ('promised', 'sold ahead'), ('done', 'filled')], max_length=16, verbose_name='figure')),
                ('document', models.CharField(blank=True, max_length=64, verbose_name='document')),
                ('before', models.BigIntegerField(verbose_name='said')),
                ('after', models.BigIntegerField(verbose_name='says now')),
                ('actor', models.CharField(max_length=128, verbose_name='by')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='at')),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, to='stock.pool', verbose_name='SKU')),
            ],
            options={
                'verbose_name': 'repair',
                'verbose_name_plural': 'repairs',
                'ordering': ['-id'],
            },
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
