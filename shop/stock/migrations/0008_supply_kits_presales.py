"""What may be offered: kits, incoming supply, presales; the view that everybody asks, and a promise that knows them."""

from importlib import import_module

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

shares = import_module("shop.stock.migrations.0006_shares")

# What may be promised. `stock_free` is the arithmetic of one pool; nothing else in the database says it.
FREE = """
CREATE FUNCTION stock_free(on_hand bigint, reserved bigint, escrow bigint, shortage bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN shortage > 0 THEN 0 ELSE greatest(0, on_hand - reserved - escrow) END
$$;
"""
NO_FREE = "DROP FUNCTION stock_free(bigint, bigint, bigint, bigint);"

# What only few SKUs have is worked out in functions: the database keeps their plans, while the pages' own statements
# are planned each time, and each join in them costs more to plan than to make. All of them read `stock_offered`, and
# are called by it only where it needs them.
BEYOND = """
CREATE FUNCTION stock_waited(wanted text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT sum(s.promised) FROM stock_presale s WHERE s.sku = wanted AND s.promised > 0);
END $$;

CREATE FUNCTION stock_kit_free(product bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(min(o.free / p.quantity), 0)
        FROM stock_kitpart p JOIN stock_offered o ON o.record_id = p.part_id WHERE p.kit_id = product
    );
END $$;

CREATE FUNCTION stock_ahead(product bigint, own text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF own IS NOT NULL THEN
        RETURN (
            SELECT jsonb_strip_nulls(jsonb_build_object(
                'room', sale.cap - sale.promised, 'kind', sale.kind, 'ships_on', sale.ships_on, 'expected_on', (
                    SELECT min(s.expected_on) FROM stock_supply s JOIN stock_warehouse w ON w.id = s.warehouse_id
                    WHERE s.sku = own AND s.open > 0 AND s.expected_on >= current_date AND w.is_sellable
                      AND s.open > (SELECT coalesce(sum(p.promised), 0) FROM stock_presale p WHERE p.supply_id = s.id)
                )))
            FROM (VALUES (1)) one LEFT JOIN stock_presale sale
                ON sale.sku = own AND sale.closed_at IS NULL AND sale.ships_on >= current_date
        );
    END IF;
    RETURN (  -- a kit: each of its parts free or to come
        SELECT jsonb_strip_nulls(jsonb_build_object(
            'is_kit', true,
            'room', CASE WHEN min(made.best) > min(made.free) THEN min(made.best) END,
            'kind', min(made.kind) FILTER (WHERE made.best > made.free),
            'ships_on', max(made.ships_on) FILTER (WHERE made.best > made.free),
            'expected_on', CASE WHEN bool_and(made.best > 0 OR made.expected_on IS NOT NULL)
                                THEN max(made.expected_on) FILTER (WHERE made.best = 0) END))
        FROM (
            SELECT o.free / p.quantity AS free,
                greatest(o.free, coalesce((o.ahead ->> 'room')::bigint, 0)) / p.quantity AS best,
                o.ahead ->> 'kind' AS kind, o.ahead ->> 'ships_on' AS ships_on, o.ahead ->> 'expected_on' AS expected_on
            FROM stock_kitpart p JOIN stock_offered o ON o.record_id = p.part_id WHERE p.kit_id = product
        ) made HAVING count(*) > 0
    );
END $$;
"""
NO_BEYOND = """
DROP FUNCTION stock_waited(text);
DROP FUNCTION stock_kit_free(bigint);
DROP FUNCTION stock_ahead(bigint, text);
"""

# One row for each stock record. What has a pool is no kit (triggers), so only what has none is looked up among them.
# Of one pool, what the own shop may sell: what lies in warehouses closed for it is as good as set aside.
OWN = """stock_free(pool.on_hand, pool.reserved, pool.escrow + CASE
        WHEN EXISTS (SELECT 1 FROM stock_closure WHERE channel_id IS NULL) THEN stock_closed(pool.sku, NULL) ELSE 0
    END, pool.shortage)"""
OFFERED = f"""
CREATE VIEW stock_offered AS
SELECT record.id AS record_id, record.product_id, record.partner_sku COLLATE "C" AS sku,
    CASE WHEN pool.sku IS NULL THEN stock_kit_free(record.product_id)
         WHEN pool.sku IN (SELECT s.sku FROM stock_presale s WHERE s.promised > 0)
         THEN greatest(0, {OWN} - stock_waited(pool.sku))
         ELSE {OWN}
    END AS free,
    CASE WHEN pool.sku IS NULL OR {OWN} = 0
              OR pool.sku IN (SELECT s.sku FROM stock_presale s WHERE s.closed_at IS NULL OR s.promised > 0)
         THEN stock_ahead(record.product_id, pool.sku)
    END AS ahead
FROM partner_stockrecord record
LEFT JOIN stock_pool pool ON pool.sku = record.partner_sku COLLATE "C";
"""
NO_OFFERED = "DROP VIEW stock_offered;"

# Who makes a kit and who makes a pool wait for each other; both are rare. Capitals make no difference, as for SKUs.
KITS = """
CREATE FUNCTION stock_kit_or_pool() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM made) THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'stock_pool' THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('stock_kitpart'));
        SELECT p.sku INTO wrong FROM made p JOIN partner_stockrecord r ON upper(r.partner_sku) = upper(p.sku)
        WHERE EXISTS (SELECT 1 FROM stock_kitpart k WHERE k.kit_id = r.product_id) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION '% is a kit: its stock is that of its parts', wrong USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('stock_kitpart'));
    SELECT r.partner_sku INTO wrong FROM made k JOIN partner_stockrecord r ON r.product_id = k.kit_id
    JOIN stock_pool p ON upper(p.sku) = upper(r.partner_sku) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% has stock of its own and cannot be a kit', wrong USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT r.partner_sku INTO wrong FROM stock_kitpart k JOIN partner_stockrecord r ON r.id = k.part_id
    WHERE EXISTS (SELECT 1 FROM stock_kitpart inner_kit WHERE inner_kit.kit_id = r.product_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is a kit and cannot be part of one', wrong USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER kit_has_no_pool AFTER INSERT ON stock_pool REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION stock_kit_or_pool();
CREATE TRIGGER kit_is_made AFTER INSERT ON stock_kitpart REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION stock_kit_or_pool();
CREATE TRIGGER kit_is_changed AFTER UPDATE ON stock_kitpart REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION stock_kit_or_pool();
"""
NO_KITS = """
DROP TRIGGER kit_has_no_pool ON stock_pool;
DROP TRIGGER kit_is_made ON stock_kitpart;
DROP TRIGGER kit_is_changed ON stock_kitpart;
DROP FUNCTION stock_kit_or_pool();
"""

# `wanted` is [{"sku": ..., "line": ..., "quantity": ...}, ...]. Returns the SKUs that have not enough: the caller rolls
# back then. The holds come first, and are checked at once, so that a hot pool is locked for its UPDATE and the COMMIT
# only. Pools are taken in SKU order; a SKU that several lines share is taken once, for their sum. Where the sum does
# not fit, each line for itself; what does not fit is promised from an open presale, wholly. Presales come after all
# pools, in SKU order too: that is the order in which everybody locks. What presales promised and nobody has filled yet
# is theirs before anybody else's, so that nobody is faster than who waits.
PROMISE = """
CREATE OR REPLACE FUNCTION stock_promise(wanted jsonb, until timestamptz) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    want record;
    line record;
    short bigint[] := '{}';
    some_closed boolean := EXISTS (SELECT 1 FROM stock_closure WHERE channel_id IS NULL);
    closed bigint := 0;
BEGIN
    INSERT INTO stock_hold (sku, line_id, quantity, consumed, released, deadline)
    SELECT w.sku, w.line, w.quantity, 0, 0, until
    FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int);
    FOR want IN
        SELECT w.sku, sum(w.quantity) AS quantity, array_agg(w.line) AS lines
        FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int)
        GROUP BY w.sku ORDER BY w.sku COLLATE "C"
    LOOP
        IF some_closed THEN  -- the pool first, so that the levels are read as they are when it is ours
            PERFORM 1 FROM stock_pool p WHERE p.sku = want.sku FOR UPDATE;
            closed := stock_closed(want.sku, NULL);
        END IF;
        UPDATE stock_pool p
        SET reserved = p.reserved + want.quantity,
            shortage = greatest(0, p.reserved + want.quantity + p.escrow - p.on_hand)
        WHERE p.sku = want.sku AND p.shortage = 0
          AND p.on_hand - p.reserved - p.escrow - closed >= want.quantity + coalesce((
              SELECT sum(s.promised) FROM stock_presale s WHERE s.sku = want.sku AND s.promised > 0), 0);
        CONTINUE WHEN FOUND;
        IF cardinality(want.lines) = 1 THEN
            short := short || want.lines;
            CONTINUE;
        END IF;
        FOR line IN
            SELECT w.line, w.quantity FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int)
            WHERE w.sku = want.sku ORDER BY w.line
        LOOP
            UPDATE stock_pool p
            SET reserved = p.reserved + line.quantity,
                shortage = greatest(0, p.reserved + line.quantity + p.escrow - p.on_hand)
            WHERE p.sku = want.sku AND p.shortage = 0
              AND p.on_hand - p.reserved - p.escrow - closed >= line.quantity + coalesce((
              SELECT sum(s.promised) FROM stock_presale s WHERE s.sku = want.sku AND s.promised > 0), 0);
            IF NOT FOUND THEN
                short := short || line.line;
            END IF;
        END LOOP;
    END LOOP;
    IF short = '{}' THEN
        RETURN '{}';
    END IF;
    RETURN stock_promise_ahead(wanted, short, until);
END $$;

CREATE OR REPLACE FUNCTION stock_promise_ahead(wanted jsonb, short bigint[], until timestamptz) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    want record;
    sale record;
    gone text[] := '{}';
BEGIN
    FOR want IN
        SELECT w.sku, sum(w.quantity) AS quantity, array_agg(w.line) AS lines
        FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int)
        WHERE w.line = ANY(short) GROUP BY w.sku ORDER BY w.sku COLLATE "C"
    LOOP
        UPDATE stock_presale s SET promised = s.promised + want.quantity
        WHERE s.sku = want.sku AND s.closed_at IS NULL AND s.ships_on >= current_date
          AND s.cap - s.promised >= want.quantity
        RETURNING s.id, s.ships_on INTO sale;
        IF NOT FOUND THEN
            gone := gone || want.sku;
            UPDATE stock_pool p  -- what other lines of it have taken: the caller says how many are left, and rolls back
            SET reserved = p.reserved - taken.units,
                shortage = greatest(0, p.reserved - taken.units + p.escrow - p.on_hand)
            FROM (
                SELECT sum(w.quantity) AS units FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int)
                WHERE w.sku = want.sku AND NOT w.line = ANY(short)
            ) taken WHERE p.sku = want.sku AND taken.units > 0;
            CONTINUE;
        END IF;
        DELETE FROM stock_hold h
        WHERE h.line_id = ANY(want.lines) AND h.sku = want.sku AND h.quantity = h.open;
        INSERT INTO stock_waiting (presale_id, line_id, quantity, filled, released, shipped, promised_on, deadline)
        SELECT sale.id, w.line, w.quantity, 0, 0, 0, sale.ships_on, until
        FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int)
        WHERE w.line = ANY(want.lines) ORDER BY w.line;
    END LOOP;
    RETURN gone;
END $$;
"""
UNPROMISE = "DROP FUNCTION stock_promise_ahead(jsonb, bigint[], timestamptz);" + shares.PROMISE
SPACE = "ALTER TABLE stock_presale SET (fillfactor = 70);"


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0003_names_in_both_languages_and_imports'),
        ('order', '0004_lines_of_kits'),
        ('partner', '0001_initial'),
        ('stock', '0007_places_approvals_counts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Offered',
            fields=[
                ('record', models.OneToOneField(db_column='record_id', on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='+', serialize=False, to='partner.stockrecord')),
                ('sku', models.CharField(db_collation='C', max_length=64)),
                ('free', models.BigIntegerField()),
                ('ahead', models.TextField(null=True)),
            ],
            options={
                'db_table': 'stock_offered',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Supply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('received', models.PositiveIntegerField(default=0, verbose_name='received')),
                ('cancelled', models.PositiveIntegerField(default=0, verbose_name='cancelled')),
                ('open', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('quantity'), '-', models.F('received')), '-', models.F('cancelled')), output_field=models.IntegerField(), verbose_name='still to come')),
                ('expected_on', models.DateField(db_index=True, verbose_name='expected on')),
                ('document', models.CharField(max_length=64, verbose_name='document number')),
                ('note', models.CharField(blank=True, max_length=255, verbose_name='note')),
                ('actor', models.CharField(blank=True, max_length=128, verbose_name='by')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='made at')),
                ('pool', models.ForeignKey(db_column='sku', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='supplies', to='stock.pool', verbose_name='SKU')),
                ('warehouse', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stock.warehouse', verbose_name='warehouse')),
            ],
            options={
                'verbose_name': 'incoming supply',
                'verbose_name_plural': 'incoming supplies',
                'ordering': ['expected_on', 'id'],
                'permissions': [('manage_supply', 'Can add, date and cancel incoming supply')],
            },
        ),
        migrations.CreateModel(
            name='Presale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('presale', 'presale'), ('backorder', 'backorder')], max_length=16, verbose_name='kind')),
                ('size', models.PositiveIntegerField(verbose_name='units to sell')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='filled')),
                ('cap', models.PositiveIntegerField(verbose_name='at most')),
                ('promised', models.PositiveIntegerField(default=0, verbose_name='sold ahead')),
                ('ships_on', models.DateField(verbose_name='ships by')),
                ('opened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='opened at')),
                ('opened_by', models.CharField(blank=True, max_length=128, verbose_name='opened by')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                ('closed_by', models.CharField(blank=True, max_length=128, verbose_name='closed by')),
                ('pool', models.ForeignKey(db_column='sku', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='presales', to='stock.pool', verbose_name='SKU')),
                ('supply', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='presales', to='stock.supply', verbose_name='incoming supply')),
            ],
            options={
                'verbose_name': 'presale',
                'verbose_name_plural': 'presales',
                'ordering': ['-id'],
                'permissions': [('manage_presale', 'Can open and close presales')],
            },
        ),
        migrations.CreateModel(
            name='Waiting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('filled', models.PositiveIntegerField(default=0, verbose_name='filled')),
                ('released', models.PositiveIntegerField(default=0, verbose_name='released')),
                ('shipped', models.PositiveIntegerField(default=0, verbose_name='shipped')),
                ('open', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('quantity'), '-', models.F('filled')), '-', models.F('released')), '-', models.F('shipped')), output_field=models.IntegerField(), verbose_name='open')),
                ('promised_on', models.DateField(help_text='The day the customer was told.', verbose_name='promised for')),
                ('deadline', models.DateTimeField(blank=True, null=True, verbose_name='deadline')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='made at')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waiting', to='order.line', verbose_name='order line')),
                ('presale', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waiting', to='stock.presale', verbose_name='presale')),
            ],
            options={
                'verbose_name': 'waiting for goods',
                'verbose_name_plural': 'waiting for goods',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Filling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hold', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='filling', to='stock.hold')),
                ('waiting', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fillings', to='stock.waiting')),
            ],
            options={
                'verbose_name': 'filling',
                'verbose_name_plural': 'fillings',
            },
        ),
        migrations.CreateModel(
            name='KitPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField(default=1, verbose_name='quantity')),
                ('kit', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='kit_parts', to='catalogue.product', verbose_name='kit')),
                ('part', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='in_kits', to='partner.stockrecord', verbose_name='part')),
            ],
            options={
                'verbose_name': 'part of a kit',
                'verbose_name_plural': 'parts of a kit',
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('kit', 'part'), name='kit_part_once'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='kit_part_counts')],
            },
        ),
        migrations.AddIndex(
            model_name='supply',
            index=models.Index(condition=models.Q(('open__gt', 0)), fields=['pool', 'expected_on'], name='supply_open'),
        ),
        migrations.AddConstraint(
            model_name='supply',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('quantity__gte', django.db.models.expressions.CombinedExpression(models.F('received'), '+', models.F('cancelled')))), name='supply_not_overdrawn'),
        ),
        migrations.AddIndex(
            model_name='presale',
            index=models.Index(condition=models.Q(('promised__gt', 0)), fields=['pool'], name='presale_promised'),
        ),
        migrations.AddConstraint(
            model_name='presale',
            constraint=models.CheckConstraint(condition=models.Q(('promised__lte', models.F('cap'))), name='presale_not_oversold'),
        ),
        migrations.AddConstraint(
            model_name='presale',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('pool',), name='one_open_presale_per_sku'),
        ),
        migrations.AddConstraint(
            model_name='waiting',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('quantity__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('filled'), '+', models.F('released')), '+', models.F('shipped')))), name='waiting_not_overdrawn'),
        ),
        migrations.RunSQL(FREE, NO_FREE),
        migrations.RunSQL(BEYOND, NO_BEYOND),
        migrations.RunSQL(OFFERED, NO_OFFERED),
        migrations.RunSQL(KITS, NO_KITS),
        migrations.RunSQL(PROMISE, UNPROMISE),
        migrations.RunSQL(SPACE, migrations.RunSQL.noop),
    ]
