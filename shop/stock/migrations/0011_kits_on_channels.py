"""A kit that a channel sold takes nothing of what is set aside there for its parts."""

from importlib import import_module

from django.db import migrations

shares = import_module("shop.stock.migrations.0006_shares")

# As before, but for `in_kit`: such a line was not sold from the figure of its own SKU, which still stands there. And
# new pools are made in the order in which everybody makes them.
SOLD = """
CREATE OR REPLACE FUNCTION stock_promise_sold(wanted jsonb, by_channel bigint, sold_at timestamptz, skew interval)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    want record;
    had bigint;
    short text[] := '{}';
    is_short boolean;
BEGIN
    INSERT INTO stock_pool (sku, on_hand, reserved, escrow, shortage)
    SELECT w.sku, 0, 0, 0, 0 FROM jsonb_to_recordset(wanted) AS w(sku text)
    WHERE NOT EXISTS (SELECT 1 FROM stock_pool p WHERE p.sku = w.sku)
    GROUP BY w.sku ORDER BY w.sku COLLATE "C" ON CONFLICT (sku) DO NOTHING;
    PERFORM 1 FROM stock_pool p WHERE p.sku IN (SELECT w.sku FROM jsonb_to_recordset(wanted) AS w(sku text))
    ORDER BY p.sku COLLATE "C" FOR UPDATE;
    INSERT INTO stock_hold (sku, line_id, quantity, consumed, released)
    SELECT w.sku, w.line, w.quantity, 0, 0
    FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int);
    FOR want IN
        SELECT w.sku, sum(w.quantity) AS quantity,
               coalesce(sum(w.quantity) FILTER (WHERE NOT w.in_kit), 0) AS of_figure
        FROM jsonb_to_recordset(wanted) AS w(sku text, quantity int, in_kit boolean)
        GROUP BY w.sku ORDER BY w.sku COLLATE "C"
    LOOP
        SELECT s.escrow INTO had FROM stock_share s WHERE s.channel_id = by_channel AND s.sku = want.sku FOR UPDATE;
        had := least(coalesce(had, 0), want.of_figure);
        UPDATE stock_share s
        SET escrow = s.escrow - had,
            sold_since = s.sold_since + CASE WHEN sold_at > s.live_at + skew THEN want.of_figure ELSE 0 END
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
UNSOLD = shares.SOLD.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):

    dependencies = [
        ('stock', '0010_promises_not_kept'),
    ]

    operations = [
        migrations.RunSQL(SOLD, UNSOLD),
    ]
