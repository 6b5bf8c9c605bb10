"""As shop/wsgi.py, garbage collector included."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.bare_hub.settings"

from shop.wsgi import application

__all__ = ["application"]
