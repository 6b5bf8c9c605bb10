"""Documents of money are append-only: said by the database, not only by the code."""

from django.db import migrations

TABLES = ("returns_creditnote", "returns_creditnoteline", "returns_adjustment")
REFUSE = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION weft_refuse('documents of money are append-only; write a correcting one');
"""
    for table in TABLES
)
FORGET = "".join(f"DROP TRIGGER {table}_append_only ON {table};\n" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("returns", "0001_initial"), ("stock", "0002_append_only")]
    operations = [migrations.RunSQL(REFUSE, FORGET)]
