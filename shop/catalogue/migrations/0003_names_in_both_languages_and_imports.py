import django.db.models.functions.datetime
from django.db import migrations, models

COPY = """
UPDATE catalogue_attributeoption SET option_zh_hans = option;
UPDATE catalogue_attributeoptiongroup SET name_zh_hans = name;
UPDATE catalogue_productattribute SET name_zh_hans = name;
UPDATE catalogue_productclass SET name_zh_hans = name;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0002_hierarchy_view'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='brought at')),
                ('actor', models.CharField(max_length=128, verbose_name='by')),
                ('file_name', models.CharField(max_length=255, verbose_name='file')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('content', models.BinaryField(null=True)),
                ('plan', models.CharField(blank=True, editable=False, max_length=64)),
                ('state', models.CharField(choices=[('checked', 'waits for a decision'), ('imported', 'imported'), ('discarded', 'discarded'), ('unreadable', 'cannot be read')], max_length=16, verbose_name='state')),
                ('problem', models.TextField(blank=True, verbose_name='why it cannot be read')),
                ('rows', models.PositiveIntegerField(default=0, verbose_name='rows')),
                ('created', models.PositiveIntegerField(default=0, verbose_name='new')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='changed')),
                ('unchanged', models.PositiveIntegerField(default=0, verbose_name='unchanged')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='refused')),
                ('report', models.JSONField(default=dict, editable=False)),
                ('decided_at', models.DateTimeField(editable=False, null=True, verbose_name='decided at')),
                ('decided_by', models.CharField(blank=True, max_length=128, verbose_name='decided by')),
                ('closed_at', models.DateTimeField(editable=False, null=True, verbose_name='closed at')),
                ('closed_by', models.CharField(blank=True, max_length=128, verbose_name='closed by')),
                ('note', models.CharField(blank=True, max_length=255, verbose_name='note')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-id'],
                'permissions': [('import_products', 'Can import products from files')],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='attributeoption',
            name='option_en',
            field=models.CharField(max_length=255, null=True, verbose_name='Option'),
        ),
        migrations.AddField(
            model_name='attributeoption',
            name='option_zh_hans',
            field=models.CharField(max_length=255, null=True, verbose_name='Option'),
        ),
        migrations.AddField(
            model_name='attributeoptiongroup',
            name='name_en',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AddField(
            model_name='attributeoptiongroup',
            name='name_zh_hans',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AddField(
            model_name='productattribute',
            name='name_en',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AddField(
            model_name='productattribute',
            name='name_zh_hans',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AddField(
            model_name='productclass',
            name='name_en',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AddField(
            model_name='productclass',
            name='name_zh_hans',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.RunSQL(COPY, migrations.RunSQL.noop),
        migrations.AlterUniqueTogether(
            name='attributeoption',
            unique_together={('group', 'option'), ('group', 'option_en'), ('group', 'option_zh_hans')},
        ),
    ]
