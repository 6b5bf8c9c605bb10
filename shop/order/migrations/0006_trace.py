"""Whose click moved an order."""

import runtime.logs.trace
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("order", "0005_payment_said")]

    operations = [
        migrations.AddField(
            model_name="orderstatuschange",
            name="trace",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=64, verbose_name="trace"
            ),
        ),
        migrations.AlterField(
            model_name="orderstatuschange",
            name="trace",
            field=models.CharField(
                blank=True, default=runtime.logs.trace.current, editable=False, max_length=64, verbose_name="trace"
            ),
        ),
        migrations.AddIndex(
            model_name="orderstatuschange",
            index=models.Index(fields=["trace"], name="order_change_trace", condition=~models.Q(trace="")),
        ),
    ]
