"""The WSGI application. Reads `.env` beside manage.py like manage.py does."""

import gc
import os
from pathlib import Path

import environ
from django.core.wsgi import get_wsgi_application

dotenv = Path(__file__).resolve().parent.parent / ".env"
if dotenv.exists():
    environ.Env.read_env(dotenv)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()

# What is loaded by now stays: looking through it again and again, after every 700 new objects, is a fifteenth of the
# CPU time of a request.
gc.collect()
gc.freeze()
gc.set_threshold(5_000, 20, 50)
