"""Connectors: `list` those that were found, what each offers and what is broken; `new KIND NAME` begins one."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.hub import registry
from integrations.hub.connector import Connector
from integrations.hub.kit.offers import offered
from integrations.hub.kit.starting import CannotStart, start


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # what is broken is what `list` is asked for

    def add_arguments(self, parser: ArgumentParser) -> None:
        words = parser.add_subparsers(dest="word", required=True, metavar="list|new")
        words.add_parser("list", help="all connectors: what each offers, where it comes from, what is broken and why")
        new = words.add_parser("new", help="begin a connector: module, page, fixtures and tests, all of which work")
        new.add_argument("kind", help="erp, channel, messages ...: an unknown one is answered with the list")
        new.add_argument("name", help="small letters, digits and _: the module's name, and what accounts keep")
        new.add_argument("--package", type=Path, metavar="DIR", help="a package to be installed by pip instead")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = self._listed() if options["word"] == "list" else self._new(options)
        self.stdout.write("\n".join(lines))

    def _new(self, options: dict[str, Any]) -> Iterator[str]:
        package: Path | None = options["package"]
        try:
            files = start(options["kind"], options["name"], package)
        except CannotStart as error:
            raise CommandError(str(error)) from None
        root = Path(settings.BASE_DIR)
        yield from (f"wrote {file.relative_to(root) if file.is_relative_to(root) else file}" for file in files)
        yield "Next: docs/connectors/adding.md"

    def _listed(self) -> Iterator[str]:
        for (kind, name), found in sorted(registry.connectors().items()):
            offers = offered(found)
            yield f"{kind} {name}: {found.label}"
            yield f"  from         {_origin(found)}"
            yield f"  offers       {', '.join(op for op, is_offered in offers.items() if is_offered) or 'nothing'}"
            yield f"  not offered  {', '.join(op for op, is_offered in offers.items() if not is_offered) or 'nothing'}"
        for module, why in sorted(registry.broken.items()):
            yield f"BROKEN {module}: {' '.join(why.split())}"


def _origin(found: type[Connector]) -> str:
    """Its module, and the package that brought it, where it was installed."""
    for entry in entry_points(group=registry.ENTRY_POINTS):
        if entry.module == found.__module__:
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an installed package"
            return f"{found.__module__} ({package})"
    return found.__module__
