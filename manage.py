#!/usr/bin/env python
"""Django's command line. Reads `.env` beside it first; variables of the environment win."""

import os
import sys
from pathlib import Path


def main() -> None:
    dotenv = Path(__file__).resolve().parent / ".env"
    if dotenv.exists() and os.environ.get("WEFT_MODE") != "test":
        import environ

        environ.Env.read_env(dotenv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
