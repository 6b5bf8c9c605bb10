"""The public categories as a small tree, cached per language: every page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.urls import reverse
from django.utils.translation import get_language

from shop.catalogue.models import Category

SECONDS = 60  # other processes see a change after this at the latest


@dataclass(slots=True)
class Node:
    """A category. `trail` are the nodes above it, from the root."""

    pk: int
    path: str
    slug: str
    name: str
    description: str
    trail: tuple[Node, ...]
    children: list[Node] = field(default_factory=list)
    full_slug: str = field(init=False)
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.full_slug = "/".join(node.slug for node in (*self.trail, self))
        self.url = reverse("catalogue:category", kwargs={"category_slug": self.full_slug, "pk": self.pk})


def roots() -> list[Node]:
    """The top categories in the current language."""
    return cache.get_or_set(_key(), _load, SECONDS)


def find(pk: int) -> Node | None:
    """The public category of that key."""
    return next((node for node in walk() if node.pk == pk), None)


def walk(nodes: list[Node] | None = None) -> Iterator[Node]:
    for node in roots() if nodes is None else nodes:
        yield node
        yield from walk(node.children)


def _key() -> str:
    return f"weft:categories:{get_language()}"


def _load() -> list[Node]:
    top: list[Node] = []
    above: list[Node] = []
    for category in Category.objects.browsable().filter(exclude_from_menu=False).order_by("path"):
        while above and not category.path.startswith(above[-1].path):
            above.pop()
        node = Node(category.pk, category.path, category.slug, category.name, category.description, tuple(above))
        (above[-1].children if above else top).append(node)
        above.append(node)
    return top


@receiver((post_save, post_delete), sender=Category)
def forget(**kwargs: object) -> None:
    """A changed category shows at once in this process: now, and once more when others can see the change, for
    another thread may have looked in between."""
    _forget()
    transaction.on_commit(_forget)


def _forget() -> None:
    cache.delete_many([f"weft:categories:{code}" for code, _ in settings.LANGUAGES])
