"""What channels may sell: shares, the figures sent, and what an order of theirs does to holds and escrow."""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

BEFORE = import_module("shop.stock.migrations.0005_hot_paths").PROMISE

# Units of a SKU in warehouses that do not sell for this channel (NULL: the own shop).
CLOSED = """
CREATE FUNCTION stock_closed(of_sku text, for_channel bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(0, coalesce(sum(l.on_hand), 0))::bigint
    FROM stock_closure c JOIN stock_warehouse w ON w.id = c.warehouse_id AND w.is_sellable
    JOIN stock_level l ON l.warehouse_id = c.warehouse_id AND l.sku = of_sku
    WHERE c.channel_id IS NOT DISTINCT FROM for_channel
$$;
"""
NOT_CLOSED = "DROP FUNCTION stock_closed(text, bigint);"

# As before, but for warehouses closed for the own shop: then the pool is locked first, so that the levels are read as
# they are when it is ours.
PROMISE = """
CREATE OR REPLACE FUNCTION stock_promise(wanted jsonb, until timestamptz) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    want record;
    short text[] := '{}';
    some_closed boolean := EXISTS (SELECT 1 FROM stock_closure WHERE channel_id IS NULL);
BEGIN
    INSERT INTO stock_hold (sku, line_id, quantity, consumed, released, deadline)
    SELECT w.sku, w.line, w.quantity, 0, 0, until
    FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int);
    FOR want IN
        SELECT w.sku, sum(w.quantity) AS quantity FROM jsonb_to_recordset(wanted) AS w(sku text, quantity int)
        GROUP BY w.sku ORDER BY w.sku COLLATE "C"
    LOOP
        IF some_closed THEN
            PERFORM 1 FROM stock_pool p WHERE p.sku = want.sku FOR UPDATE;
        END IF;
        UPDATE stock_pool p
        SET reserved = p.reserved + want.quantity,
            shortage = greatest(0, p.reserved + want.quantity + p.escrow - p.on_hand)
        WHERE p.sku = want.sku AND p.shortage = 0 AND p.on_hand - p.reserved - p.escrow >= want.quantity
          AND (NOT some_closed
               OR p.on_hand - p.reserved - p.escrow - stock_closed(p.sku, NULL) >= want.quantity);
        IF NOT FOUND THEN
            short := short || want.sku;
        END IF;
    END LOOP;
    RETURN short;
END $$;
"""

# What a channel has sold is held whatever is there. Returns the SKUs that are short now. A SKU that has no pool gets an
# empty one: the order is kept, and the shortage says what is wrong with it.
SOLD = """
CREATE FUNCTION stock_promise_sold(wanted jsonb, by_channel bigint, sold_at timestamptz, skew interval)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    want record;
    had bigint;
    short text[] := '{}';
    is_short boolean;
BEGIN
    INSERT INTO stock_pool (sku, on_hand, reserved, escrow, shortage)
    SELECT DISTINCT w.sku, 0, 0, 0, 0 FROM jsonb_to_recordset(wanted) AS w(sku text)
    WHERE NOT EXISTS (SELECT 1 FROM stock_pool p WHERE p.sku = w.sku)
    ORDER BY w.sku ON CONFLICT (sku) DO NOTHING;
    PERFORM 1 FROM stock_pool p WHERE p.sku IN (SELECT w.sku FROM jsonb_to_recordset(wanted) AS w(sku text))
    ORDER BY p.sku COLLATE "C" FOR UPDATE;
    INSERT INTO stock_hold (sku, line_id, quantity, consumed, released)
    SELECT w.sku, w.line, w.quantity, 0, 0
    FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int);
    FOR want IN
        SELECT w.sku, sum(w.quantity) AS quantity FROM jsonb_to_recordset(wanted) AS w(sku text, quantity int)
        GROUP BY w.sku ORDER BY w.sku COLLATE "C"
    LOOP
        SELECT s.escrow INTO had FROM stock_share s WHERE s.channel_id = by_channel AND s.sku = want.sku FOR UPDATE;
        had := least(coalesce(had, 0), want.quantity);
        UPDATE stock_share s
        SET escrow = s.escrow - had,
            sold_since = s.sold_since + CASE WHEN sold_at > s.live_at + skew THEN want.quantity ELSE 0 END
        WHERE s.channel_id = by_channel AND s.sku = want.sku;
        UPDATE stock_pool p
        SET reserved = p.reserved + want.quantity, escrow = p.escrow - had,
            shortage = greatest(0, p.reserved + want.quantity + p.escrow - had - p.on_hand)
        WHERE p.sku = want.sku RETURNING p.shortage > 0 INTO is_short;
        IF is_short THEN
            short := short || want.sku;
        END IF;
    END LOOP;
    RETURN short;
END $$;
"""
UNSOLD = "DROP FUNCTION stock_promise_sold(jsonb, bigint, timestamptz, interval);"


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0004_staff_desk'),
        ('stock', '0005_hot_paths'),
    ]

    operations = [
        migrations.AlterField(
            model_name='shortage',
            name='cause',
            field=models.CharField(choices=[('reading', "ERP's figure fell"), ('count', 'count'), ('damage', 'damage'), ('shipped', 'shipped more than was there'), ('channel', 'sold on a channel beyond what it was given')], max_length=16, verbose_name='cause'),
        ),
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='channel', serialize=False, to='hub.account', verbose_name='account')),
                ('mode', models.CharField(choices=[('guaranteed', 'guaranteed'), ('shared', 'shared, with a buffer')], default='shared', max_length=16, verbose_name='mode')),
                ('weight', models.DecimalField(decimal_places=2, default=1, help_text='How much of the stock it is given, beside demand. The own shop has a weight too.', max_digits=6, validators=[django.core.validators.MinValueValidator(0)], verbose_name='weight')),
                ('buffer', models.PositiveIntegerField(default=0, help_text='Shared mode: units that the channel is never told of.', verbose_name='buffer')),
                ('watermark', models.DateTimeField(blank=True, editable=False, help_text="By the channel's clock: every order it took before that is in.", null=True, verbose_name='orders known up to')),
            ],
            options={
                'verbose_name': 'sales channel',
                'verbose_name_plural': 'sales channels',
                'ordering': ['account__name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('weight__gte', 0)), name='channel_weight_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='Share',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(blank=True, choices=[('guaranteed', 'guaranteed'), ('shared', 'shared, with a buffer')], help_text='Empty: as the channel says.', max_length=16, verbose_name='mode')),
                ('is_offered', models.BooleanField(default=True, help_text='Cleared: the channel is told 0.', verbose_name='offered')),
                ('escrow', models.BigIntegerField(default=0, editable=False, verbose_name='escrow')),
                ('target', models.BigIntegerField(default=0, editable=False, verbose_name='should show')),
                ('wish', models.BigIntegerField(default=0, editable=False)),
                ('shown', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='sent last')),
                ('shown_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='sent at')),
                ('live', models.BigIntegerField(blank=True, editable=False, null=True)),
                ('live_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('sold_since', models.BigIntegerField(default=0, editable=False)),
                ('is_drained', models.BooleanField(default=False, editable=False)),
                ('is_guarded', models.BooleanField(default=False, editable=False)),
                ('channel', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='stock.channel', verbose_name='sales channel')),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='stock.pool', verbose_name='SKU')),
            ],
            options={
                'verbose_name': 'share of a channel',
                'verbose_name_plural': 'shares of channels',
                'ordering': ['pool', 'channel'],
            },
        ),
        migrations.CreateModel(
            name='Push',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.BigIntegerField(verbose_name='figure')),
                ('charged', models.BigIntegerField(verbose_name='charged')),
                ('is_clean', models.BooleanField()),
                ('started_at', models.DateTimeField(verbose_name='started at')),
                ('closes_at', models.DateTimeField(verbose_name='may arrive until')),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True, verbose_name='acknowledged at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                ('share', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pushes', to='stock.share')),
            ],
            options={
                'verbose_name': 'figure sent to a channel',
                'verbose_name_plural': 'figures sent to channels',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.ForeignKey(blank=True, help_text='Empty: the own shop.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='closures', to='stock.channel', verbose_name='sales channel')),
                ('warehouse', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='closures', to='stock.warehouse', verbose_name='warehouse')),
            ],
            options={
                'verbose_name': 'warehouse closed for a channel',
                'verbose_name_plural': 'warehouses closed for channels',
                'constraints': [models.UniqueConstraint(fields=('warehouse', 'channel'), name='closure_unique', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Demand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('units', models.PositiveBigIntegerField(default=0)),
                ('channel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stock.channel')),
                ('pool', models.ForeignKey(db_column='sku', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stock.pool')),
            ],
            options={
                'verbose_name': 'demand',
                'verbose_name_plural': 'demand',
                'constraints': [models.UniqueConstraint(fields=('pool', 'channel'), name='demand_unique', nulls_distinct=False)],
            },
        ),
        migrations.AddConstraint(
            model_name='share',
            constraint=models.UniqueConstraint(fields=('channel', 'pool'), name='share_unique'),
        ),
        migrations.AddConstraint(
            model_name='share',
            constraint=models.CheckConstraint(condition=models.Q(('escrow__gte', 0), ('target__gte', 0), ('wish__gte', 0)), name='share_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='share',
            constraint=models.CheckConstraint(condition=models.Q(('live__isnull', True), ('live_at__isnull', False), _connector='OR'), name='share_live_has_a_moment'),
        ),
        migrations.AddIndex(
            model_name='push',
            index=models.Index(fields=['share', '-id'], name='push_share'),
        ),
        migrations.AddIndex(
            model_name='push',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['closes_at'], name='push_open'),
        ),
        migrations.AddConstraint(
            model_name='push',
            constraint=models.CheckConstraint(condition=models.Q(('charged__gte', 0), ('figure__gte', 0)), name='push_charged'),
        ),
        migrations.AddConstraint(
            model_name='push',
            constraint=models.CheckConstraint(condition=models.Q(('closes_at__gte', models.F('started_at'))), name='push_closes_later'),
        ),
        # Figures change in place, without touching an index, where a page has room.
        migrations.RunSQL(
            "ALTER TABLE stock_share SET (fillfactor = 70)", "ALTER TABLE stock_share RESET (fillfactor)"
        ),
        migrations.RunSQL(CLOSED, NOT_CLOSED),
        migrations.RunSQL(PROMISE, BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")),
        migrations.RunSQL(SOLD, UNSOLD),
    ]
