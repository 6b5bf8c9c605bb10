from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    name = "integrations.hub"
    label = "hub"
    verbose_name = _("Integrations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations.hub import beats, checks, symptoms  # noqa: F401  (registers system checks)

        symptoms.register()
        beats.register("hub.sweep", seconds=30, task="integrations.hub.tasks.sweep")
        beats.register("hub.accounts", seconds=5, task="integrations.hub.tasks.check_accounts")
        pulse = {"seconds": 10, "task": "integrations.hub.tasks.pulse"}
        beats.register("hub.pulse", **pulse, args=(settings.Q_CLUSTER["name"],))
        urgent = settings.WEFT_URGENT_CLUSTER
        beats.register("hub.pulse.urgent", **pulse, args=(urgent,), cluster=urgent)
