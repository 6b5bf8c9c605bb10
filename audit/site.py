"""A shop to look at: gunicorn with static files as in production, on a database that is filled already."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from runtime.demo import first_page
from runtime.ports import LOOPBACK, any_free_port
from runtime.processes import Child, Command, ProcessFailed

PROJECT = Path(__file__).resolve().parent.parent
READY_TIMEOUT = 90.0


def environment(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The demo's, without Redis, around the given secrets and database; its files lie in `folder`."""
    return {
        **{name: value for name, value in env.items() if name != "GUNICORN_CMD_ARGS"},
        "WEFT_MODE": "demo",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "WEFT_MAIL_FOLDER": str(folder / "mail"),
        "WEFT_MEDIA_ROOT": str(folder / "media"),
        "REDIS_URL": "",
    }


def run(env: Mapping[str, str], *argv: str) -> None:
    """A step of setting up, to its end."""
    done = subprocess.run([sys.executable, *argv], cwd=PROJECT, env=env, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise ProcessFailed(f"{' '.join(argv)} failed.\n{done.stdout}\n{done.stderr}")


class Site:
    """The web server, ended with the block. `workers` processes of four threads each, as in the demo."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, workers: int = 2) -> None:
        port = any_free_port()
        self.url = f"http://{LOOPBACK}:{port}"
        self._env = {**env, "WEFT_SHOP_URL": self.url}
        run(self._env, "manage.py", "collectstatic", "--noinput", "--verbosity", "0")
        argv = [sys.executable, "-m", "gunicorn", "shop.wsgi:application", "--bind", f"{LOOPBACK}:{port}"]
        argv += ["--workers", str(workers), "--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "5"]
        argv += ["--access-logfile", "-", "--no-control-socket"]
        log = folder / "web.log"
        self.web = Child(Command(name="web", argv=argv, log=log, env=self._env, cwd=PROJECT, grace=10.0))

    def wait(self) -> None:
        """Wait until the first page comes."""
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline and self.web.ended() is None:
            if first_page(f"{self.url}/") == "200":
                return
            time.sleep(0.1)
        raise ProcessFailed(f"The shop does not answer with 200.\n{self.web.log_tail(40)}")

    def __enter__(self) -> Site:
        try:
            self.wait()
        except BaseException:
            self.web.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.web.stop()
