"""Both catalogues are complete, and compiled from what stands in them."""

from __future__ import annotations

import gettext

import pytest

from shop import translations


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_no_marked_string_lacks_a_translation(language: str) -> None:
    assert translations.gaps(language) == [], "run `make messages`, then fill in locale/*/LC_MESSAGES/django.po"


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_the_compiled_catalogue_is_of_today(language: str) -> None:
    file = translations.po_file(language)
    with file.with_suffix(".mo").open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    for message in translations.load(language):
        if not message.id or message.fuzzy:
            continue
        first = message.id[0] if isinstance(message.id, tuple) else message.id
        said = message.string[0] if isinstance(message.string, (tuple, list)) else message.string
        key = first if message.context is None else f"{message.context}\x04{first}"
        assert compiled._catalog.get(key, compiled._catalog.get((key, 0))) == said, first  # type: ignore[attr-defined]


def test_collecting_sees_code_and_templates() -> None:
    found = {str(message.id) for message in translations.collect()}
    assert "bank transfer" in found
    assert "Skip to the content" in found


def test_placeholders_are_the_same_in_both_languages() -> None:
    import re

    holder = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%[sd]")
    for message in translations.load("zh_Hans"):
        texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
        ids = message.id if isinstance(message.id, (tuple, list)) else [message.id]
        if message.id:
            wanted = set(holder.findall(ids[-1]))
            assert all(set(holder.findall(text)) <= wanted for text in texts), message.id
