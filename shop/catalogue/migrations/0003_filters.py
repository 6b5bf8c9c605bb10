"""Names of attributes and their options in each language: lists are filtered by them."""

from django.db import migrations, models

# What stands there was written in the default language.
NAMES = "UPDATE catalogue_productattribute SET name_zh_hans = name"
OPTIONS = "UPDATE catalogue_attributeoption SET option_zh_hans = option"


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0002_hierarchy_view'),
    ]

    operations = [
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
            model_name='productattribute',
            name='name_en',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AddField(
            model_name='productattribute',
            name='name_zh_hans',
            field=models.CharField(max_length=128, null=True, verbose_name='Name'),
        ),
        migrations.AlterUniqueTogether(
            name='attributeoption',
            unique_together={('group', 'option'), ('group', 'option_en'), ('group', 'option_zh_hans')},
        ),
        migrations.RunSQL(NAMES, migrations.RunSQL.noop),
        migrations.RunSQL(OPTIONS, migrations.RunSQL.noop),
    ]
