import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('fulfilment', '0001_initial'),
        ('order', '0001_initial'),
        ('stock', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='parcel',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parcels', to='order.order', verbose_name='order'),
        ),
        migrations.AddField(
            model_name='parcelline',
            name='line',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parcel_lines', to='order.line'),
        ),
        migrations.AddField(
            model_name='parcelline',
            name='parcel',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='fulfilment.parcel'),
        ),
        migrations.AddField(
            model_name='parcelline',
            name='warehouse',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.warehouse'),
        ),
        migrations.AddField(
            model_name='sourcing',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sourcings', to='order.line'),
        ),
        migrations.AddField(
            model_name='sourcing',
            name='warehouse',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.warehouse'),
        ),
        migrations.AddConstraint(
            model_name='parcel',
            constraint=models.UniqueConstraint(condition=models.Q(('account__isnull', False)), fields=('account', 'remote_key'), name='parcel_remote_unique'),
        ),
        migrations.AddConstraint(
            model_name='sourcing',
            constraint=models.UniqueConstraint(fields=('line', 'warehouse'), name='sourcing_unique'),
        ),
    ]
