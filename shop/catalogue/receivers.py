"""What follows when rows of the catalogue go."""

from __future__ import annotations

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from shop.catalogue import pictures
from shop.catalogue.models import ProductImage


@receiver(post_delete, sender=ProductImage)
def discard_files(instance: ProductImage, **kwargs: object) -> None:
    """With a picture's row go its files, once that is for good. (Oscar's own way would not wait for the commit.)"""
    name = instance.original.name
    transaction.on_commit(lambda: pictures.discard(name))
