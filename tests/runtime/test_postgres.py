"""The embedded server keeps strangers out, its data to itself, and copes with what a crash leaves."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from runtime import cluster
from runtime.cluster import ClusterError, Places, ServerRunning
from runtime.foreground import run_command
from runtime.owner import server_owner
from runtime.postgres import Server
from runtime.processes import StopSignals
from tests.runtime.conftest import PROJECT

AS_ROOT = os.geteuid() == 0
CONNECT = "import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=5)"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One lasting server, of a project that stands in a private folder with a space in its name."""
    with tempfile.TemporaryDirectory(prefix="weft test ") as home, tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)  # as /var/lib is
        (Path(home) / "my shop").mkdir(mode=0o700)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WEFT_DATA_ROOT", root)
            places = cluster.project_places(Path(home) / "my shop")
        with Server(places, say=lambda text: None) as running:
            yield running


def test_the_application_connects_with_its_passfile(server: Server) -> None:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == ("weft", False, True, False)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT lower('ÄÖÜ')").fetchone() == ("äöü",)


def test_the_application_can_have_its_extensions_and_databases(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for extension in ("pg_trgm", "unaccent", "btree_gist"):
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        connection.execute("CREATE DATABASE another")
        connection.execute("DROP DATABASE another")


def test_the_url_holds_no_password_and_the_passfile_is_private(server: Server) -> None:
    password = cluster.password_in(server.places.passfile)
    assert len(password) > 30
    assert password not in server.url
    assert mode(server.places.passfile) == mode(server.places.admin_passfile) == 0o600
    assert mode(server.places.secrets) == 0o700
    assert password not in server.places.log.read_text()


@pytest.mark.parametrize("role", ["weft", "weft_admin", "postgres"])
def test_without_a_password_nobody_gets_in(server: Server, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host="127.0.0.1", port=server.port, user=role, dbname="weft", passfile="/nonexistent")


def test_a_wrong_password_is_refused(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=server.port, user="weft", dbname="weft", password="wrong")


def test_nothing_is_trusted_and_nothing_but_loopback_is_open(server: Server) -> None:
    with server._connect_as_admin("weft") as connection:
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert methods == [("scram-sha-256",)]
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_another_user_of_this_machine_does_not_get_in(server: Server) -> None:
    for user in (65534, server.places.owner.uid if server.places.owner else 65534):
        psql = cluster.usable_program(server.places) / "bin" / "psql"
        tried = subprocess.run(
            [str(psql), "--no-password", "-c", "SELECT 1", server.url],
            user=user,
            group=user,
            extra_groups=[],
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert tried.returncode != 0
        assert "no password supplied" in tried.stderr


def test_the_data_is_private_and_no_parent_was_opened(server: Server) -> None:
    data, private_project = server.places.data, server.places.project
    assert mode(data) == 0o700
    assert mode(private_project) == mode(private_project.parent) == 0o700
    owner = server_owner()
    assert data.stat().st_uid == (owner.uid if owner else os.getuid())
    assert data.stat().st_uid != 0
    assert mode(server.places.secrets) == 0o700


def test_a_second_start_keeps_the_data(server: Server) -> None:
    identity = server.identity()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (x int)")
    server.stop()
    server.start()
    assert server.identity() == identity
    with psycopg.connect(server.url) as connection:
        connection.execute("SELECT * FROM kept")


def test_two_servers_on_one_folder_are_refused_plainly(server: Server) -> None:
    with pytest.raises(ServerRunning, match=f"already runs on .*port {server.port}"):
        Server(server.places, say=lambda text: None).start()
    with pytest.raises(ServerRunning):
        cluster.remove_area(server.places)
    psycopg.connect(server.url).close()


def test_a_process_id_that_now_belongs_to_another_does_not_stop_a_start(server: Server) -> None:
    server.stop()
    # As after kill -9 and a restarted container: the old id is somebody else's now. The somebody runs as the
    # server's user, or PostgreSQL itself would see that it cannot be a server.
    owner, data = server.places.owner, server.places.data
    stranger = subprocess.Popen(["sleep", "60"], user=owner.uid if owner else None, cwd="/")
    try:
        pid_file = data / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{data}\n1700000000\n5433\n\n127.0.0.1\n\nready\n")
        if owner:
            os.chown(pid_file, owner.uid, owner.gid)
        server.start()
        psycopg.connect(server.url).close()
    finally:
        stranger.kill()
        stranger.wait()


def test_kill_9_of_the_server_itself_does_not_stop_the_next_start(server: Server) -> None:
    assert server.child is not None
    (postmaster,) = psutil.Process(server.child.pid).children()
    postmaster.kill()
    server.stop()
    assert (server.places.data / "postmaster.pid").exists()
    server.start()
    psycopg.connect(server.url).close()


def test_half_made_data_is_made_anew(places: Places) -> None:
    cluster.make_area(places)
    cluster.make_passwords(places)
    places.data.mkdir()
    (places.data / "half").touch()
    cluster.initialise(places, cluster.usable_program(places))
    assert not (places.data / "half").exists()
    assert (places.data / "PG_VERSION").exists()
    assert not (places.area / "initdb.password").exists()


def test_data_of_an_earlier_checkout_is_set_aside(places: Places) -> None:
    cluster.make_area(places)
    places.data.mkdir()
    (places.data / "earlier").touch()
    cluster.mark_ready(places)  # complete, but the passwords went with the earlier checkout
    said: list[str] = []
    with Server(places, say=said.append) as running:
        psycopg.connect(running.url).close()
    (kept,) = (path for path in places.area.parent.iterdir() if ".aside-" in path.name)
    assert (kept / "data" / "earlier").exists()
    assert f"kept in {kept}" in " ".join(said)


def test_a_folder_without_marker_is_neither_used_nor_removed(places: Places) -> None:
    places.area.mkdir(parents=True)
    (places.area / "mine").touch()
    with pytest.raises(ClusterError, match="no marker"):
        Server(places, say=lambda text: None).start()
    with pytest.raises(ClusterError, match="nothing removed"):
        cluster.remove_area(places)
    assert (places.area / "mine").exists()


def runner(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m runtime.postgres run --ephemeral -- command`, without a DATABASE_URL of ours."""
    clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    argv = [sys.executable, "-m", "runtime.postgres", "run", "--ephemeral", "--unless-given", "--", *command]
    return subprocess.run(argv, cwd=PROJECT, env={**clean, **env}, capture_output=True, text=True, check=False)


def test_throw_away_data_is_gone_at_the_end(tmp_path: Path) -> None:
    script = f"{CONNECT}; print(sys.argv[1]); sys.exit(7)"
    done = runner("sh", "-c", f"'{sys.executable}' -c '{script}' \"$DATABASE_URL\"")
    assert done.returncode == 7, done.stderr
    passfile = Path(done.stdout.strip().split("passfile=")[1])
    assert "weft-pg-" in str(passfile)
    assert not passfile.parents[1].exists()


def test_a_given_database_is_used() -> None:
    given = "postgres://somebody@db.example.com/weft"
    done = runner("sh", "-c", 'echo "$DATABASE_URL"', DATABASE_URL=given)
    assert done.stdout.strip() == given


def test_a_missing_command_is_said() -> None:
    with StopSignals() as signals:
        assert run_command(["/nonexistent/command"], os.environ, signals) == 127
