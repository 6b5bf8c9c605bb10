"""The demo's practice gateways as processes: they come and go with the demo, and their port follows what is free."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from runtime import demo, environment
from runtime.demo import Demo
from runtime.ports import LOOPBACK, any_free_port, is_taken
from runtime.processes import StopSignals
from tests.runtime.conftest import PROJECT


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes find the project's code from another folder; ports that no other test nor demo uses."""
    for name in [name for name in os.environ if name.startswith("WEFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    for name in ("TRYTON_PORT", "MARKET_PORT", "GATEWAYS_PORT"):
        monkeypatch.setattr(demo, name, any_free_port())


@contextmanager
def begun(project: Path) -> Iterator[Demo]:
    """A demo that has chosen its ports; nothing runs yet. It ends as the demo does."""
    environment.make_var(project)
    environment.make_secrets(project / "var" / "secrets")
    with StopSignals() as signals:
        one = Demo(project, LOOPBACK, any_free_port(), signals, None)
        try:
            one.set_environment(None)
            yield one
        finally:
            one.stop()


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
        yield


def serve_gateways(one: Demo) -> list[psutil.Process]:
    """Start them and wait until they answer: their watchdog, and themselves."""
    child = one.start_gateways()
    one.wait_for(child, f"{one.gateways_url}/", "The practice gateways do not answer")
    family = psutil.Process(child.pid)
    return [family, *family.children(recursive=True)]


def merchant(one: Demo, name: str) -> dict[str, str]:
    """What the gateways wrote for their merchant."""
    found: dict[str, str] = json.loads((Path(one.env["WEFT_GATEWAYS_FOLDER"]) / f"{name}.json").read_text())
    return found


def test_the_gateways_end_with_the_demo(tmp_path: Path) -> None:
    with begun(tmp_path) as one:
        family = serve_gateways(one)
        port = int(one.env["WEFT_GATEWAYS_PORT"])
        assert len(family) >= 2
        assert is_taken(port)
        for name in ("alipay", "wechatpay"):
            assert merchant(one, name)["gateway"].startswith(f"http://{LOOPBACK}:{port}")
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert not is_taken(port)


def test_the_gateways_move_when_their_port_is_taken_and_stay_the_same_merchant(tmp_path: Path) -> None:
    with begun(tmp_path) as one:
        serve_gateways(one)
        former, known = one.env["WEFT_GATEWAYS_PORT"], merchant(one, "alipay")
    with taken(int(former)), begun(tmp_path) as moved:
        serve_gateways(moved)
        port, now = moved.env["WEFT_GATEWAYS_PORT"], merchant(moved, "alipay")
    assert int(port) > int(former)
    assert now == {**known, "gateway": f"http://{LOOPBACK}:{port}/alipay/gateway.do"}
    with begun(tmp_path) as later:
        assert later.env["WEFT_GATEWAYS_PORT"] == port, "the port of the last run, though the first one is free again"
        assert f"{LOOPBACK}:{port}" in later.env["WEFT_PRIVATE_HOSTS"].split(",")


@pytest.mark.parametrize("name", ["WEFT_MARKET_PORT", "WEFT_GATEWAYS_PORT"])
def test_what_was_prepared_for_another_port_is_prepared_again(tmp_path: Path, name: str) -> None:
    with begun(tmp_path) as one:
        former, before = one.env[name], one.fingerprint()
    with begun(tmp_path) as same:
        assert (same.env[name], same.fingerprint()) == (former, before)
    with taken(int(former)), begun(tmp_path) as moved:
        assert moved.env[name] != former
        assert moved.fingerprint() != before


def test_an_env_of_a_demo_without_gateways_gains_them(tmp_path: Path) -> None:
    environment.write_env(tmp_path / ".env", {"WEFT_MODE": "demo", "WEFT_MARKET_PORT": "8720"})
    with begun(tmp_path) as one:
        assert one.env["WEFT_GATEWAYS_PORT"] == str(demo.GATEWAYS_PORT)
        assert environment.former_value(tmp_path / ".env", "WEFT_GATEWAYS_PORT") == str(demo.GATEWAYS_PORT)
