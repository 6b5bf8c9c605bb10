"""The web server's settings; gunicorn reads them: `python -m gunicorn -c python:runtime.web shop.wsgi:application`.

Like manage.py it reads `.env` beside the project first; variables of the environment win.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import environ
from gunicorn.glogging import Logger

from runtime.logs.lines import formatter
from runtime.logs.masks import masked
from runtime.logs.trace import bound, is_trace

_dotenv = Path(__file__).resolve().parent.parent / ".env"
if _dotenv.exists() and os.environ.get("WEFT_MODE") != "test":
    environ.Env.read_env(_dotenv)
env = environ.Env()
AS_JSON = env.str("WEFT_LOG_FORMAT", "text" if env.str("WEFT_MODE", "production") != "production" else "json") == "json"


class DiscreetLogger(Logger):
    """Writes as the shop does: neither queries nor addresses that open something, each line with its trace."""

    def setup(self, cfg: Any) -> None:
        """Gunicorn's handlers, with our lines."""
        super().setup(cfg)
        lines = formatter(AS_JSON)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(lines)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """One line for each answer."""
        told = dict(resp.headers).get("X-Request-ID", "")
        facts = {"method": req.method, "status": resp.status_code, "ms": round(request_time.total_seconds() * 1e3)}
        with bound(told if is_trace(told) else "-", **facts):
            self.access_log.log(logging.INFO, "%s", masked(str(environ.get("PATH_INFO", ""))))


bind = env.str("WEFT_BIND", "127.0.0.1:8000")
workers = env.int("WEFT_WEB_PROCESSES", 3)
threads = env.int("WEFT_WEB_THREADS", 4)  # each keeps a connection to the database
worker_class = "gthread"
timeout = 60  # seconds without a sign of a process
graceful_timeout = 30  # what is being answered is answered before the end
accesslog = "-"
logger_class = DiscreetLogger
control_socket_disable = True  # its socket would lie in HOME, which may be unset or not be ours
# A file on a disk would make a process look dead while that disk is busy.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
