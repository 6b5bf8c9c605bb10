"""Mode, settings, system checks, addresses, the shared cache."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.cache import cache as shared
from django.http.request import validate_host
from django.utils.translation import gettext as _

from integrations.hub.doctor import Finding, note, ok, todo
from runtime import probe

EXAMPLES = ("example.com", "example.org", "example.net")
OF_SECONDS = 5


def mode() -> Iterator[Finding]:
    if settings.PRODUCTION:
        yield ok(_("Production: what is missing in the settings stops the start."))
    else:
        yield note(
            _("WEFT_MODE is %(mode)s.") % {"mode": settings.WEFT_MODE},
            _("This is not for customers: no TLS, known logins. Checks of production are left out."),
        )


def system_checks() -> Iterator[Finding]:
    """`manage.py check --deploy`, each message a finding."""
    found = [
        message
        for message in checks.run_checks(include_deployment_checks=settings.PRODUCTION)
        if message.level >= checks.WARNING and not message.is_silenced()
    ]
    for message in found:
        yield todo(
            f"{message.id}: {message.msg}",
            _("Django's or Weft's own check of the settings and the code says so."),
            str(message.hint) if message.hint else "manage.py check --deploy",
        )
    if not found:
        yield ok(_("All system checks pass."))


def address() -> Iterator[Finding]:
    """Can WEFT_SHOP_URL stand in a mail?"""
    parts = urlsplit(settings.WEFT_SHOP_URL)
    host = parts.hostname or ""
    wrong = []
    if settings.PRODUCTION and parts.scheme != "https":
        wrong.append(_("it does not begin with https://"))
    if not validate_host(host, settings.ALLOWED_HOSTS):
        wrong.append(_("its host is not among ALLOWED_HOSTS, so that the shop refuses it"))
    if parts.path or parts.query:
        wrong.append(_("it goes on after the host"))
    if settings.PRODUCTION and host.endswith(EXAMPLES):
        wrong.append(_("it is the example of the documentation"))
    if wrong:
        yield todo(
            _("WEFT_SHOP_URL is %(url)s: %(wrong)s.") % {"url": settings.WEFT_SHOP_URL, "wrong": "; ".join(wrong)},
            _("Links in mails would not lead to the shop."),
            _("Correct WEFT_SHOP_URL and ALLOWED_HOSTS in .env, then restart web and workers."),
        )
    else:
        yield ok(_("Links lead to %(url)s.") % {"url": settings.WEFT_SHOP_URL})
    if settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER:
        yield note(
            _("WEFT_BEHIND_TLS_PROXY is not set."),
            _("Behind a proxy that ends TLS every page would redirect to itself for ever."),
            _("Behind such a proxy set WEFT_BEHIND_TLS_PROXY=true; it must replace any X-Forwarded-Proto it is sent."),
        )


def cache() -> Iterator[Finding]:
    """The shared cache, where REDIS_URL names one."""
    if "locmem" in settings.CACHES["default"]["BACKEND"]:
        yield ok(_("No Redis: each process remembers for itself, sessions are in the database."))
        return
    key, word = f"doctor:{uuid.uuid4()}", uuid.uuid4().hex
    try:
        shared.set(key, word, OF_SECONDS)
        said = shared.get(key)
        shared.delete(key)
    except Exception as error:  # the cache's library is anybody's: each has errors of its own
        said = f"{type(error).__name__}: {error}"
    if said == word:
        yield ok(_("Redis answers."))
    else:
        yield todo(
            _("Redis does not answer: %(said)s") % {"said": said},
            _("Pages that look into the cache or a session fail while REDIS_URL is set."),
            _("Start Redis, correct REDIS_URL, or take it out of .env; then restart web and workers."),
        )


def answers() -> Iterator[Finding]:
    """The shop as its customers reach it."""
    said = probe.ask(f"{settings.WEFT_SHOP_URL}{probe.PAGE}")
    if said == "200":
        yield ok(_("%(url)s answers.") % {"url": settings.WEFT_SHOP_URL})
    else:
        yield todo(
            _("%(url)s does not answer with a page, but: %(said)s") % {"url": settings.WEFT_SHOP_URL, "said": said},
            _("Customers may see the same; or this host cannot reach the shop by its public name."),
            "systemctl status weft-web   |   docker compose ps   |   curl -v " + settings.WEFT_SHOP_URL,
        )
