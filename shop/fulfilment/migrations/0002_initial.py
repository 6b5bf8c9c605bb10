import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('fulfilment', '0001_initial'),
        ('order', '0022_weft'),
        ('stock', '0001_initial'),
    ]

    operations = [
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
