"""The web server's settings; gunicorn reads them: `python -m gunicorn -c python:runtime.web shop.wsgi:application`.

Like manage.py it reads `.env` beside the project first; variables of the environment win.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import environ
from gunicorn.glogging import Logger

_dotenv = Path(__file__).resolve().parent.parent / ".env"
if _dotenv.exists() and os.environ.get("WEFT_MODE") != "test":
    environ.Env.read_env(_dotenv)
env = environ.Env()
# Addresses that are keys: whoever reads one sees the order, sets the password, or sends us messages.
KEYS = re.compile(r"^/(order|checkout/pay|account/password|hooks/[^/]+/[^/]+)/.+")


class DiscreetLogger(Logger):
    """Writes neither queries nor addresses that open something."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        """What a line is made of."""
        atoms = super().atoms(*args)
        return {**atoms, "U": KEYS.sub(r"/\1/…", str(atoms["U"]))}


bind = env.str("WEFT_BIND", "127.0.0.1:8000")
workers = env.int("WEFT_WEB_PROCESSES", 3)
threads = env.int("WEFT_WEB_THREADS", 4)  # each keeps a connection to the database
worker_class = "gthread"
timeout = 60  # seconds without a sign of a process
graceful_timeout = 30  # what is being answered is answered before the end
accesslog = "-"
logger_class = DiscreetLogger
access_log_format = '%(t)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
control_socket_disable = True  # its socket would lie in HOME, which may be unset or not be ours
# A file on a disk would make a process look dead while that disk is busy.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
