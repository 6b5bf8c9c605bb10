"""docs/connectors/adding.md, run from top to bottom: a package of its own, installed, connected, a row delivered."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from integrations.hub import testing
from integrations.hub.models import Account, Outgoing
from integrations.hub.testing import fixtures
from integrations.hub.testing.remote import conversing
from shop.customer.models import User
from tests.databases import database_url
from tests.operations.docs import boxes

ROOT = Path(settings.BASE_DIR)
DRAIN = """
from django.contrib.auth import get_user_model
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from shop.customer import passwords
passwords.ask(get_user_model().objects.get(), 'en')
print('settled', drains.drain(Lane.ORDERS))
"""


class Page:
    """The page's commands, run in Weft's folder; the package and where it is installed are throw-away."""

    def __init__(self, folder: Path, port: int) -> None:
        self.package, self.target = folder / "weft-postbox", folder / "installed"
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            **os.environ, "DATABASE_URL": database_url(), "WEFT_PRIVATE_HOSTS": f"127.0.0.1:{port}",
            "PYTHONPATH": str(self.target), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def run(self, box: str) -> str:
        command = boxes("connectors/adding.md")[box].replace("../weft-postbox", str(self.package))
        command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
        command = command.replace("https://postbox.example", self.url)
        if box == "install":
            command = command.rstrip() + f" --no-index --no-build-isolation --target {shlex.quote(str(self.target))}"
        return self.shell(command)

    def shell(self, command: str) -> str:
        ended = subprocess.run(
            ["sh", "-ec", command], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
        return ended.stdout


@pytest.mark.django_db(transaction=True)
def test_the_page_leads_to_a_connector_that_delivers(tmp_path: Path) -> None:
    User.objects.create_user(email="buyer@example.com", password="long enough 1")
    starter = ROOT / "integrations" / "messages" / "starter"
    said = [fixtures.load(starter / f"{name}.json").exchanges[0] for name in ("health", "send")]
    with conversing(said) as (remote, _door):
        page = Page(tmp_path, remote.server_port)
        assert "weft_postbox/connector.py" in page.run("new")
        assert " passed" in page.run("test") and "failed" not in page.run("test")
        page.run("install")
        listed = page.run("list")
        assert "messages postbox: Postbox" in listed
        assert "weft_postbox.connector (weft-postbox 0.1.0)" in listed
        assert remote.asked == []
        assert page.run("connect").strip().endswith("works Postbox")
        assert (
            page.shell(f"{shlex.quote(sys.executable)} manage.py shell -c {shlex.quote(DRAIN)}")
            .strip()
            .endswith("settled 1")
        )
    row = Outgoing.objects.get()
    assert (row.account, row.topic, row.delivered) == (Account.objects.get(name="Postbox"), "password-mail", 1)
    assert row.refs[0]["id"] == "m-1"
    asked: list[dict[str, Any]] = remote.asked
    assert [(each["method"], each["url"]) for each in asked] == [("GET", "/v1/status"), ("POST", "/v1/mails")]
    assert asked[1]["json"]["to"] == "buyer@example.com"
    assert asked[1]["headers"]["authorization"] == "Bearer the-key-they-gave-you"


def test_what_the_page_names_is_there() -> None:
    text = (ROOT / "docs" / "connectors" / "adding.md").read_text(encoding="utf-8")
    folder = ROOT / "docs" / "connectors"
    links = [part.partition(")")[0].partition("#")[0] for part in text.split("](")[1:]]
    assert len(links) > 5
    assert [link for link in links if not (folder / link).exists()] == []
    assert (Path(str(testing.__file__)).parent / "contract.py").exists()
