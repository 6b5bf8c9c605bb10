"""From docs/operations.md alone: a production start, its doctor, a backup and the way back. The tests are one story,
told in this order on one host."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from psycopg import sql

from erp.local.visitor import Visitor
from tests.operations import customer, docs
from tests.operations.host import LOGIN, NAME, Host
from tests.operations.mailbox import Mailbox
from tests.operations.sickness import FAULTS
from tests.processes import wait_until

pytestmark = [
    pytest.mark.xdist_group("operations"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="ends services by what /proc says"),
]
SOON = 90.0
KEYS = ("secret_key", "key_ring", "pgpass")
KEPT = ("order_order", "order_line", "stock_movement", "customer_user", "catalogue_product")


@pytest.fixture
def boss(host: Host) -> Visitor:
    person = customer.visitor(NAME, host.port)
    customer.log_in(person, LOGIN["DJANGO_SUPERUSER_EMAIL"], LOGIN["DJANGO_SUPERUSER_PASSWORD"])
    return person


def test_web_and_workers_start_as_documented(host: Host) -> None:
    host.sh("systemctl start weft-web weft-workers")
    wait_until(lambda: probe(host) == 0, SOON, "the shop answered")
    wait_until(
        lambda: len(host.ask("SELECT 1 FROM hub_pulse WHERE host <> ''")) == 2,
        SOON,
        "both clusters gave a sign of life",
    )
    assert set(host.doctor()) == {"mail"}, "what the next step of the documentation says to do, and nothing else"


def probe(host: Host) -> int:
    """What the container's health check runs."""
    env = {**host.environment(), "ALLOWED_HOSTS": NAME}
    argv = [host.project / ".venv/bin/python", "-m", "runtime.probe"]
    return subprocess.run(argv, cwd=host.project, env=env, capture_output=True).returncode


def test_after_the_first_steps_in_the_admin_all_is_well(host: Host, boss: Visitor, mailbox: Mailbox) -> None:
    page = boss.open("/admin/hub/account/add/?connector=messages:smtp")
    values = {
        "host": "127.0.0.1",
        "port": str(mailbox.port),
        "security": "none",
        "user": "",
        "password": "not asked for",
    }
    boss.send(
        page,
        page.form(with_field="setting_host"),
        name="post",
        own_password=LOGIN["DJANGO_SUPERUSER_PASSWORD"],
        **{f"setting_{name}": value for name, value in values.items()},
    )
    state = "SELECT 1 FROM hub_account WHERE name = 'post' AND state = 'active' AND sealed <> ''"
    wait_until(lambda: host.ask(state), SOON, "a worker had asked the mail server")
    assert "All is well." in host.run("doctor")


def test_a_guest_buys_and_a_worker_writes_to_them(host: Host, mailbox: Mailbox) -> None:
    page = host.sh(f"cd {host.project} && .venv/bin/python - <<'PYTHON'\n{GOODS}\nPYTHON").strip().splitlines()[-1]
    last = customer.buy(customer.visitor(NAME, host.port), page)
    number = re.search(r"W\d{8}-[0-9A-Z]{8}", last.text)
    assert number is not None, last.text[:500]
    wait_until(lambda: [mail for mail in mailbox.letters if number[0] in str(mail["subject"])], SOON, "the mail came")
    assert mailbox.letters[0]["to"] == customer.BUYER["email"]


GOODS = """
import environ, os
environ.Env.read_env(".env")
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
django.setup()
from tests.operations import goods
print(goods.sell())
"""


def test_no_secret_shows_in_logs_or_process_lists(host: Host) -> None:
    kept = host.folder / "etc" / "weft"
    secrets = [line for file in ("secret_key", "key_ring") for line in (kept / file).read_text().split()]
    secrets.append((kept / "pgpass").read_text().strip().rpartition(":")[2])
    logs = "".join(log.read_text() for log in host.units.glob("*.log"))
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            logs += process.read_text(errors="replace")
        except OSError:
            continue  # it has ended
    assert '"event": "/readyz"' in logs and "/srv/weft" in logs
    assert [secret for secret in secrets if secret in logs] == []


@pytest.fixture(scope="module")
def stopped(host: Host) -> Host:
    """Nothing writes from now on."""
    host.sh("systemctl stop weft-web weft-workers")
    connected = "SELECT 1 FROM pg_stat_activity WHERE datname = 'weft' AND usename = 'weft'"
    wait_until(lambda: not host.ask(connected), SOON, "all connections were closed")
    return host


def test_every_fault_of_a_sick_host_is_found(stopped: Host) -> None:
    for fault in FAULTS:
        fault.fall_ill(stopped)
    try:
        found = stopped.doctor()
        assert [one["action"] for one in found["workers"] if "weft-workers" in one["action"]], found["workers"]
        missed = [f"{fault.examination}: {fault.words}" for fault in FAULTS if not fault.is_among(found)]
        assert missed == [], json.dumps(found, indent=1, ensure_ascii=False)
    finally:
        for fault in reversed(FAULTS):
            fault.recover(stopped)
    assert set(stopped.doctor()) <= {"workers"}, "they stand still for a minute by now; everything else was mended"


def test_a_database_that_cannot_be_reached_is_the_first_thing_to_mend(stopped: Host) -> None:
    found = stopped.sh("DATABASE_URL=postgres://weft@127.0.0.1:1/weft weft doctor --json", ends_with=1)
    (finding,) = [one for one in json.loads(found)["findings"] if one["level"] == "todo"]
    assert finding["id"] == "database"
    assert "psql -h 127.0.0.1 -p 1 -U weft weft" in finding["action"]


def content(host: Host, database: str) -> dict[str, str]:
    """A digest of every table's rows."""
    names = host.ask(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'", database
    )
    digests = {}
    with host.server._connect_as_admin(database) as connection:
        for (name,) in names:
            query = sql.SQL('SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM {} t')
            (digests[name],) = connection.execute(query.format(sql.Identifier(name))).fetchone()
    return digests


def files(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_the_rehearsal_proves_that_what_comes_back_is_the_same_to_the_byte(stopped: Host) -> None:
    stopped.run("backup")
    (archive,) = (stopped.folder / "var" / "backups" / "weft").glob("*.zip")
    assert archive.stat().st_mode & 0o777 == 0o600
    secrets = [line for file in KEYS for line in (stopped.folder / "etc/weft" / file).read_text().split()]
    held = archive.read_bytes()
    assert [secret for secret in secrets if secret.encode() in held] == []

    box = stopped.moved(docs.boxes()["rehearsal"])
    cleaning_up = box.rindex("env PGHOST")
    said = stopped.sh(box[:cleaning_up])
    assert "All accounts are paused" in said and "BROKEN" not in said and "All is well." in said
    here, there = content(stopped, "weft"), content(stopped, "weft_rehearsal")
    assert here.pop("hub_account") != there.pop("hub_account"), "paused"
    assert there == here
    uploads = files(stopped.project / "var" / "media")
    assert uploads and files(stopped.folder / "tmp" / "weft-rehearsal") == uploads
    stopped.sh(box[cleaning_up:])
    assert stopped.ask("SELECT 1 FROM pg_database WHERE datname = 'weft_rehearsal'", "postgres") == []


def test_the_keys_are_written_apart_and_fit(stopped: Host) -> None:
    kept = stopped.folder / "etc" / "weft"
    assert (kept / "keys.env").stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in (kept / "keys.env").read_text().splitlines())
    assert values["SECRET_KEY"].strip("'") == (kept / "secret_key").read_text().strip()
    assert values["WEFT_KEY_RING"].strip("'").split() == (kept / "key_ring").read_text().split()


def test_the_real_restore_brings_back_what_was_lost_and_the_shop_runs(stopped: Host) -> None:
    before = content(stopped, "weft")
    stopped.tell("DELETE FROM hub_attempt; DELETE FROM hub_outgoing; CREATE TABLE left_behind (id int)")
    said = stopped.run("restore", ends_with=0)
    assert "BROKEN" not in said
    wait_until(lambda: probe(stopped) == 0, SOON, "the shop answered again")
    after = content(stopped, "weft")
    assert "left_behind" not in after
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}


def test_production_refuses_what_is_missing_in_words(host: Host) -> None:
    names = ("SECRET_KEY_FILE", "WEFT_KEY_RING_FILE", "ALLOWED_HOSTS", "DATABASE_URL")
    dotenv = host.project / ".env"
    whole = dotenv.read_text()
    try:
        dotenv.write_text("".join(line for line in whole.splitlines(True) if not line.startswith(names)))
        said = host.sh("weft check", ends_with=1)
    finally:
        dotenv.write_text(whole)
    assert [name for name in names if name not in said] == []


def test_the_key_ring_is_turned_as_documented(host: Host) -> None:
    ring = host.folder / "etc" / "weft" / "key_ring"
    (former,) = ring.read_text().split()
    assert "1 accounts sealed anew" in host.run("ring")
    new, old = ring.read_text().split()
    assert old == former != new
    ring.write_text(f"{new}\n")
    assert host.doctor("--only", "credentials") == {}


@pytest.mark.deep  # almost a minute
def test_an_upgrade_and_a_new_secret_key_as_documented(host: Host) -> None:
    assert "All is well." in host.run("upgrade")
    secret_key = host.folder / "etc" / "weft" / "secret_key"
    former = secret_key.read_text()
    host.run("secret-key")
    assert secret_key.read_text() != former and secret_key.stat().st_mode & 0o777 == 0o600
    assert "All is well." in host.sh("weft doctor --wait 60")


def test_a_settings_file_of_ones_own_is_read(host: Host) -> None:
    """As for an object store."""
    box = docs.boxes()["weft_site.py"].replace("storages.backends.s3.S3Storage", "tests.operations.host.Elsewhere")
    (host.project / "weft_site.py").write_text(box)
    dotenv = host.project / ".env"
    dotenv.write_text(dotenv.read_text() + "DJANGO_SETTINGS_MODULE=weft_site\n")
    assert "Uploads go to Elsewhere." in host.sh("weft doctor --only uploads")
