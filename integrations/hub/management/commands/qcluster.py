from typing import Any

from django_q.management.commands import qcluster

from integrations.hub.workers import locks


class Command(qcluster.Command):
    """django-q2's, whose workers may be killed at any moment."""

    def handle(self, *args: Any, **options: Any) -> None:
        locks.install()
        super().handle(*args, **options)
