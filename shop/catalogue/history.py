"""Who changed which product when: rows of Django's own history, many at once."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from shop.catalogue.models import Product

NAME_LENGTH = 200


def note(user: int, products: Iterable[tuple[int, str | None]], words: str) -> None:
    """The same words for all of these products, each given by its key and its name."""
    notes(user, ((key, name, words, False) for key, name in products))


def notes(user: int, changes: Iterable[tuple[int, str | None, str, bool]]) -> None:
    """Key, name and words of each product, and whether it was made just now."""
    kind = ContentType.objects.get_for_model(Product)
    LogEntry.objects.bulk_create(
        (
            LogEntry(
                user_id=user,
                content_type=kind,
                object_id=str(key),
                object_repr=(name or f"#{key}")[:NAME_LENGTH],
                action_flag=ADDITION if made else CHANGE,
                change_message=json.dumps([*([{"added": {}}] if made else []), {"changed": {"fields": [words]}}]),
            )
            for key, name, words, made in changes
        ),
        batch_size=1000,
    )
