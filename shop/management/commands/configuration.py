from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop import configuration


class Command(BaseCommand):
    help = "Write docs/configuration*.md and .env.example from the settings as the code reads them."

    def handle(self, *args: Any, **options: Any) -> None:
        if wrong := configuration.gaps():
            raise CommandError("\n".join(wrong))
        configuration.write()
        for path in configuration.FILES:
            self.stdout.write(str(path))
