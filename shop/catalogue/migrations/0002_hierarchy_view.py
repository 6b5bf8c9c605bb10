"""Oscar maps an unmanaged model onto this view. A plain view is never stale; nothing of ours reads it."""

from django.db import migrations

CREATE = """
CREATE VIEW catalogue_product_category_hierarchy AS
SELECT DISTINCT link.product_id || '-' || above.id AS id, link.product_id, above.id AS category_id
FROM catalogue_productcategory link
JOIN catalogue_category own ON own.id = link.category_id
JOIN catalogue_category above ON own.path LIKE above.path || '%'
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP VIEW catalogue_product_category_hierarchy")]
