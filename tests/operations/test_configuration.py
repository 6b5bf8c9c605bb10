"""The settings' reference says what the code reads, and nothing else."""

from __future__ import annotations

import ast
import re

import environ
import pytest

from shop import configuration
from tests.operations import docs


def test_code_and_reference_agree() -> None:
    assert configuration.gaps() == [], "explain it in docs/configuration.toml, then run `make configuration`"
    assert configuration.stale() == [], "run `make configuration`"


def test_every_way_of_reading_a_variable_is_seen() -> None:
    source = """
A = env.str("ONE", "a")
B = env.int("TWO", 2)
C = env.bool("THREE", default=True)
D = env.list("FOUR", default=[])
E = secret("FIVE")
F = env.path("SIX", default=VAR / "x")
G = os.environ.get("WEFT_SEVEN", "7")
H = os.environ.get("NOT_OURS")
"""
    found = {one.name: one for one in configuration._of_python(ast.parse(source))}
    assert {name: (one.type, one.default, one.has_file) for name, one in found.items()} == {
        "ONE": ("str", "a", False),
        "TWO": ("int", "2", False),
        "THREE": ("bool", "true", False),
        "FOUR": ("list", None, False),
        "FIVE": ("str", None, True),
        "SIX": ("path", "", False),
        "WEFT_SEVEN": ("str", "7", False),
    }


def test_what_make_is_told_is_seen() -> None:
    makefile = "PORT ?= 8\nPY := x\ngo:\n\t$(PY) $(PORT) $(FILE)\n"
    found = {one.name: one.default for one in configuration._of_make(makefile)}
    assert found == {"PORT": "8", "FILE": None}


def test_a_setting_that_is_not_explained_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = configuration.read()
    extra = configuration.Setting("WEFT_NEW", "str", None)
    monkeypatch.setattr(configuration, "read", lambda: {**known, "WEFT_NEW": extra})
    assert [line for line in configuration.gaps() if "WEFT_NEW is read by the code" in line]


def test_the_example_is_a_dotenv_that_can_be_read() -> None:
    """Each line of it, comments uncommented, is a setting the code knows."""
    text = (docs.ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^#?([A-Z_]+)=", text, re.M)
    known = configuration.read()
    assert {name.removesuffix("_FILE") if name.endswith("_FILE") else name for name in names} <= set(known)
    read: dict[str, str] = {}
    environ.Env.ENVIRON, before = read, environ.Env.ENVIRON
    try:
        environ.Env.read_env(docs.ROOT / ".env.example")
    finally:
        environ.Env.ENVIRON = before
    assert read["WEFT_MODE"] == "production" and read["DATABASE_URL"].startswith("postgres://weft@127.0.0.1:5432/weft?")
    assert not [value for value in read.values() if "#" in value]
