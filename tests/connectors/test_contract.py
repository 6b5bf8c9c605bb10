"""The contract lets a good connector through, and sees what is wrong with each worse one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.connectors import good, planted
from tests.connectors.good import Good


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    good.fixtures(tmp_path)
    return tmp_path


def failures(contract: type[Good], only: str = "") -> list[str]:
    """The names of the tests that a contract fails, each run with all its parameters."""
    found = []
    for name, test in inspect.getmembers(contract, inspect.isfunction):
        if name.startswith("test_") and only in name:
            for values in _parameters(contract, test):
                try:
                    test(contract(), **values)
                except (AssertionError, pytest.fail.Exception, Exception) as error:
                    found.append(f"{name}: {error!r}"[:400])
    return found


def _parameters(contract: type[Good], test: Any) -> Iterator[dict[str, Any]]:
    """As pytest would call it."""
    given: list[tuple[Any, list[Any]]] = []
    names = [name for name in inspect.signature(test).parameters if name != "self"]
    meta = SimpleNamespace(fixturenames=names, parametrize=lambda what, values, **_: given.append((what, values)))
    contract().pytest_generate_tests(meta)
    ways: list[dict[str, Any]] = [{}]
    for what, values in given:
        each = [dict(zip(what, v, strict=True)) if isinstance(what, tuple) else {what: v} for v in values]
        ways = [{**way, **more} for way in ways for more in each]
    yield from ways


def of(connector: Any, folder: Path) -> type[Good]:
    return type("Contract", (Good,), {"connector": connector, "folder": classmethod(lambda cls: folder)})


def test_a_good_connector_passes(folder: Path) -> None:
    assert failures(of(planted.Planted, folder)) == []


WORSE = {
    planted.Chatty: ("test_a_failure", "SECRET"),
    planted.Logging: ("test_no_secret_is_left", "SECRET"),
    planted.Printed: ("test_no_secret_shows", "SECRET"),
    planted.Hasty: ("test_a_failure", "OutcomeUnknown"),
    planted.Bare: ("test_a_failure", "not one of the hub"),
    planted.Deaf: ("test_a_failure", ""),
    planted.Loose: ("test_an_answer_of_wrong_types", "answer"),
    planted.Other: ("test_the_remote_is_asked_exactly", ""),
    planted.Trusting: ("test_what_it_did_not_send", "DID NOT RAISE"),
    planted.Ageless: ("test_what_it_sent_long_ago", "DID NOT RAISE"),
    planted.Counting: ("test_what_it_sends_twice", ""),
    planted.Thankless: ("test_what_cannot_be_understood", ""),
    planted.Formless: ("test_it_says_what_a_form", "checks"),
}


@pytest.mark.parametrize("connector", WORSE, ids=lambda worse: worse.__name__)
def test_what_is_wrong_is_seen(connector: Any, folder: Path) -> None:
    where, words = WORSE[connector]
    found = failures(of(connector, folder), where)
    assert found, "nothing was seen"
    assert words.replace("SECRET", planted.SECRET) in " ".join(found)


def test_an_operation_that_nobody_calls_is_seen(folder: Path) -> None:
    contract = of(planted.Planted, folder)
    contract.calls = {}
    assert failures(contract, "test_every_operation")


def test_a_reply_that_becomes_something_else_is_seen(folder: Path) -> None:
    file = folder / "sell.json"
    file.write_text(file.read_text().replace('"left": 2}, "warnings"', '"left": 3}, "warnings"'))
    assert failures(of(planted.Planted, folder), "test_its_reply")


def test_http_in_disguise_is_seen(folder: Path) -> None:
    contract = of(planted.Planted, folder)
    contract.transport = "carrier pigeon"
    assert failures(contract, "test_what_it_speaks")
