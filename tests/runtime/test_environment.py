"""Files of the demo: `.env`, secrets, `var`, ports, and what `demo-reset` may remove."""

from __future__ import annotations

import base64
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from runtime import demo, demolock, environment, prepared
from runtime.environment import ForeignFile
from runtime.ports import LOOPBACK, any_free_port, is_taken, next_free
from runtime.postgres import database_url
from tests.runtime.conftest import PROJECT


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_env_is_private_and_read_back_with_spaces_and_quotes(tmp_path: Path) -> None:
    project = tmp_path / "it's my shop"
    project.mkdir()
    url = database_url(5433, project / "pass file")
    values = environment.demo_values(project, "http://127.0.0.1:8000", environment.Ports(8015, 8720, 8730), url)
    environment.write_env(project / ".env", values)
    assert mode(project / ".env") == 0o600
    assert (project / ".env").read_text().splitlines()[0] == environment.ENV_MARKER
    read = dict[str, str]()
    environ.Env.ENVIRON, before = read, environ.Env.ENVIRON
    try:
        environ.Env.read_env(project / ".env")
        assert read == values
        assert environ.Env().db_url("DATABASE_URL")["OPTIONS"] == {"passfile": str(project / "pass file")}
    finally:
        environ.Env.ENVIRON = before
    assert values["WEFT_PRIVATE_HOSTS"] == "127.0.0.1:8015,127.0.0.1:8720,127.0.0.1:8730"
    former = [environment.former_value(project / ".env", f"WEFT_{name}_PORT") for name in ("TRYTON", "GATEWAYS")]
    assert former == ["8015", "8730"]


def test_env_without_our_marker_is_never_overwritten(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("WEFT_MODE=production\n")
    with pytest.raises(ForeignFile, match="left as it is"):
        environment.write_env(env_file, {"WEFT_MODE": "demo"})
    assert env_file.read_text() == "WEFT_MODE=production\n"


def test_env_that_is_a_link_is_never_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text(environment.ENV_MARKER + "\n")
    (tmp_path / ".env").symlink_to(target)
    with pytest.raises(ForeignFile):
        environment.write_env(tmp_path / ".env", {"WEFT_MODE": "demo"})


def test_our_own_env_is_written_anew(tmp_path: Path) -> None:
    for port in ("8000", "8001"):
        environment.write_env(tmp_path / ".env", {"PORT": port})
    assert (tmp_path / ".env").read_text().endswith("\nPORT=8001\n")
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_secrets_are_private_and_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "secrets"
    environment.make_secrets(folder)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(first) == {"secret_key", "key_ring", "tryton_admin_password", "market_key"}
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    assert len(base64.urlsafe_b64decode(first["key_ring"].strip())) == 32
    assert len(first["secret_key"].strip()) >= 50
    environment.make_secrets(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first


def test_a_secret_left_empty_by_a_killed_start_is_made_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "secret_key").touch()
    environment.make_secrets(tmp_path)
    assert (tmp_path / "secret_key").read_text()


def test_a_taken_port_is_said_and_the_next_one_used() -> None:
    said: list[str] = []
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert is_taken(taken)
        port = next_free(taken, "the shop", said.append)
    assert port > taken
    assert said == [f"port {taken} is taken; the shop uses {port}"]
    assert next_free(port, "the shop", said.append, avoid={port}) > port


def test_a_free_port_is_used_silently() -> None:
    said: list[str] = []
    port = any_free_port()
    assert next_free(port, "the shop", said.append) == port
    assert said == []


def test_reset_removes_only_what_the_demo_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_DATA_ROOT", str(tmp_path / "data"))
    var = tmp_path / "var"
    var.mkdir()
    (var / "mine").touch()
    assert demo.reset(tmp_path) == 0  # no marker: nothing is removed
    assert (var / "mine").exists()
    environment.make_var(tmp_path)
    environment.make_secrets(var / "secrets")
    environment.write_env(tmp_path / ".env", {"WEFT_MODE": "demo"})
    environment.make_var(tmp_path)  # a second start does not take the secrets for somebody's own
    assert demo.reset(tmp_path) == 0
    assert [path.name for path in var.iterdir()] == ["mine"]
    assert not (tmp_path / ".env").exists()


def test_reset_and_a_second_start_are_refused_while_the_demo_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WEFT_MODE", raising=False)
    var = environment.make_var(tmp_path)
    lock = demolock.acquire(var, print)
    lock.tell("http://127.0.0.1:8000")
    try:
        assert demo.reset(tmp_path) == 1
        assert demo.run(tmp_path, LOOPBACK, 8000, None) == 0
    finally:
        lock.release()
    printed = capsys.readouterr()
    assert f"already runs (process {os.getpid()}): http://127.0.0.1:8000" in printed.out
    assert "nothing was removed" in printed.err
    assert (var / environment.VAR_MARKER).exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shop.example.com", ""])
def test_the_demo_binds_no_address_others_can_reach(host: str) -> None:
    with pytest.raises(demo.Refused, match="loopback"):
        demo.loopback_host(host)
    assert demo.loopback_host("localhost") == LOOPBACK


def test_the_demo_does_not_start_in_another_mode(tmp_path: Path) -> None:
    with pytest.raises(demo.Refused, match="unset WEFT_MODE"):
        demo.check_surroundings(tmp_path, {"WEFT_MODE": "production"})


def test_preparation_is_skipped_only_for_the_same_code_and_database(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "var").mkdir()
    code = tmp_path / "shop" / "models.py"
    code.write_text("one")
    before = prepared.sources(tmp_path)
    prepared.note_prepared(tmp_path / "var", before, "42/1")
    assert prepared.is_prepared(tmp_path / "var", prepared.sources(tmp_path), "42/1")
    assert not prepared.is_prepared(tmp_path / "var", before, "43/1")
    code.write_text("another")
    assert not prepared.is_prepared(tmp_path / "var", prepared.sources(tmp_path), "42/1")


def test_production_settings_come_complete_and_are_thrown_away() -> None:
    shown = (
        'cat "$SECRET_KEY_FILE" "$WEFT_KEY_RING_FILE" >/dev/null && echo "$WEFT_MODE $ALLOWED_HOSTS $SECRET_KEY_FILE"'
    )
    argv = [sys.executable, "-m", "runtime.environment", "production", "--", "sh", "-c", shown]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=True)
    wanted_mode, host, secret = done.stdout.split()
    assert (wanted_mode, host) == ("production", "shop.example.com")
    assert not Path(secret).exists()
