"""The pages themselves: both languages have the same boxes, containers start what units start, links lead somewhere."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from gunicorn.config import Config

from runtime import web
from runtime.logs.lines import formatter
from shop import configuration
from tests.operations import docs
from tests.operations.docs import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def test_the_chinese_page_has_the_same_boxes() -> None:
    assert docs.all_boxes("operations.zh-CN.md") == docs.all_boxes()
    assert docs.boxes("operations.zh-CN.md") == docs.boxes()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    lost = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (heading and heading not in headings(target)):
            lost.append(link)
    assert lost == []


def headings(page: Path) -> set[str]:
    """As a forge makes anchors of them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))


def dockerfile(word: str) -> list[str]:
    return re.findall(rf"^{word} (.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)


def test_units_and_containers_start_the_same(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert json.loads(dockerfile("CMD")[-1])[1:] == docs.command_of("weft-web.service")[1:]
    assert "command" not in services["web"], "the image's own"
    assert services["workers"]["command"][1:] == docs.command_of("weft-workers.service")[1:]
    assert services["backup"]["command"][1:3] == docs.command_of("weft-backup.service")[1:3]


def test_containers_of_weft_can_do_little(compose: dict[str, Any]) -> None:
    ours = {name: one for name, one in compose["services"].items() if one.get("build")}
    assert set(ours) == {"web", "workers", "migrate", "backup"}
    for name, one in ours.items():
        assert one["read_only"] and one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in one and "user" not in one, "the image's own, which is not root"
        assert any(volume.endswith(":/srv/weft/var/media") for volume in one["volumes"]), name
    assert dockerfile("USER") == ["weft"]
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"], "nothing without TLS is published"


def test_no_secret_stands_in_image_or_compose_file(compose: dict[str, Any]) -> None:
    for name, one in compose["services"].items():
        for variable, value in (one.get("environment") or {}).items():
            if re.search("SECRET|PASSWORD|KEY|DATABASE_URL", variable):
                assert variable.endswith("_FILE") and value.startswith("/run/secrets/"), (name, variable)
                assert value.removeprefix("/run/secrets/") in one["secrets"], (name, variable)
    assert {secret["file"] for secret in compose["secrets"].values()} == {
        f"./secrets/{name}" for name in compose["secrets"]
    }
    made = set(re.findall(r"> secrets/(\w+)", docs.boxes()["docker-secrets"]))
    assert made == set(compose["secrets"]), "the documentation makes each of them"
    kept_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert {".env", "secrets", "backups", "var", ".git"} <= set(kept_out)
    assert {"/secrets/", "/backups/", ".env"} <= set((ROOT / ".gitignore").read_text(encoding="utf-8").split("\n"))


def test_every_variable_of_the_compose_file_is_a_setting(compose: dict[str, Any]) -> None:
    known = configuration.read()
    ours = compose["x-weft"]["environment"]
    assert {name.removesuffix("_FILE") for name in ours} <= set(known)


def test_migrations_run_once_before_web_and_workers(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ("web", "workers"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["db"] == {"condition": "service_healthy"}
    assert services["migrate"]["restart"] == "no"


def test_docker_secrets_are_made_as_documented(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("")
    box = docs.boxes()["docker-secrets"].replace(" -o 10001 -g 10001", "")
    subprocess.run(["sh", "-eu"], input=box, text=True, cwd=tmp_path, check=True)
    made = tmp_path / "secrets"
    assert made.stat().st_mode & 0o777 == 0o700
    Fernet((made / "key_ring").read_text().strip())
    assert len((made / "secret_key").read_text().strip()) == 64
    password = (made / "weft_password").read_text().strip()
    assert (made / "database_url").read_text() == f"postgres://weft:{password}@db:5432/weft\n"


@dataclasses.dataclass
class Answer:
    """As gunicorn's workers hand it to the log."""

    status_code: int = 200
    method: str = "GET"
    headers: tuple[Any, ...] = (("X-Request-ID", "a-trace-of-ours"),)


def test_addresses_that_open_something_are_not_logged() -> None:
    logger = web.DiscreetLogger(Config())
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(True))
    logger.access_log.addHandler(handler)

    def line(path: str) -> dict[str, Any]:
        written.seek(0)
        written.truncate()
        given = {"RAW_URI": f"{path}?q=secret", "PATH_INFO": path, "QUERY_STRING": "q=secret"}
        logger.access(Answer(), Answer(), given, timedelta(seconds=1))
        assert "abc" not in written.getvalue() and "secret" not in written.getvalue(), path
        return dict(json.loads(written.getvalue()))

    try:
        for path in ("/order/W1:abc/", "/checkout/pay/W1:abc/", "/account/password/abc/y/"):
            assert line(path)["event"].endswith("/…")
        told = line("/catalogue/chair/")
    finally:
        logger.access_log.removeHandler(handler)
    wanted = {"event": "/catalogue/chair/", "method": "GET", "status": 200, "ms": 1000, "trace": "a-trace-of-ours"}
    assert {key: told[key] for key in wanted} == wanted


def test_both_caddyfiles_say_the_same() -> None:
    container = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    lines = [line for line in container.splitlines() if not line.startswith("#")]
    one_host = "\n".join(lines) + "\n"
    for placeholder, value in {
        "{$ALLOWED_HOSTS}": "shop.example.com",
        "{$MEDIA_FOLDER:/srv/media}": "/srv/weft/var/media",
        "{$SHOP:web:8000}": "127.0.0.1:8000",
    }.items():
        one_host = one_host.replace(placeholder, value)
    assert one_host == docs.boxes()["Caddyfile"]
