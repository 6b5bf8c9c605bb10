"""Every connector of this repository inherits the contract, has its page, and imports what a connector may."""

from __future__ import annotations

import importlib
from inspect import getmembers, isclass
from pathlib import Path

import pytest
from django.conf import settings

from integrations.hub import registry
from integrations.hub.kit.offers import offered
from integrations.hub.testing.imports import wrong_imports
from tests.connectors.contract import Contract, HearingContract, HttpContract

ROOT = Path(settings.BASE_DIR)
OWN = [
    found
    for found in registry.connectors().values()
    if found.__module__.rpartition(".")[0] in settings.WEFT_PROVIDER_PACKAGES
]


@pytest.mark.parametrize("connector", OWN, ids=lambda found: f"{found.kind}-{found.name}")
def test_it_goes_through_the_contract(connector: type[registry.Connector]) -> None:
    tests = importlib.import_module(f"tests.connectors.{connector.kind}.{connector.name}.test_{connector.name}")
    inherited = {Contract, HttpContract, HearingContract}
    mine = [each for _, each in getmembers(tests, isclass) if issubclass(each, Contract) and each not in inherited]
    assert [each.connector for each in mine] == [connector]


@pytest.mark.parametrize("connector", OWN, ids=lambda found: f"{found.kind}-{found.name}")
def test_it_has_a_page_that_names_its_fields(connector: type[registry.Connector]) -> None:
    page = (ROOT / "docs" / "connectors" / f"{connector.name}.md").read_text(encoding="utf-8")
    assert connector.__module__.replace(".", "/") in page
    for field in connector.fields:
        assert field.label.partition(":")[0].lower() in page.lower(), field.label


def test_there_are_some_of_every_kind() -> None:
    assert {found.kind for found in OWN} >= {"alarms", "channel", "erp", "messages", "payments"}
    assert registry.broken == {}


def test_what_is_not_overridden_is_not_offered() -> None:
    by_name = {found.name: found for found in OWN}
    assert offered(by_name["market"]) == {
        "offer": True, "orders": True, "dated": True, "health": True, "verify": False,
    }  # fmt: skip
    assert offered(by_name["tryton"]) == {
        "ensure_customer": True, "ensure_order": True, "stock": True, "changes": True, "health": True, "verify": False,
    }  # fmt: skip


FORBIDDEN = {
    "import requests": "requests",
    "def send():\n    from urllib3 import PoolManager": "urllib3",
    "from integrations.hub.models import Account": "integrations.hub",
    "from shop.order.models import Order": "shop.order.models",
    "import django.db": "django.db",
    "from integrations.messages.providers.file import FileMessages": "another connector",
    "from . import part": "requests",
}


@pytest.mark.parametrize("line", FORBIDDEN)
def test_an_import_that_a_connector_must_not_have_is_seen(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"weft_planted_{abs(hash(line))}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / package / "part.py").write_text("import requests\n")
    allowed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests\nimport json\n"
    connector = tmp_path / package / "connector.py"
    monkeypatch.syspath_prepend(tmp_path)
    connector.write_text(allowed)
    assert wrong_imports(f"{package}.connector") == []
    connector.write_text(f"{allowed}{line}\n")
    assert FORBIDDEN[line] in " ".join(wrong_imports(f"{package}.connector"))
