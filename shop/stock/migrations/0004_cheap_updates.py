"""Balances are updated in place all the time: room on each page for the new version of a row, so that no index has to
learn where it went, and no index that another one makes superfluous."""

import django.db.models.deletion
from django.db import migrations, models


ROOM = """
ALTER TABLE stock_level SET (fillfactor = 70);
ALTER TABLE stock_pool SET (fillfactor = 70);
"""
NO_ROOM = """
ALTER TABLE stock_level RESET (fillfactor);
ALTER TABLE stock_pool RESET (fillfactor);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('stock', '0003_reasons_of_returns'),
    ]

    operations = [
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.AlterField(
            model_name='level',
            name='pool',
            field=models.ForeignKey(db_column='sku', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='levels', to='stock.pool', verbose_name='SKU'),
        ),
        migrations.AlterField(
            model_name='movement',
            name='pool',
            field=models.ForeignKey(db_column='sku', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='stock.pool', verbose_name='SKU'),
        ),
    ]
