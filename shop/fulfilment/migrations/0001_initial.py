import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('hub', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ParcelLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sku', models.CharField(db_collation='C', max_length=64, verbose_name='SKU')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
            ],
            options={
                'verbose_name': 'parcel line',
                'verbose_name_plural': 'parcel lines',
            },
        ),
        migrations.CreateModel(
            name='Sourcing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('shipped', models.PositiveIntegerField(default=0, verbose_name='shipped')),
            ],
            options={
                'verbose_name': 'sourcing',
                'verbose_name_plural': 'sourcings',
            },
        ),
        migrations.CreateModel(
            name='Parcel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_key', models.CharField(blank=True, max_length=64)),
                ('number', models.CharField(max_length=64, verbose_name='number')),
                ('shipped_at', models.DateTimeField(verbose_name='shipped at')),
                ('actor', models.CharField(blank=True, max_length=128, verbose_name='by')),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='hub.account')),
            ],
            options={
                'verbose_name': 'parcel',
                'verbose_name_plural': 'parcels',
                'ordering': ['id'],
            },
        ),
    ]
