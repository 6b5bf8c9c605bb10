"""Three floors: imports, relations, string references and migrations go down only.

import-linter holds the imports; this walks what it cannot see as well: models named by strings, dotted names of
tasks, dependencies between migrations, and imports inside functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.migrations.loader import MigrationLoader

ROOT = Path(settings.BASE_DIR)
FLOORS = {"integrations": 0, "oscar": 1, "shop": 1, "erp": 2}  # Oscar is part of the shop's floor
# Where the floors are put together into one site: these name all of them, and nothing imports these.
ASSEMBLY = {"shop/settings.py", "shop/urls.py", "shop/wsgi.py"}


def floor(dotted: str) -> int | None:
    """The floor of a module, None for Django and other libraries."""
    return FLOORS.get(dotted.partition(".")[0])


def floor_of_app(label: str) -> int | None:
    try:
        return floor(apps.get_app_config(label).name)
    except LookupError:
        return None


LABELS = {config.label: floor(config.name) for config in apps.get_app_configs() if floor(config.name) is not None}


# --- relations of models ---------------------------------------------------------------------------------------------


def relations() -> Iterator[tuple[type[models.Model], str, type[models.Model]]]:
    """(model, field, what it points at) of every relation declared on a model of ours, its bases included."""
    for model in apps.get_models(include_auto_created=True):
        for field in [*model._meta.local_fields, *model._meta.local_many_to_many]:
            target = field.remote_field.model if field.remote_field else None
            if isinstance(target, type) and issubclass(target, models.Model):
                yield model, field.name, target
        for base in model._meta.parents:
            yield model, "(base)", base


def test_no_model_points_up() -> None:
    seen = 0
    wrong = []
    for model, field, target in relations():
        own, other = floor(model.__module__), floor(target.__module__)
        seen += own is not None
        if own is not None and other is not None and other > own:
            wrong.append(f"{model._meta.label}.{field} -> {target._meta.label}")
    assert seen > 50
    assert wrong == []


# --- migrations ------------------------------------------------------------------------------------------------------


def test_no_migration_depends_on_a_higher_floor() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    seen = 0
    wrong = []
    for (label, name), migration in loader.disk_migrations.items():
        own = floor_of_app(label)
        for other_label, _ in [*migration.dependencies, *migration.run_before]:
            if other_label == "__setting__":
                other_label = settings.AUTH_USER_MODEL.split(".")[0]
            other = floor_of_app(other_label)
            seen += own is not None
            if own is not None and other is not None and other > own:
                wrong.append(f"{label}.{name} -> {other_label}")
    assert seen > 20
    assert wrong == []


# --- imports and strings ---------------------------------------------------------------------------------------------

DOTTED = re.compile(r"^(integrations|oscar|shop|erp)(\.[a-z_][a-z0-9_]*)+(\.[A-Z]\w*)?$")
MODEL = re.compile(r"^([a-z_]+)\.([A-Z]\w+)$")


def references(source: str) -> Iterator[tuple[int, str, int]]:
    """(line, what, floor) of every import, dotted name in a string, and "app.Model" string in a module."""
    for node in ast.walk(ast.parse(source)):
        named: list[str] = []
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named = [node.module]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = [node.value] if DOTTED.match(node.value) else []
            if (model := MODEL.match(node.value)) and (its_floor := LABELS.get(model[1])) is not None:
                yield node.lineno, node.value, its_floor
        for name in named:
            if (its_floor := floor(name)) is not None:
                yield node.lineno, name, its_floor  # type: ignore[attr-defined]


def upward(own: int, source: str) -> list[str]:
    return [f"{line}: {what}" for line, what, its_floor in references(source) if its_floor > own]


@pytest.mark.parametrize("top", ["integrations", "shop"])
def test_no_module_names_a_higher_floor(top: str) -> None:
    files = sorted((ROOT / top).rglob("*.py"))
    assert len(files) > 10
    wrong = {}
    for file in files:
        name = str(file.relative_to(ROOT))
        found = [] if name in ASSEMBLY else upward(FLOORS[top], file.read_text(encoding="utf-8"))
        if found:
            wrong[name] = found
    assert wrong == {}


def test_nothing_imports_the_assembly() -> None:
    names = {path.removesuffix(".py").replace("/", ".") for path in ASSEMBLY}
    wrong = [
        f"{file.relative_to(ROOT)}:{line}"
        for top in ("integrations", "shop", "erp")
        for file in sorted((ROOT / top).rglob("*.py"))
        if str(file.relative_to(ROOT)) not in ASSEMBLY
        for line, what, _ in references(file.read_text(encoding="utf-8"))
        if what in names
    ]
    assert wrong == []


PLANTED = [
    ("import shop.order.models", ["1: shop.order.models"]),
    ("def f():\n    from erp import orders", ["2: erp"]),
    ("if TYPE_CHECKING:\n    from shop.stock.models import Pool", ["2: shop.stock.models"]),
    ("import_module('shop.tasks')", ["1: shop.tasks"]),
    ("ForeignKey('order.Order')", ["1: order.Order"]),
    ("TASK = 'erp.tasks.poll'", ["1: erp.tasks.poll"]),
    ("from oscar.apps.order import models", ["1: oscar.apps.order"]),
    ("from integrations.hub import outgoing\nx = 'hub.Account'\ny = 'order:W1'\nz = 'e.g.'", []),
]


@pytest.mark.parametrize(("source", "found"), PLANTED)
def test_an_upward_reference_is_seen(source: str, found: list[str]) -> None:
    assert upward(FLOORS["integrations"], source) == found
