"""A line that came with a kit remembers which."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0003_names_in_both_languages_and_imports'),
        ('order', '0003_staff_desk'),
    ]

    operations = [
        migrations.AddField(
            model_name='line',
            name='kit_number',
            field=models.PositiveSmallIntegerField(blank=True, editable=False, null=True, verbose_name='kit no.'),
        ),
        migrations.AddField(
            model_name='line',
            name='kit_product',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalogue.product', verbose_name='kit'),
        ),
        migrations.AddField(
            model_name='line',
            name='kit_quantity',
            field=models.PositiveIntegerField(blank=True, editable=False, null=True, verbose_name='number of kits'),
        ),
        migrations.AddField(
            model_name='line',
            name='kit_sku',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64, verbose_name='SKU of the kit'),
        ),
        migrations.AddField(
            model_name='line',
            name='kit_title',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=255, verbose_name='title of the kit'),
        ),
    ]
