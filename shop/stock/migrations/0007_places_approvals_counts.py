"""Places beside the shelf, adjustments that two people decide about, and count sheets."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


KEEP = """
CREATE TRIGGER count_entry_append_only BEFORE UPDATE OR DELETE ON stock_countentry
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('entries of counts are append-only; enter another one');
CREATE TRIGGER proposal_stays BEFORE DELETE ON stock_proposal
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('who proposed and who decided what stays');
"""
FORGET = """
DROP TRIGGER count_entry_append_only ON stock_countentry;
DROP TRIGGER proposal_stays ON stock_proposal;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0004_staff_desk'),
        ('stock', '0006_shares'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CountEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveSmallIntegerField()),
                ('found', models.BigIntegerField(null=True)),
                ('figure', models.BigIntegerField(null=True)),
                ('counted_by', models.CharField(max_length=128)),
                ('counted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('source', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'verbose_name': 'entry of a count',
                'verbose_name_plural': 'entries of counts',
                'ordering': ['id'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CountRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='row')),
                ('found', models.BigIntegerField(null=True, verbose_name='units found')),
                ('figure', models.BigIntegerField(null=True, verbose_name='figure when counted')),
                ('difference', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('found'), '-', models.F('figure')), output_field=models.BigIntegerField(null=True), verbose_name='difference')),
                ('price', models.DecimalField(decimal_places=4, max_digits=19, null=True, verbose_name='price')),
                ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('counted_by', models.CharField(blank=True, max_length=128, verbose_name='counted by')),
                ('counted_at', models.DateTimeField(null=True, verbose_name='counted at')),
                ('entries', models.PositiveSmallIntegerField(default=0)),
                ('again', models.BooleanField(default=False, verbose_name='count again')),
            ],
            options={
                'verbose_name': 'row of a count sheet',
                'verbose_name_plural': 'rows of count sheets',
                'ordering': ['sheet', 'position'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CountSheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('choice', models.CharField(choices=[('all', 'all, by SKU'), ('never', 'never counted'), ('longest', 'counted longest ago'), ('moved', 'moved most often in the last 90 days')], default='all', max_length=16, verbose_name='which SKUs')),
                ('prefix', models.CharField(blank=True, max_length=64, verbose_name='SKU begins with')),
                ('blind', models.BooleanField(default=True, verbose_name='blind')),
                ('state', models.CharField(choices=[('counting', 'being counted'), ('counted', 'counted, waits for a decision'), ('approved', 'approved'), ('discarded', 'discarded')], default='counting', max_length=16, verbose_name='state')),
                ('round', models.PositiveSmallIntegerField(default=1, verbose_name='round')),
                ('made_by', models.CharField(max_length=128, verbose_name='made by')),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='made at')),
                ('finished_by', models.CharField(blank=True, max_length=128, verbose_name='counting ended by')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='counting ended at')),
                ('decided_by', models.CharField(blank=True, max_length=128, verbose_name='decided by')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided at')),
                ('note', models.CharField(blank=True, max_length=255, verbose_name='note')),
            ],
            options={
                'verbose_name': 'count sheet',
                'verbose_name_plural': 'count sheets',
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('change', models.CharField(choices=[('count', 'count'), ('adjustment', 'adjustment'), ('returned', 'returned'), ('damage', 'written off'), ('set_aside', 'set aside as damaged')], max_length=16, verbose_name='what')),
                ('quantity', models.BigIntegerField(help_text='Signed.', verbose_name='quantity')),
                ('found', models.BigIntegerField(null=True, verbose_name='units found')),
                ('figure', models.BigIntegerField(null=True, verbose_name='figure when counted')),
                ('value', models.DecimalField(decimal_places=4, max_digits=19, null=True, verbose_name='value')),
                ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('note', models.CharField(max_length=255, verbose_name='note')),
                ('proposed_by', models.CharField(max_length=128, verbose_name='proposed by')),
                ('proposed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='proposed at')),
                ('state', models.CharField(choices=[('waiting', 'waits for approval'), ('approved', 'approved'), ('refused', 'turned down')], default='waiting', max_length=16, verbose_name='state')),
                ('decided_by', models.CharField(blank=True, max_length=128, verbose_name='decided by')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided at')),
                ('answer', models.CharField(blank=True, max_length=255, verbose_name='answer')),
            ],
            options={
                'verbose_name': 'adjustment to approve',
                'verbose_name_plural': 'adjustments to approve',
                'ordering': ['-id'],
                'permissions': [('approve_stock', 'Can approve large changes of stock')],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='level',
            name='counted_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='last counted'),
        ),
        migrations.AddField(
            model_name='warehouse',
            name='kind',
            field=models.CharField(choices=[('shelf', 'shelf'), ('damaged', 'damaged goods'), ('quality', 'quality hold'), ('transit', 'in transit'), ('supplier', 'at a supplier'), ('marketplace', "at a marketplace's warehouse")], default='shelf', max_length=16, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='warehouse',
            name='parent',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='apart', to='stock.warehouse', verbose_name='belongs to'),
        ),
        migrations.AlterField(
            model_name='movement',
            name='reason',
            field=models.CharField(choices=[('opening', 'opening stock'), ('receipt', 'goods received'), ('count', 'count'), ('damage', 'written off'), ('shipped', 'shipped'), ('reading', "ERP's figure"), ('returned', 'returned'), ('adjustment', 'adjustment'), ('set_aside', 'set aside as damaged'), ('quality_hold', 'put on quality hold'), ('quality_passed', 'released from quality hold'), ('moved', 'moved to another place')], max_length=16, verbose_name='reason'),
        ),
        migrations.AlterField(
            model_name='shortage',
            name='cause',
            field=models.CharField(choices=[('reading', "ERP's figure fell"), ('count', 'count'), ('damage', 'damage'), ('shipped', 'shipped more than was there'), ('channel', 'sold on a channel beyond what it was given'), ('moved', 'moved off the shelf'), ('closed', 'warehouse closed for sale')], max_length=16, verbose_name='cause'),
        ),
        migrations.AddConstraint(
            model_name='warehouse',
            constraint=models.CheckConstraint(condition=models.Q(('is_sellable', False), ('kind', 'shelf'), _connector='OR'), name='only_shelves_sell'),
        ),
        migrations.AddConstraint(
            model_name='warehouse',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('damaged', 'quality')), ('parent__isnull', False)), models.Q(models.Q(('kind__in', ('damaged', 'quality')), _negated=True), ('parent__isnull', True)), _connector='OR'), name='set_apart_somewhere'),
        ),
        migrations.AddConstraint(
            model_name='warehouse',
            constraint=models.UniqueConstraint(fields=('parent', 'kind'), name='one_place_of_a_kind'),
        ),
        migrations.AddField(
            model_name='countentry',
            name='counter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='countrow',
            name='pool',
            field=models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.pool', verbose_name='SKU'),
        ),
        migrations.AddField(
            model_name='countentry',
            name='row',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='history', to='stock.countrow'),
        ),
        migrations.AddField(
            model_name='countsheet',
            name='decider',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='countsheet',
            name='finisher',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='countsheet',
            name='warehouse',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.warehouse', verbose_name='warehouse'),
        ),
        migrations.AddField(
            model_name='countrow',
            name='sheet',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='stock.countsheet'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='decider',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='proposal',
            name='destination',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.warehouse', verbose_name='goes to'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='pool',
            field=models.ForeignKey(db_column='sku', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='stock.pool', verbose_name='SKU'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='proposer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='proposal',
            name='warehouse',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.warehouse', verbose_name='warehouse'),
        ),
        migrations.AddIndex(
            model_name='countsheet',
            index=models.Index(condition=models.Q(('state__in', ('counting', 'counted'))), fields=['warehouse'], name='sheet_open'),
        ),
        migrations.AddConstraint(
            model_name='countrow',
            constraint=models.UniqueConstraint(fields=('sheet', 'pool'), name='once_on_a_sheet'),
        ),
        migrations.AddConstraint(
            model_name='countrow',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('figure__isnull', True), ('found__isnull', True)), models.Q(('figure__isnull', False), ('found__gte', 0)), _connector='OR'), name='found_against_a_figure'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(fields=['pool', 'warehouse'], name='proposal_level'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['id'], name='proposal_waiting'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decider__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('decider__isnull', False), models.Q(('decider', models.F('proposer')), _negated=True)), _connector='OR'), name='decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('figure__isnull', True), ('found__isnull', True)), ('quantity', django.db.models.expressions.CombinedExpression(models.F('found'), '-', models.F('figure'))), _connector='OR'), name='counted_difference'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('change', 'count'), ('state', 'waiting')), fields=('pool', 'warehouse'), name='one_count_waits'),
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
