import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32, verbose_name='kind')),
                ('provider', models.CharField(max_length=32, verbose_name='provider')),
                ('name', models.CharField(max_length=64, unique=True, verbose_name='name')),
                ('state', models.CharField(choices=[('starting', 'starting'), ('active', 'active'), ('paused', 'paused by staff'), ('retired', 'retired')], default='starting', max_length=16, verbose_name='state')),
                ('settings', models.JSONField(blank=True, default=dict, verbose_name='settings')),
                ('sealed', models.TextField(blank=True, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created at')),
                ('active_since', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='active since')),
                ('checked_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='checked at')),
                ('problem', models.TextField(blank=True, editable=False, verbose_name='problem')),
                ('remote_version', models.CharField(blank=True, editable=False, max_length=64, verbose_name="remote's version")),
                ('notes', models.JSONField(blank=True, default=list, editable=False, verbose_name='notes')),
            ],
            options={
                'verbose_name': 'account',
                'verbose_name_plural': 'accounts',
                'ordering': ['kind', 'name'],
                'permissions': [('operate_account', 'Can test, pause and resume accounts')],
            },
        ),
        migrations.CreateModel(
            name='LaneClock',
            fields=[
                ('lane', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ('claimed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'lane',
                'verbose_name_plural': 'lanes',
            },
        ),
        migrations.CreateModel(
            name='Outgoing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(db_collation='C', max_length=64, verbose_name='topic')),
                ('key', models.CharField(db_collation='C', max_length=160, verbose_name='key')),
                ('subject', models.CharField(db_index=True, max_length=160, verbose_name='about')),
                ('lane', models.PositiveSmallIntegerField(choices=[(0, 'money'), (1, 'parcels'), (2, 'orders'), (3, 'stock'), (4, 'catalogue')], verbose_name='lane')),
                ('is_command', models.BooleanField(default=False, verbose_name='command')),
                ('serial', models.CharField(blank=True, help_text='Strictly in order within it.', max_length=160, verbose_name='serial')),
                ('payload', models.JSONField(blank=True, default=dict, verbose_name='payload')),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('wanted', models.BigIntegerField(default=1, verbose_name='wanted')),
                ('delivered', models.BigIntegerField(default=0, verbose_name='delivered')),
                ('next_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='next try')),
                ('waits_topic', models.CharField(blank=True, default='', max_length=64)),
                ('waits_key', models.CharField(blank=True, default='', max_length=160)),
                ('lease_token', models.UUIDField(editable=False, null=True)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('lease_size', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('crashes', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('failing_since', models.DateTimeField(editable=False, null=True)),
                ('is_unknown', models.BooleanField(default=False, verbose_name='outcome unknown')),
                ('last_error', models.TextField(blank=True, verbose_name='last error')),
                ('parked_at', models.DateTimeField(blank=True, null=True, verbose_name='parked at')),
                ('parked_reason', models.TextField(blank=True, verbose_name='why it is parked')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='too late after')),
                ('refs', models.JSONField(blank=True, default=list, verbose_name="remote's documents")),
                ('facts', models.JSONField(blank=True, default=dict, verbose_name='facts')),
                ('warnings', models.JSONField(blank=True, default=list, verbose_name='warnings')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created at')),
                ('delivered_at', models.DateTimeField(blank=True, null=True, verbose_name='delivered at')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outgoing', to='hub.account', verbose_name='account')),
            ],
            options={
                'verbose_name': 'outgoing work',
                'verbose_name_plural': 'outgoing work',
                'ordering': ['-id'],
                'permissions': [('operate_outgoing', 'Can retry parked work')],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(editable=False)),
                ('revision', models.BigIntegerField(verbose_name='revision')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('outcome', models.CharField(blank=True, max_length=32, verbose_name='outcome')),
                ('message', models.TextField(blank=True, verbose_name='message')),
                ('outgoing', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='hub.outgoing')),
            ],
            options={
                'verbose_name': 'attempt',
                'verbose_name_plural': 'attempts',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(blank=True, db_collation='C', default='', max_length=64)),
                ('until', models.DateTimeField(verbose_name='until')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('times', models.PositiveIntegerField(default=1)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pauses', to='hub.account')),
            ],
            options={
                'verbose_name': 'pause',
                'verbose_name_plural': 'pauses',
            },
        ),
        migrations.CreateModel(
            name='Cursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('value', models.TextField(blank=True)),
                ('lease_token', models.UUIDField(editable=False, null=True)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True, verbose_name='read at')),
                ('problem', models.TextField(blank=True, verbose_name='problem')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cursors', to='hub.account')),
            ],
            options={
                'verbose_name': 'cursor',
                'verbose_name_plural': 'cursors',
                'constraints': [models.UniqueConstraint(fields=('account', 'name'), name='cursor_unique')],
            },
        ),
        migrations.AddIndex(
            model_name='outgoing',
            index=models.Index(condition=models.Q(('delivered__lt', models.F('wanted')), ('parked_at__isnull', True)), fields=['account', 'lane', 'next_at', 'id'], name='outgoing_due'),
        ),
        migrations.AddIndex(
            model_name='outgoing',
            index=models.Index(condition=models.Q(('serial', ''), _negated=True), fields=['account', 'serial', 'id'], name='outgoing_serial'),
        ),
        migrations.AddIndex(
            model_name='outgoing',
            index=models.Index(condition=models.Q(('parked_at__isnull', False)), fields=['parked_at'], name='outgoing_parked'),
        ),
        migrations.AddConstraint(
            model_name='outgoing',
            constraint=models.UniqueConstraint(fields=('account', 'topic', 'key'), name='outgoing_unique'),
        ),
        migrations.AddConstraint(
            model_name='outgoing',
            constraint=models.CheckConstraint(condition=models.Q(('delivered__lte', models.F('wanted'))), name='outgoing_not_ahead'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['outgoing'], name='attempt_open'),
        ),
        migrations.AddConstraint(
            model_name='pause',
            constraint=models.UniqueConstraint(fields=('account', 'topic'), name='pause_unique'),
        ),
    ]
