"""The demo's company in an empty database: `python -m audit.fill`. What `manage.py seed` makes, without its logins."""

from __future__ import annotations

import django

django.setup()

from shop.seed import load  # noqa: E402  (models can be imported only now)

if __name__ == "__main__":
    load.make_countries()
    load.load(print)
