"""When the customer told us that the transfer is made."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('order', '0004_lines_of_kits'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='payment_said_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='said to be paid at'),
        ),
    ]
