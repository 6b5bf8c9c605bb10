"""What can be wrong with a host, made real, and undone. Each with the examination that must find it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from tests.operations.host import Host

Step = Callable[[Host], object]


@dataclass(frozen=True)
class Fault:
    """`words` stand in what the doctor says."""

    examination: str
    words: str
    fall_ill: Step
    recover: Step

    def is_among(self, found: dict[str, list[dict[str, str]]]) -> bool:
        return any(self.words in one["what"] for one in found.get(self.examination, []))


def in_sql(examination: str, words: str, ill: str, well: str) -> Fault:
    return Fault(examination, words, lambda host: host.tell(ill), lambda host: host.tell(well))


def in_env(examination: str, words: str, line: str) -> Fault:
    """A line of `.env`, in place of the one that stands there."""
    name = line.partition("=")[0]

    def fall_ill(host: Host) -> None:
        others = [one for one in dotenv(host).read_text().splitlines(True) if not one.startswith(f"{name}=")]
        keep(dotenv(host))
        dotenv(host).write_text("".join(others) + line + "\n")

    return Fault(examination, words, fall_ill, lambda host: bring_back(dotenv(host)))


def in_file(examination: str, words: str, place: Callable[[Host], Path], change: Callable[[Path], object]) -> Fault:
    def fall_ill(host: Host) -> None:
        keep(place(host))
        change(place(host))

    return Fault(examination, words, fall_ill, lambda host: bring_back(place(host)))


_kept: dict[Path, list[tuple[bytes, int]]] = {}


def keep(file: Path) -> None:
    _kept.setdefault(file, []).append((file.read_bytes(), file.stat().st_mode))


def bring_back(file: Path) -> None:
    content, mode = _kept[file].pop()
    file.write_bytes(content)
    file.chmod(mode)


def dotenv(host: Host) -> Path:
    return host.project / ".env"


def ring(host: Host) -> Path:
    return host.folder / "etc" / "weft" / "key_ring"


def secret_key(host: Host) -> Path:
    return host.folder / "etc" / "weft" / "secret_key"


def a_static_file(host: Host) -> Path:
    """The stylesheet under the name that pages ask for."""
    static = host.project / "var" / "static"
    names = json.loads((static / "staticfiles.json").read_text())["paths"]
    return static / str(names["weft/shop.css"])


def row(key: str, columns: str, values: str) -> str:
    """A piece of outgoing work for the first account."""
    return f"""
        INSERT INTO hub_outgoing (account_id, topic, key, subject, lane, is_command, serial, payload, version, wanted,
            delivered, waits_topic, waits_key, lease_size, failures, crashes, is_unknown, last_error, parked_reason,
            refs, facts, warnings, {columns})
        SELECT min(id), 'test.sick', '{key}', 'x:1', 4, false, '', '{{}}'::jsonb, 1, 1, 0, '', '', 0, 0, 0, false, '',
            '', '[]'::jsonb, '{{}}'::jsonb, '[]'::jsonb, {values} FROM hub_account;"""


NO_ROWS = "DELETE FROM hub_outgoing WHERE topic = 'test.sick'"
# They are stopped, so nobody beats any more; the test need not wait a minute for it to show.
AGED = "UPDATE hub_pulse SET beaten_at = beaten_at - interval '5 minutes' WHERE cluster = '{}'"
FAULTS = [
    in_env("address", "does not begin with https", "WEFT_SHOP_URL=http://elsewhere.weft.test/shop"),
    in_env("trade", "WEFT_BANK_DETAILS", "WEFT_BANK_DETAILS="),
    in_env("cache", "Redis does not answer", "REDIS_URL=redis://127.0.0.1:1/0"),
    in_file("checks", "security.W009", secret_key, lambda file: file.write_text("short\n")),
    in_file("secrets", "key_ring", ring, lambda file: file.chmod(0o644)),
    in_file("credentials", "cannot be opened", ring, lambda file: file.write_bytes(Fernet.generate_key() + b"\n")),
    in_file("static", "are not collected", a_static_file, lambda file: file.unlink()),
    in_sql("database", "is a superuser", "ALTER ROLE weft SUPERUSER", "ALTER ROLE weft NOSUPERUSER"),
    in_sql(
        "durability", "synchronous_commit off",
        "ALTER ROLE weft SET synchronous_commit = off", "ALTER ROLE weft RESET synchronous_commit",
    ),
    in_sql("connections", "admits 20", "ALTER ROLE weft CONNECTION LIMIT 20", "ALTER ROLE weft CONNECTION LIMIT -1"),
    in_sql(
        "clock", "differ by 3600 s",
        """CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql
           AS 'SELECT pg_catalog.clock_timestamp() + interval ''1 hour''';
           ALTER ROLE weft SET search_path = public, pg_catalog""",
        "ALTER ROLE weft RESET search_path; DROP FUNCTION public.clock_timestamp()",
    ),
    in_sql(
        "migrations", "hub.0003_pulse",
        "DELETE FROM django_migrations WHERE app = 'hub' AND name = '0003_pulse'",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('hub', '0003_pulse', now())",
    ),
    in_sql(
        "migrations", "hub.9999_of_tomorrow",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('hub', '9999_of_tomorrow', now())",
        "DELETE FROM django_migrations WHERE name = '9999_of_tomorrow'",
    ),
    in_sql(
        "groups", "warehouse",
        "UPDATE auth_group SET name = 'stores' WHERE name = 'warehouse'",
        "UPDATE auth_group SET name = 'warehouse' WHERE name = 'stores'",
    ),
    in_sql("people", "no superuser", "UPDATE customer_user SET is_active = false WHERE is_superuser",
           "UPDATE customer_user SET is_active = true WHERE is_superuser"),
    in_sql("accounts", "The server says no", "UPDATE hub_account SET problem = 'The server says no'",
           "UPDATE hub_account SET problem = ''"),
    in_sql("parked", "1 pieces of work", row("parked", "parked_at", "now()"), NO_ROWS),
    in_sql(
        "outgoing", "nobody took any",
        row("due", "next_at", "now() - interval '2 hours'") + "DELETE FROM hub_laneclock", NO_ROWS,
    ),
    in_sql("workers", "The workers of weft gave no sign", AGED.format("weft"), "SELECT 1"),
    in_sql("workers", "The workers of weft-urgent gave no sign", AGED.format("weft-urgent"), "SELECT 1"),
    in_sql(
        "queue", "1 tasks wait",
        """DELETE FROM django_q_ormq;
           INSERT INTO django_q_ormq (key, payload, lock) VALUES ('weft', 'x', now() - interval '1 hour')""",
        "DELETE FROM django_q_ormq",
    ),
    in_sql(
        "erp", "was not read for",
        """INSERT INTO hub_account (kind, provider, name, state, settings, sealed, created_at, active_since, problem,
               remote_version, notes)
           VALUES ('erp', 'tryton', 'Tryton', 'active', '{}', '', now() - interval '1 day', now() - interval '1 hour',
               '', '', '[]')""",
        "DELETE FROM hub_account WHERE kind = 'erp'",
    ),
]  # fmt: skip
