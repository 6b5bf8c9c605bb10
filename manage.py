#!/usr/bin/env python
"""Django's command line. Reads `.env` beside it first; variables of the environment win."""

import os
import sys
from pathlib import Path

SERVING = {"qcluster", "runserver", "supervise"}  # all others are run by people, who may wait for the database


def main() -> None:
    dotenv = Path(__file__).resolve().parent / ".env"
    if dotenv.exists() and os.environ.get("WEFT_MODE") != "test":
        import environ

        environ.Env.read_env(dotenv)
    if SERVING.isdisjoint(sys.argv[1:2]):
        os.environ.setdefault("WEFT_DB_PATIENT", "true")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
