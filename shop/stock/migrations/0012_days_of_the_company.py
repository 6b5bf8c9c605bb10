"""A day is the company's: `current_date` is that of the connection's zone, which Django sets to UTC."""

from importlib import import_module

from django.conf import settings
from django.db import migrations

ahead = import_module("shop.stock.migrations.0008_supply_kits_presales")

# Each connection says its zone (WEFT_TIME_ZONE); one that says none, as a person's psql, gets that of the migration.
TODAY = f"""
CREATE FUNCTION stock_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (statement_timestamp() AT TIME ZONE
            coalesce(nullif(current_setting('weft.time_zone', true), ''), '{settings.TIME_ZONE}'))::date
$$;
"""


def anew(functions: str) -> str:
    return functions.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


AHEAD = anew(ahead.BEYOND).replace("current_date", "stock_today()")
PROMISE = anew(ahead.PROMISE).replace("current_date", "stock_today()")


class Migration(migrations.Migration):
    dependencies = [("stock", "0011_kits_on_channels")]

    operations = [
        migrations.RunSQL(TODAY, "DROP FUNCTION stock_today();"),
        migrations.RunSQL(AHEAD, anew(ahead.BEYOND)),
        migrations.RunSQL(PROMISE, anew(ahead.PROMISE)),
    ]
