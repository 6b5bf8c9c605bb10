from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    name = "integrations.hub"
    label = "hub"
    verbose_name = _("Integrations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations.hub import accounts, checks, symptoms  # noqa: F401 (registers system checks)
        from integrations.hub.health import wiring
        from integrations.hub.incoming import claims as incoming
        from integrations.hub.sending import claims, manual
        from integrations.hub.workers import beats, tracing

        symptoms.register()
        tracing.register()
        tasks = "integrations.hub.tasks"
        beats.register("hub.sweep", seconds=30, task=f"{tasks}.sweep", work=claims.due)
        beats.register("hub.sweep.incoming", seconds=30, task=f"{tasks}.sweep_incoming", work=incoming.due)
        beats.register("hub.accounts", seconds=15, task=f"{tasks}.check_accounts", work=accounts.due)
        beats.register("hub.confirm", seconds=300, task=f"{tasks}.confirm", work=manual.unconfirmed)
        beats.register("hub.purge", seconds=3600, task=f"{tasks}.purge")
        main, urgent = settings.Q_CLUSTER["name"], settings.WEFT_URGENT_CLUSTER
        beats.register("hub.pulse", seconds=60, task=f"{tasks}.pulse", args=(main,))
        beats.register("hub.pulse.urgent", seconds=60, task=f"{tasks}.pulse", args=(urgent,), cluster=urgent)
        wiring.connect()
