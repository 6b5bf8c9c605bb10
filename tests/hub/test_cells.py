"""Cells of CSV and XLSX files: nothing in them is run, and what went out comes back as it was."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.hub.files.cells import STARTS, plain, safe


@pytest.mark.parametrize("start", STARTS)
def test_what_looks_like_a_formula_becomes_text(start: str) -> None:
    assert safe(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", ["Wool rug", "", "O'Neil", -5, Decimal("-1.50"), "13 % = VAT"])
def test_the_rest_stays_what_it_is(value: object) -> None:
    assert safe(value) == value


def test_nothing_is_an_empty_cell() -> None:
    assert safe(None) == ""


@given(st.one_of(st.text(), st.builds(str.__add__, st.sampled_from(["'", "''", "'=", "=", "-"]), st.text())))
def test_a_text_comes_back_as_it_was(text: str) -> None:
    written = safe(text)
    assert not written.startswith(STARTS)
    assert plain(written) == text


@pytest.mark.parametrize("typed", ["'s-Hertogenbosch", "'", "it's"])
def test_an_apostrophe_somebody_typed_stays(typed: str) -> None:
    assert plain(typed) == typed
