from typing import Any

from django.core.management.base import BaseCommand

from integrations.hub.workers.supervisor import Supervisor


class Command(BaseCommand):
    help = "Run the background workers, and keep them running. Ends with all of them on SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        Supervisor().run()
