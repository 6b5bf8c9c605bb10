"""Fewer indexes and checks where a hundred thousand rows are written, and the promise as a function of the database.

Each statement that writes a movement writes its level too, which has the constraints, and levels stay. Holds are
written by `stock_promise` only, for pools it finds, and pools stay.
"""

import django.db.models.deletion
from django.db import migrations, models


STAY = """
CREATE TRIGGER level_stays BEFORE DELETE ON stock_level
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('a level stays, as its movements do');
"""
GO = "DROP TRIGGER level_stays ON stock_level;"

# `wanted` is [{"sku": ..., "line": ..., "quantity": ...}, ...]. Returns the SKUs that have not enough: the caller rolls
# back then. The holds come first, and are checked at once, so that a hot pool is locked for its UPDATE and the COMMIT
# only. Pools are taken in SKU order; a SKU that several lines share is taken once, for their sum.
PROMISE = """
CREATE FUNCTION stock_promise(wanted jsonb, until timestamptz) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    want record;
    short text[] := '{}';
BEGIN
    INSERT INTO stock_hold (sku, line_id, quantity, consumed, released, deadline)
    SELECT w.sku, w.line, w.quantity, 0, 0, until
    FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int);
    FOR want IN
        SELECT w.sku, sum(w.quantity) AS quantity FROM jsonb_to_recordset(wanted) AS w(sku text, quantity int)
        GROUP BY w.sku ORDER BY w.sku COLLATE "C"
    LOOP
        UPDATE stock_pool p
        SET reserved = p.reserved + want.quantity,
            shortage = greatest(0, p.reserved + want.quantity + p.escrow - p.on_hand)
        WHERE p.sku = want.sku AND p.on_hand - p.reserved - p.escrow >= want.quantity AND p.shortage = 0;
        IF NOT FOUND THEN
            short := short || want.sku;
        END IF;
    END LOOP;
    RETURN short;
END $$;
"""
UNPROMISE = "DROP FUNCTION stock_promise(jsonb, timestamptz);"

# Django's constraints are checked at COMMIT, when the pool is locked.
AT_ONCE = """
DO $$
DECLARE
    name text := (SELECT conname FROM pg_constraint
                  WHERE conrelid = 'stock_hold'::regclass AND confrelid = 'order_line'::regclass AND contype = 'f');
BEGIN
    EXECUTE format('ALTER TABLE stock_hold ALTER CONSTRAINT %I NOT DEFERRABLE', name);
END $$;
"""
AT_COMMIT = AT_ONCE.replace("NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")


class Migration(migrations.Migration):
    dependencies = [("stock", "0004_cheap_updates")]
    operations = [
        migrations.RunSQL(STAY, GO),
        migrations.RunSQL(PROMISE, UNPROMISE),
        migrations.RunSQL(AT_ONCE, AT_COMMIT),
        migrations.AlterField(
            model_name="movement",
            name="pool",
            field=models.ForeignKey(db_column="sku", db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="stock.pool", verbose_name="SKU"),
        ),
        migrations.AlterField(
            model_name="movement",
            name="warehouse",
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="stock.warehouse"),
        ),
        migrations.AlterField(
            model_name="movement",
            name="document",
            field=models.CharField(blank=True, max_length=160, verbose_name="document"),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(fields=["document"], name="movement_document"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="pool",
            field=models.ForeignKey(db_column="sku", db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="stock.pool", verbose_name="SKU"),
        ),
        migrations.RemoveIndex(model_name="hold", name="hold_deadline"),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("deadline__isnull", False), ("open__gt", 0)), fields=["deadline"], name="hold_deadline"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["pool"], name="hold_pool"),
        ),
    ]
