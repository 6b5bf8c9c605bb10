"""Weft's settings, with the bare view beside the real one, and work for measuring."""

from shop.settings import *

ROOT_URLCONF = "bench.bare_hub.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "bench.bare_hub.apps.BenchConfig"]
WEFT_PROVIDER_PACKAGES = [*WEFT_PROVIDER_PACKAGES, "bench.bare_hub.providers"]
