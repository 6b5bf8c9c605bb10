from django.db import migrations

REFUSE = """
CREATE TRIGGER payments_entry_append_only BEFORE UPDATE OR DELETE ON payments_entry
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('movements of money are append-only; book the difference');
"""
FORGET = "DROP TRIGGER payments_entry_append_only ON payments_entry;"


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_attempts"), ("stock", "0002_append_only")]
    operations = [migrations.RunSQL(REFUSE, FORGET)]
