from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop import translations


class Command(BaseCommand):
    help = "Bring both languages' catalogues up to date with the code and compile them; --check only says what lacks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            translations.update()
        lacking = [f"{language}: {text}" for language in translations.LANGUAGES for text in translations.gaps(language)]
        for line in lacking:
            self.stdout.write(line)
        if lacking and options["check"]:
            raise CommandError(
                f"{len(lacking)} strings are not translated; add them to locale/*/LC_MESSAGES/django.po."
            )
