"""The shop's settings with the small business in it, for workers that are processes of their own."""

from shop.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.hub.apps.FaultsConfig"]  # noqa: F405
