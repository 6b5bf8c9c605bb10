"""Weft's settings, with the bare views beside the real ones."""

from shop.settings import *

ROOT_URLCONF = "bench.bare_api.urls"
