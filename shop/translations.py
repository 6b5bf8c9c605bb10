"""The catalogues of both languages: collected from the code, kept complete, compiled. By Babel; no gettext needed.

English is what the code says, so its catalogue fills itself; Chinese is written by people.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

LANGUAGES = ("zh_Hans", "en")
FLOORS = ("integrations", "shop", "erp", "templates")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_Found = tuple[str | tuple[str, ...], str, str | None]  # message, place, context


def po_file(language: str) -> Path:
    """Where a language's catalogue lies."""
    return Path(settings.BASE_DIR) / "locale" / language / "LC_MESSAGES" / "django.po"


def collect() -> Catalog:
    """Every string that is marked in the code and the templates."""
    catalog = Catalog()
    root = Path(settings.BASE_DIR)
    for floor in FLOORS:
        for path in sorted((root / floor).rglob("*")):
            if path.suffix in (".py", ".html", ".txt") and "migrations" not in path.parts:
                for message, place, context in _strings(path, path.relative_to(root)):
                    catalog.add(message, locations=[(place, 0)], context=context)
    return catalog


def _strings(path: Path, name: Path) -> Iterator[_Found]:
    text = path.read_text(encoding="utf-8")
    source = text if path.suffix == ".py" else templatize(text, origin=str(name))
    for _line, function, message, _comments in extract_python(BytesIO(source.encode()), KEYWORDS, [], {}):
        yield from _message(function or "gettext", message, str(name))


def _message(function: str, said: object, place: str) -> Iterator[_Found]:
    """What a call to a translating function names: Babel's extractor gives its bare arguments."""
    parts = list(said) if isinstance(said, (tuple, list)) else [said]
    context = parts.pop(0) if "pgettext" in function else None
    plural = "ngettext" in function or "npgettext" in function
    texts = parts[:2] if plural else parts[:1]
    if all(isinstance(text, str) and text for text in texts):
        yield (tuple(texts) if plural else texts[0]), place, context


def load(language: str) -> Catalog:
    """A language's catalogue as it stands in the project."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as stream:
        return read_po(stream, locale=language)


def gaps(language: str) -> list[str]:
    """Marked strings that the catalogue of `language` lacks."""
    known = load(language)
    return [
        str(wanted.id) for wanted in collect() if wanted.id and not _is_complete(known.get(wanted.id, wanted.context))
    ]


def _is_complete(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    said = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    return bool(said) and all(said)


def update() -> None:
    """Bring both catalogues up to date with the code, and compile them. Strings that are gone are dropped."""
    wanted = collect()
    for language in LANGUAGES:
        catalog = load(language)
        catalog.update(wanted, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        if language == "en":
            _say_as_written(catalog)
        file = po_file(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            write_po(stream, catalog, width=110, sort_output=True, include_lineno=False, omit_header=False)
        file.with_suffix(".mo").write_bytes(compiled(catalog))


def _say_as_written(catalog: Catalog) -> None:
    for message in catalog:
        if message.id:
            message.string = message.id


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    stream = BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()
