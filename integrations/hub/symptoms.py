"""What the hub is examined for: workers, queue, work that waits or is parked, accounts, and their credentials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.models import OrmQ

from integrations.hub import accounts, doctor, secrets
from integrations.hub.doctor import Finding, note, ok, todo
from integrations.hub.errors import Misconfigured
from integrations.hub.incoming import claims as incoming_claims
from integrations.hub.incoming import parking as incoming_parking
from integrations.hub.models import Account, AccountState, Pause, Pulse
from integrations.hub.sending import claims, parking

SILENT = timedelta(seconds=180)  # three beats
WAITING = timedelta(seconds=300)
RESTART = "systemctl restart weft-workers   |   docker compose restart workers   |   manage.py supervise"


def register() -> None:
    """Once, from `HubConfig.ready`."""
    doctor.register("workers", workers)
    doctor.register("queue", queue)
    doctor.register("outgoing", outgoing)
    doctor.register("parked", parked)
    doctor.register("incoming", incoming)
    doctor.register("accounts", all_accounts)
    doctor.register("credentials", credentials)
    doctor.register("remotes", remotes, online=True)


def workers() -> Iterator[Finding]:
    """Did each cluster's workers do the last beats?"""
    beaten = {pulse.cluster: pulse for pulse in Pulse.objects.annotate(now=Now())}
    for cluster in (settings.Q_CLUSTER["name"], settings.WEFT_URGENT_CLUSTER):
        pulse = beaten.get(cluster)
        if pulse is None or not pulse.host:
            yield _silent(_("The workers of %(cluster)s never gave a sign of life.") % {"cluster": cluster})
            continue
        age = pulse.now - pulse.beaten_at
        words = {"cluster": cluster, "seconds": int(age.total_seconds()), "host": pulse.host}
        if age > SILENT:
            yield _silent(_("The workers of %(cluster)s gave no sign of life for %(seconds)s s.") % words)
        else:
            yield ok(_("The workers of %(cluster)s work: last sign %(seconds)s s ago, from %(host)s.") % words)


def _silent(what: str) -> Finding:
    return todo(
        what,
        _(
            "They do not run, or every one of them is busy with something long. The shop goes on selling; mails, the "
            "ERP and deadlines wait, and nothing is lost."
        ),
        RESTART,
    )


def queue() -> Iterator[Finding]:
    """Wake-ups that nobody takes."""
    waiting = OrmQ.objects.filter(lock__lte=Now()).aggregate(count=Count("pk"), oldest=Min("lock"))
    age = _age(waiting["oldest"])
    words = {"count": waiting["count"], "seconds": int(age.total_seconds())}
    if age > WAITING:
        yield todo(
            _("%(count)s tasks wait in the queue, the oldest for %(seconds)s s.") % words,
            _("There are too few workers for the work, or none. Tasks only wake; what they are about is safe."),
            _("Are workers running? If so, raise WEFT_WORKERS or add a worker host. ") + RESTART,
        )
    else:
        yield ok(_("%(count)s tasks wait in the queue, the oldest for %(seconds)s s.") % words)


def _age(since: datetime | None) -> timedelta:
    return timezone.now() - since if since else timedelta()


def outgoing() -> Iterator[Finding]:
    """Work that could be sent and is not."""
    lanes = claims.stalled_lanes(int(WAITING.total_seconds()))
    if lanes:
        yield todo(
            _("Work in the lanes %(lanes)s is due for more than %(seconds)s s, and nobody took any of it.")
            % {"lanes": ", ".join(map(str, lanes)), "seconds": int(WAITING.total_seconds())},
            _("What should be in other systems by now is not: the workers stand still."),
            RESTART,
        )
    else:
        yield ok(_("Nothing that could be sent waits for long."))


def parked() -> Iterator[Finding]:
    """Work that waits for a person's decision."""
    count = parking.parked().count()
    if count:
        yield todo(
            _("%(count)s pieces of work are parked.") % {"count": count},
            _("They could not be sent, and each says why. Nothing happens to them until a person decides."),
            f"{settings.WEFT_SHOP_URL}/admin/hub/outgoing/?state=parked&account_state=working",
        )
    else:
        yield ok(_("No work is parked."))


def incoming() -> Iterator[Finding]:
    """Messages that could be heeded and are not, and those that wait for a person's decision."""
    if lanes := incoming_claims.stalled_lanes(int(WAITING.total_seconds())):
        yield todo(
            _("Incoming messages in the lanes %(lanes)s are due for more than %(seconds)s s, and nobody took any.")
            % {"lanes": ", ".join(map(str, lanes)), "seconds": int(WAITING.total_seconds())},
            _("What other systems told us has no effect here yet: the workers stand still. Nothing is lost."),
            RESTART,
        )
    if count := incoming_parking.parked().count():
        yield todo(
            _("%(count)s incoming messages are parked.") % {"count": count},
            _("They could not be heeded, or are anomalies; each says why. Nothing happens until a person decides."),
            f"{settings.WEFT_SHOP_URL}/admin/hub/incoming/?state=parked",
        )
    if not lanes and not count:
        yield ok(_("All that came in is heeded."))


def all_accounts() -> Iterator[Finding]:
    """Accounts with a problem, paused ones, and remotes that asked for a rest."""
    living = Account.objects.exclude(state=AccountState.RETIRED)
    link = f"{settings.WEFT_SHOP_URL}/admin/hub/account/"
    for account in living.exclude(problem=""):
        yield todo(
            _("The account %(name)s has a problem: %(problem)s") % {"name": account.name, "problem": account.problem},
            _("Nothing is sent to it until that is solved; its work waits."),
            f"{link}{account.pk}/change/",
        )
    for account in living.filter(problem="").exclude(state=AccountState.ACTIVE):
        yield note(
            _("The account %(name)s is %(state)s.") % {"name": account.name, "state": account.get_state_display()},
            _("Its work waits."),
            f"{link}{account.pk}/change/",
        )
    for pause in Pause.objects.filter(until__gt=Now()).select_related("account"):
        yield note(
            _("The account %(name)s rests until %(until)s: %(reason)s")
            % {"name": pause.account.name, "until": f"{pause.until:%H:%M:%S} UTC", "reason": pause.reason},
            _("The other side refused for a while; it goes on by itself."),
        )
    well = living.filter(problem="", state=AccountState.ACTIVE).count()
    yield ok(_("%(count)s accounts work.") % {"count": well})


def credentials() -> Iterator[Finding]:
    """Can the key ring open what is sealed?"""
    sealed = Account.objects.exclude(Q(sealed="") | Q(state=AccountState.RETIRED)).order_by("name")
    opened, old = 0, []
    for account in sealed:
        try:
            secrets.unseal(account.sealed)
        except Misconfigured:
            yield _locked(account)
        except ValueError as error:
            yield _bad_ring(error)
            return
        else:
            opened += 1
            old += [] if secrets.is_newly_sealed(account.sealed) else [account.name]
    if old:
        yield note(
            _("Credentials sealed with an older key of the ring: %(names)s.") % {"names": ", ".join(old)},
            _("They can be read as long as that key stays in the ring."),
            "manage.py reseal",
        )
    yield ok(_("The key ring opens the credentials of %(count)s accounts.") % {"count": opened})


def _locked(account: Account) -> Finding:
    return todo(
        _("The credentials of the account %(name)s cannot be opened with this key ring.") % {"name": account.name},
        _("They were sealed with a key that is not in WEFT_KEY_RING: another installation's, or one that was removed."),
        _("Add the former key as a further line to the key ring's file and restart; if it is lost, enter them anew: ")
        + f"{settings.WEFT_SHOP_URL}/admin/hub/account/{account.pk}/change/",
    )


def _bad_ring(error: ValueError) -> Finding:
    return todo(
        _("The key ring holds a line that is no key: %(error)s") % {"error": error},
        _("No credential can be opened or sealed."),
        _("Put back the key ring's file; docs/operations.md says how a key is made."),
    )


def remotes() -> Iterator[Finding]:
    """Ask every remote now; not those only announced so far."""
    living = Account.objects.exclude(state__in=(AccountState.RETIRED, AccountState.PAUSED))
    for account in living.exclude(state=AccountState.STARTING, settings={}, sealed="").order_by("name"):
        words = {"name": account.name}
        if accounts.check(account):
            yield ok(_("The account %(name)s answers.") % words)
            continue
        account.refresh_from_db()
        yield todo(
            _("The account %(name)s does not answer as it should: %(problem)s") % {**words, "problem": account.problem},
            _("Nothing can be sent to it until that is solved; its work waits."),
            f"{settings.WEFT_SHOP_URL}/admin/hub/account/{account.pk}/change/",
        )
