"""The database: which one, how safe, how many connections, what time it is there, which migrations it has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from integrations.hub.doctor import Finding, note, ok, todo
from integrations.hub.sending import drains
from runtime import web
from shop.backup import rows

OLDEST = 14
SKEW = 2.0  # seconds
PARTS = 3  # of a django-q2 cluster beside its workers: sentinel, pusher, monitor


def _row(query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


def server() -> Iterator[Finding]:
    """Version, encoding, and who we are there."""
    version, encoding, zone, role, is_super, name = _row(
        """SELECT current_setting('server_version_num')::int, pg_encoding_to_char(d.encoding),
                  (SELECT reset_val FROM pg_settings WHERE name = 'log_timezone'), current_user, r.rolsuper, d.datname
           FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user"""
    )
    words = {"version": f"{version // 10000}.{version % 10000}", "role": role, "name": name, "encoding": encoding}
    well = True
    if version // 10000 < OLDEST:
        well = False
        yield todo(
            _("The server is PostgreSQL %(version)s.") % words,
            _("Weft needs PostgreSQL 14 or newer."),
            _("Take a backup, set up a newer server, restore there: docs/operations.md."),
        )
    if is_super:
        well = False
        yield todo(
            _("The role %(role)s is a superuser.") % words,
            _("A hole in the shop would be a hole in the whole database server."),
            f"ALTER ROLE {role} NOSUPERUSER;",
        )
    if encoding != "UTF8":
        well = False
        yield todo(
            _("The database %(name)s is encoded as %(encoding)s.") % words,
            _("Chinese and other letters cannot be stored."),
            _("Make one with ENCODING 'UTF8' TEMPLATE template0, and restore a backup into it."),
        )
    if well:
        yield ok(_("PostgreSQL %(version)s, database %(name)s in %(encoding)s, role %(role)s.") % words)
    if zone not in ("UTC", "Etc/UTC", "GMT"):
        yield note(
            _("The server writes its log in the time zone %(zone)s.") % {"zone": zone},
            _("Harmless: Weft stores UTC. Only comparing the server's log with Weft's takes some reckoning."),
        )


def durability() -> Iterator[Finding]:
    """What is committed must survive a power cut."""
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if _row(f"SELECT current_setting('{name}')")[0] == "off"
    ]
    if off:
        yield todo(
            _("The database server runs with %(names)s off.") % {"names": ", ".join(off)},
            _("After a crash it may have lost orders that customers were told of, or all data."),
            "; ".join(f"ALTER SYSTEM SET {name} = on" for name in off) + "; SELECT pg_reload_conf();",
        )
    else:
        yield ok(_("What is committed survives a crash."))


def needed_connections() -> int:
    """Of one web host and one worker host at most: each thread and each process has one."""
    of_web = web.workers * web.threads
    workers = int(settings.Q_CLUSTER["workers"]) + 1
    return of_web + workers * (1 + drains.THREADS) + 2 * PARTS + 1


def connections() -> Iterator[Finding]:
    """Is there room for all of them?"""
    limit, used = _row(
        """SELECT least(
               current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                   - coalesce(current_setting('reserved_connections', true)::int, 0),
               nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1)),
               (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'client backend'
                    AND (a.usename IS DISTINCT FROM current_user OR a.datname IS DISTINCT FROM current_database()))
           FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user"""
    )
    needed = needed_connections()
    words = {"limit": limit, "used": used, "needed": needed}
    if needed > limit - used:
        yield todo(
            _("The server admits %(limit)s connections, others use %(used)s; Weft may need %(needed)s.") % words,
            _("At the busiest moment somebody would get an error instead of a page. More hosts need more still."),
            _(
                "Raise max_connections and restart PostgreSQL, or lower WEFT_WEB_PROCESSES, WEFT_WEB_THREADS or "
                "WEFT_WORKERS."
            ),
        )
    else:
        yield ok(_("The server admits %(limit)s connections, others use %(used)s; Weft may need %(needed)s.") % words)


def clock() -> Iterator[Finding]:
    """Leases and deadlines go by the database's clock, dates of orders by ours."""
    before = time.time()
    (there,) = _row("SELECT extract(epoch FROM clock_timestamp())::float8")
    after = time.time()
    skew = max(before - there, there - after, 0.0)
    if skew > SKEW:
        yield todo(
            _("This host's clock and the database's differ by %(seconds)s s.") % {"seconds": round(skew)},
            _("Deadlines and the order of events in lists would be wrong by that much."),
            _("Have both set their clocks by NTP: timedatectl set-ntp true"),
        )
    else:
        yield ok(_("This host's clock and the database's agree."))


def migrations() -> Iterator[Finding]:
    """Is the schema the one this code expects?"""
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    lacking = [f"{app}.{name}" for app, name in sorted(set(loader.graph.nodes) - applied)]
    newer = sorted(set(rows.applied_migrations()) - rows.known_migrations()) if applied else []
    if lacking:
        yield todo(
            _("%(count)s migrations are not applied: %(names)s.")
            % {"count": len(lacking), "names": ", ".join([*lacking[:3], *(["…"] if lacking[3:] else [])])},
            _("The code expects tables or columns that are not there."),
            "manage.py backup && manage.py migrate",
        )
    if newer:
        yield todo(
            _("The database is of a newer Weft than this code: %(names)s.") % {"names": ", ".join(newer[:3])},
            _("This host runs old code; it may write what the newer one does not expect."),
            _("Update the code on this host and restart web and workers."),
        )
    if not lacking and not newer:
        yield ok(_("All migrations are applied."))
