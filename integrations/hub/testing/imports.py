"""What a connector imports, by the graph of its imports: through its own code, and not beyond what the hub hands it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

from integrations.hub.registry import ENTRY_POINTS

# What the hub hands to connectors. Behind it are Django and HTTP, which are the hub's own business.
HANDED = frozenset(f"integrations.hub.{name}" for name in ("answers", "connector", "errors", "http", "values"))
OWN = ("integrations", "erp", "shop")
FORBIDDEN = {
    "django": "a connector knows no Django: it gets its settings, the door and the clock",
    "oscar": "a connector knows no shop software",
    "integrations.hub": "of the hub, connectors use answers, connector, errors, http and values only",
    "shop": "a connector knows no shop",
} | dict.fromkeys(
    ("requests", "urllib3", "httpx", "aiohttp", "http.client", "urllib.request"), "HTTP goes through `self.http`"
)


def wrong_imports(module: str) -> list[str]:
    """Each import that a connector must not have: who imports what, and why not."""
    others = {entry.module for entry in entry_points(group=ENTRY_POINTS)} - {module}
    wrong, seen, waiting = [], {module}, [module]
    while waiting:
        importer = waiting.pop()
        for name in _imported(importer):
            if name in HANDED or any(name.startswith(f"{handed}.") for handed in HANDED):
                continue
            if why := _why_not(name, module, others):
                wrong.append(f"{importer} imports {name}: {why}")
            elif name not in seen and name.partition(".")[0] in {*OWN, module.partition(".")[0]}:
                seen.add(name)
                waiting.append(name)
    return sorted(set(wrong))


def _why_not(name: str, module: str, others: set[str]) -> str:
    for forbidden, why in FORBIDDEN.items():
        if name == forbidden or name.startswith(f"{forbidden}."):
            return why
    for package in settings.WEFT_PROVIDER_PACKAGES:
        if name.startswith(f"{package}.") and not f"{name}.".startswith(f"{module}."):
            others = {*others, name}
    return "that is another connector" if name in others else ""


def _imported(module: str) -> Iterator[str]:
    """The modules that a module imports when it runs, inside functions too; its parents' packages as well."""
    spec = find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return
    package = module if spec.submodule_search_locations is not None else module.rpartition(".")[0]
    for node in _that_run(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            base = _absolute(node, package)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if _is_module(whole) else base


def _that_run(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports, but for those that only type checkers follow."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from _that_run(other)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        else:
            yield from _that_run(node)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _is_module(name: str) -> bool:
    if name.partition(".")[0] not in OWN and "." in name:
        top = name.partition(".")[0]
        if top in FORBIDDEN:
            return False
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
