from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    name = "integrations.hub"
    label = "hub"
    verbose_name = _("Integrations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations.hub import checks, symptoms  # noqa: F401 (registers system checks)
        from integrations.hub.health import wiring
        from integrations.hub.workers import beats, tracing

        symptoms.register()
        tracing.register()
        beats.register("hub.sweep", seconds=30, task="integrations.hub.tasks.sweep")
        beats.register("hub.accounts", seconds=5, task="integrations.hub.tasks.check_accounts")
        beats.register("hub.confirm", seconds=300, task="integrations.hub.tasks.confirm")
        beats.register("hub.purge", seconds=3600, task="integrations.hub.tasks.purge")
        main, urgent, pulse = settings.Q_CLUSTER["name"], settings.WEFT_URGENT_CLUSTER, "integrations.hub.tasks.pulse"
        beats.register("hub.pulse", seconds=10, task=pulse, args=(main,))
        beats.register("hub.pulse.urgent", seconds=10, task=pulse, args=(urgent,), cluster=urgent)
        wiring.connect()
