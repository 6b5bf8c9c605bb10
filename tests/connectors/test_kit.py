"""`manage.py connector`: what it writes works at once, what it lists is true, what it refuses it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from integrations.hub import registry
from integrations.hub.kinds import kinds

ROOT = Path(settings.BASE_DIR)
CODE = ("erp", "integrations", "locale", "runtime", "shop", "manage.py", "pyproject.toml")


def connector(*words: str) -> str:
    out = StringIO()
    call_command("connector", *words, stdout=out)
    return out.getvalue()


def run(folder: Path, *command: str) -> str:
    """A process of its own in that copy of Weft; what it says, if it ends well."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    ended = subprocess.run(
        [sys.executable, *command], cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


@pytest.fixture(scope="module")
def weft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of Weft's code in which files may be written."""
    copy = tmp_path_factory.mktemp("weft")
    for name in CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    (copy / "docs" / "connectors").mkdir(parents=True)
    (copy / "tests" / "connectors").mkdir(parents=True)
    for name in ("__init__.py", "connectors/__init__.py", "connectors/contract.py"):
        shutil.copy(ROOT / "tests" / name, copy / "tests" / name)
    return copy


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_new_connector_works_at_once(kind: str, weft: Path) -> None:
    said = run(weft, "manage.py", "connector", "new", kind, f"new_{kind}")
    place = kinds()[kind].package.replace(".", "/")
    tests = f"tests/connectors/{kind}/new_{kind}"
    assert {f"wrote {place}/new_{kind}.py", f"wrote docs/connectors/new_{kind}.md"} <= set(said.splitlines())
    run(weft, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n0", tests)
    listed = run(weft, "manage.py", "connector", "list")
    assert f"{kind} new_{kind}: New {kind.capitalize()}" in listed
    assert f"from         {kinds()[kind].package}.new_{kind}" in listed
    written = [f"{place}/new_{kind}.py", tests]
    run(weft, "-m", "ruff", "check", *written)
    run(weft, "-m", "ruff", "format", "--check", *written)


def test_a_kind_without_a_starter_gets_the_common_one(weft: Path) -> None:
    (weft / "integrations" / "birds" / "providers").mkdir(parents=True)
    for name in ("__init__.py", "providers/__init__.py"):
        (weft / "integrations" / "birds" / name).write_text("")
    (weft / "integrations" / "birds" / "base.py").write_text(
        "from integrations.hub.connector import Connector\n\n\nclass Bird(Connector):\n    kind = 'bird'\n\n"
        "    def fly(self) -> None:\n        raise NotImplementedError\n"
    )
    told = weft / "shop" / "settings.py"
    told.write_text(told.read_text() + '\nWEFT_PROVIDER_PACKAGES += ["integrations.birds.providers"]\n')
    run(weft, "manage.py", "connector", "new", "bird", "dove")
    run(weft, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n0", "tests/connectors/bird/dove")
    assert "not offered  fly, verify" in run(weft, "manage.py", "connector", "list")


def test_the_list_says_what_is_offered_and_from_where() -> None:
    lines = connector("list").splitlines()
    at = lines.index("channel market: Practice marketplace")
    assert lines[at + 1 : at + 4] == [
        "  from         integrations.channels.providers.market",
        "  offers       offer, orders, dated, health",
        "  not offered  verify",
    ]


def test_the_list_says_what_is_broken_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.broken, "weft_acme.connector", "ImportError: no module\nnamed acme")
    assert "BROKEN weft_acme.connector: ImportError: no module named acme" in connector("list")


REFUSED: list[tuple[tuple[str, str], str]] = [
    (("bank", "acme"), "There is no kind 'bank'. Kinds: alarms, channel, erp, messages, payments"),
    (("erp", "Acme"), "cannot name a module"),
    (("erp", "acme-erp"), "cannot name a module"),
    (("erp", "1st"), "cannot name a module"),
    (("erp", "class"), "cannot name a module"),
    (("erp", "../acme"), "cannot name a module"),
    (("erp", "tryton"), "There is a erp connector named 'tryton' already: erp.providers.tryton"),
    (("messages", "market"), "Already there: "),  # its page would be the other market's
]


@pytest.mark.parametrize(("words", "why"), REFUSED)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    words: tuple[str, str], why: str, settings: Any, tmp_path: Path
) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs" / "connectors").mkdir(parents=True)
    (tmp_path / "docs" / "connectors" / "market.md").write_text("the market's")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CommandError, match=why.replace("(", r"\(").replace("[", r"\[")):
        connector("new", *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_package_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("somebody's own")
    with pytest.raises(CommandError, match="Already there: .*pyproject.toml"):
        connector("new", "erp", "acme", "--package", str(tmp_path))
    assert (tmp_path / "pyproject.toml").read_text() == "somebody's own"
    assert list(tmp_path.iterdir()) == [tmp_path / "pyproject.toml"]
