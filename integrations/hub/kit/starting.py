"""Writing a new connector: one that works at once, against a remote that its fixtures describe."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from integrations.hub import registry
from integrations.hub.kinds import Kind, kinds
from integrations.hub.kit.offers import operations

COMMON = Path(__file__).parent / "starter"
HOLDER = re.compile(r"@([A-Za-z_-]+)@")
NAME = re.compile(r"[a-z][a-z0-9_]*")


class CannotStart(Exception):
    """Why no connector of that name can be made here; in words for whoever typed it."""


def start(kind_name: str, name: str, package: Path | None = None) -> list[Path]:
    """Write the new connector's files, here or as a package of its own in the folder `package`; returns them.

    Raises CannotStart before anything is written. No file is ever overwritten.
    """
    kind = _kind(kind_name)
    _check_name(kind, name)
    files = _packaged(kind, name, package) if package else _in_place(kind, name)
    if taken := [str(file) for file in files if file.exists()]:
        raise CannotStart(f"Already there: {', '.join(taken)}. Nothing was written.")
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(files)


def _kind(name: str) -> Kind:
    known = kinds()
    if name not in known:
        raise CannotStart(f"There is no kind {name!r}. Kinds: {', '.join(sorted(known))}.")
    return known[name]


def _check_name(kind: Kind, name: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise CannotStart(f"{name!r} cannot name a module: small letters, digits and _, beginning with a letter.")
    if found := registry.connectors().get((kind.name, name)):
        raise CannotStart(f"There is a {kind.name} connector named {name!r} already: {found.__module__}.")


def _in_place(kind: Kind, name: str) -> dict[Path, str]:
    root = Path(settings.BASE_DIR)
    module = f"{kind.package}.{name}"
    place, page = f"{module.replace('.', '/')}.py", f"docs/connectors/{name}.md"
    folder = root / "tests" / "connectors" / kind.name / name
    words = _words(kind, name, module=module, place=place, page=page, tests="tests.connectors.contract")
    words["test"] = f"tests/connectors/{kind.name}/{name}"
    made = {root / place: _filled(kind, "connector.py.txt", words), root / page: _filled(kind, "page.md", words)}
    made |= {file: "" for file in (folder.parent / "__init__.py",) if not file.exists()}
    return made | {folder / "__init__.py": ""} | _tests(kind, name, folder, words)


def _packaged(kind: Kind, name: str, root: Path) -> dict[Path, str]:
    module = f"weft_{name}.connector"
    words = _words(kind, name, module=module, place=f"weft_{name}/connector.py", page="README.md",
                   tests="integrations.hub.testing.contract")  # fmt: skip
    words["test"] = "tests"
    return {
        root / "pyproject.toml": _filled(kind, "pyproject.toml.txt", words),
        root / "README.md": _filled(kind, "page.md", words),
        root / f"weft_{name}" / "__init__.py": f'"""{words["label"]} for Weft."""\n',
        root / f"weft_{name}" / "connector.py": _filled(kind, "connector.py.txt", words),
    } | _tests(kind, name, root / "tests", words)


def _tests(kind: Kind, name: str, folder: Path, words: Mapping[str, str]) -> dict[Path, str]:
    starter = kind.starter if kind.starter.is_dir() else COMMON
    fixtures = {folder / file.name: _fill(file.read_text("utf-8"), words) for file in sorted(starter.glob("*.json"))}
    return {folder / f"test_{name}.py": _filled(kind, "test.py.txt", words)} | fixtures


def _words(kind: Kind, name: str, **places: str) -> dict[str, str]:
    """What the holders in a starter stand for."""
    parts = [part.capitalize() for part in name.split("_") if part]
    return {
        "name": name,
        "name-with-dashes": name.replace("_", "-"),
        "kind": kind.name,
        "Class": "".join(parts),
        "label": " ".join(parts),
        "Contract": kind.contract.__name__,
        "contract_module": kind.contract.__module__,
        "operations": ", ".join(operations(kind.contract)),
        "call": (COMMON / "call.py.txt").read_text(encoding="utf-8"),
        **places,
    }


def _filled(kind: Kind, file: str, words: Mapping[str, str]) -> str:
    """A starter of the kind's own, or the common one. It ends with one line break."""
    own = kind.starter / file
    return _fill((own if own.exists() else COMMON / file).read_text(encoding="utf-8"), words).rstrip() + "\n"


def _fill(text: str, words: Mapping[str, str]) -> str:
    """What is no holder of ours (an address with two @, say) stays."""
    return HOLDER.sub(lambda found: words.get(found[1], found[0]), text)
