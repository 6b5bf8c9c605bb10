"""A message bears the trace of the request that brought it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0008_health")]

    operations = [
        migrations.AddField(
            model_name="incoming",
            name="trace",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=64, verbose_name="trace"),
        ),
        migrations.AddIndex(
            model_name="incoming",
            index=models.Index(fields=["trace"], name="incoming_trace", condition=~models.Q(trace="")),
        ),
    ]
