"""Whose click it was: a row bears the trace of the last wish, an attempt that of its row when it began."""

from django.db import migrations, models

TRIGGER = """
CREATE FUNCTION hub_attempt_trace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT trace INTO NEW.trace FROM hub_outgoing WHERE id = NEW.outgoing_id;
    NEW.trace := coalesce(NEW.trace, '');
    RETURN NEW;
END $$;
CREATE TRIGGER hub_attempt_trace BEFORE INSERT ON hub_attempt FOR EACH ROW EXECUTE FUNCTION hub_attempt_trace();
"""
NO_TRIGGER = """
DROP TRIGGER hub_attempt_trace ON hub_attempt;
DROP FUNCTION hub_attempt_trace();
"""


class Migration(migrations.Migration):
    dependencies = [("hub", "0006_incoming")]

    operations = [
        migrations.AddField(
            model_name="outgoing",
            name="trace",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=64, verbose_name="trace"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="trace",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=64, verbose_name="trace"),
        ),
        migrations.AddIndex(
            model_name="outgoing",
            index=models.Index(fields=["trace"], name="outgoing_trace", condition=~models.Q(trace="")),
        ),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
    ]
