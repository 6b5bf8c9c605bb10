import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0002_outgoing_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pulse',
            fields=[
                ('cluster', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('beaten_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('host', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'verbose_name': 'pulse',
                'verbose_name_plural': 'pulses',
            },
        ),
    ]
