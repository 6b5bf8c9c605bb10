"""Categories change places. One move at a time, and only while what is moved and what it is moved to still stand where
the person saw them: a path says where a category stands, and treebeard writes paths anew with every move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Max
from django.utils import translation

from shop.catalogue.models import Category

POSITIONS = ("first-child", "last-child", "left", "right")  # treebeard's words
STEPS = ("up", "down", "in", "out")
LEVELS = 8  # more is a mistake; a path has room for 63


class Elsewhere(Exception):
    """Somebody moved or deleted one of the two meanwhile."""


class IntoItself(Exception):
    """A category cannot go below itself."""


class TooDeep(Exception):
    """More than LEVELS levels."""


class NoStep(Exception):
    """There is nothing in that direction."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A category, and where it stood when the person looked."""

    pk: int
    path: str


def lock() -> None:
    """Nobody else changes the tree until this transaction ends; looking goes on. Comes before any write to it."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE catalogue_category IN SHARE ROW EXCLUSIVE MODE")


def move(seen: Seen, target: Seen, position: str) -> Category:
    """Put a category (and all below it) beside or below another; `position` is one of POSITIONS.

    Raises Elsewhere, IntoItself or TooDeep; then nothing has changed.
    """
    with transaction.atomic(durable=True):
        lock()
        return _put(_found(seen), _found(target), position)


def step(seen: Seen, direction: str) -> Category:
    """One place `up` or `down` among its siblings, `in` below the one before it, `out` behind its parent.

    Raises Elsewhere, NoStep or TooDeep; then nothing has changed.
    """
    with transaction.atomic(durable=True):
        lock()
        category = _found(seen)
        target = _target(category, direction)
        if target is None:
            raise NoStep
        return _put(category, *target)


def _target(category: Category, direction: str) -> tuple[Category, str] | None:
    manager: Any = Category.objects
    match direction:
        case "up":
            return _beside(manager.get_prev_sibling(category), "left")
        case "down":
            return _beside(manager.get_next_sibling(category), "right")
        case "in":
            return _beside(manager.get_prev_sibling(category), "last-child")
        case _:
            return _beside(manager.get_parent(category), "right")


def _beside(category: Category | None, position: str) -> tuple[Category, str] | None:
    return (category, position) if category else None


def _found(seen: Seen) -> Category:
    category = Category.objects.filter(pk=seen.pk, path=seen.path).first()
    if category is None:
        raise Elsewhere
    return category


def _put(category: Category, target: Category, position: str) -> Category:
    if target.path.startswith(category.path):
        raise IntoItself
    below = Category.objects.filter(path__startswith=category.path)
    height = below.aggregate(depth=Max("depth"))["depth"] - category.depth
    if target.depth + position.endswith("child") + height > LEVELS:
        raise TooDeep
    Category.objects.move(category, target, pos=position)
    category.refresh_from_db()
    category.save()  # whether ancestors are public is worked out anew, and what pages remember is forgotten
    keys = list(Category.objects.filter(path__startswith=category.path).values_list("pk", flat=True))
    transaction.on_commit(lambda: _forget_addresses(keys))
    return category


def _forget_addresses(keys: list[int]) -> None:
    """Oscar remembers each category's address, by language."""
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            cache.delete_many([Category(pk=key).get_url_cache_key() for key in keys])
