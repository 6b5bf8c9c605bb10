"""Stands in front of Oscar's migration of this name, which gives rights of apps Weft does not install to all staff.

Weft's rights come from its seeded groups instead.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customer", "0007_auto_20200801_0817")]
    operations: list = []
