"""Connectors are found by their place; a broken one is a warning, never a crash."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.checks import run_checks

from integrations.hub import registry
from integrations.hub.errors import Misconfigured
from integrations.hub.models import Account
from tests.hub.conftest import send_due
from tests.hub.remote import Remote
from tests.hub.test_state import row, wish

GOOD = """
from integrations.hub.connector import Connector

class Base(Connector):
    kind = "made"

class Made(Base):
    name = "made"
    label = "Made"
"""
BROKEN = {
    "syntax": "def",
    "missing": "import no_such_package_at_all",
    "raises": "raise ValueError('no')",
    "exits": "import sys; sys.exit(3)",
    "recursion": "def f(): f()\nf()",
    "empty": "x = 1",
}


@pytest.fixture
def providers(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:  # type: ignore[no-untyped-def]
    """Makes a package of provider modules the only one that is searched."""
    monkeypatch.syspath_prepend(tmp_path)
    known = dict(registry.connectors())
    monkeypatch.setattr(registry, "broken", {})

    def make(modules: dict[str, str]) -> None:
        package = tmp_path / "made_providers"
        package.mkdir()
        for name, text in {"__init__": "", **modules}.items():
            (package / f"{name}.py").write_text(text)
        settings.WEFT_PROVIDER_PACKAGES = ["made_providers"]
        registry.connectors.cache_clear()

    yield make
    registry.connectors.cache_clear()
    settings.WEFT_PROVIDER_PACKAGES = []
    registry.connectors().update(known)
    for name in [n for n in sys.modules if n.startswith("made_providers")]:
        del sys.modules[name]


def test_a_connector_is_one_file_in_its_place(providers: Callable[[dict[str, str]], None]) -> None:
    providers({"made": GOOD})
    assert [(key, found.label) for key, found in registry.connectors().items()] == [(("made", "made"), "Made")]
    assert registry.broken == {}


def test_broken_ones_are_warnings_and_the_others_work(providers: Callable[[dict[str, str]], None]) -> None:
    providers({"made": GOOD, **BROKEN})
    assert list(registry.connectors()) == [("made", "made")]
    assert set(registry.broken) == {f"made_providers.{name}" for name in BROKEN}
    warnings = [message for message in run_checks() if message.id == "weft.W001"]
    assert len(warnings) == len(BROKEN)
    assert not any(message.is_serious() for message in warnings)
    assert any("no_such_package_at_all" in message.msg for message in warnings)


@pytest.mark.django_db
def test_an_account_without_its_connector_waits_and_says_so(account: Account, remote: Remote) -> None:
    with pytest.raises(Misconfigured, match="no probe connector named 'gone'"):
        registry.connect(Account(kind="probe", provider="gone"))
    Account.objects.update(provider="gone")
    wish("a")
    assert send_due(account) == 0
    account.refresh_from_db()
    assert "no probe connector named 'gone'" in account.problem
    assert row().is_open and row().parked_at is None
    assert remote.asked == []


@pytest.mark.django_db
def test_an_account_whose_form_is_not_filled_in_waits_and_says_so(account: Account, remote: Remote) -> None:
    Account.objects.update(settings={})
    wish("a")
    assert send_due(account) == 0
    account.refresh_from_db()
    assert account.problem == "Not filled in: URL."
