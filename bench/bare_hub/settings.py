"""Weft's settings, with the bare view beside the real one."""

from shop.settings import *

ROOT_URLCONF = "bench.bare_hub.urls"
WEFT_PROVIDER_PACKAGES = [*WEFT_PROVIDER_PACKAGES, "bench.bare_hub.providers"]
