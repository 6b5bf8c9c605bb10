"""Movements are append-only, pools stay, a SKU is never edited: said by the database, not only by the code."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION weft_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER movement_append_only BEFORE UPDATE OR DELETE ON stock_movement
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('movements are append-only; write a compensating one');
CREATE TRIGGER pool_stays BEFORE DELETE ON stock_pool
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('a SKU is never reused');
CREATE TRIGGER sku_fixed BEFORE UPDATE ON partner_stockrecord
    FOR EACH ROW WHEN (OLD.partner_sku IS DISTINCT FROM NEW.partner_sku)
    EXECUTE FUNCTION weft_refuse('a SKU is never edited; make a new product');
"""
FORGET = """
DROP TRIGGER movement_append_only ON stock_movement;
DROP TRIGGER pool_stays ON stock_pool;
DROP TRIGGER sku_fixed ON partner_stockrecord;
DROP FUNCTION weft_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial"), ("partner", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, FORGET)]
