"""Does the shop answer? For health checks of containers:

    python -m runtime.probe      asks the web server of this host; ends with 1 unless it is ready

The doctor asks the shop's address for the login page instead: that needs the proxy and templates as well.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

from runtime import web

PAGE = "/account/login/"
READY = "/readyz"
SECONDS = 8


def ask(url: str, host: str = "") -> str:
    """The status a page comes with, or what went wrong. `host`: by which name it is asked for."""
    headers = {"Host": host, "X-Forwarded-Proto": "https"} if host else {}
    # Proxies of the environment are not for our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=SECONDS) as response:
            return str(response.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return str(error)


def own_url() -> str:
    """Where the web server of this host listens."""
    address, _, port = web.bind.rpartition(":")
    return f"http://{'127.0.0.1' if address in ('0.0.0.0', '') else address}:{port}{READY}"


def main() -> int:
    """The command line."""
    host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
    said = ask(own_url(), host)
    if said != "200":
        print(said, file=sys.stderr)
    return 0 if said == "200" else 1


if __name__ == "__main__":
    sys.exit(main())
