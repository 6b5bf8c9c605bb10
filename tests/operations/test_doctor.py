"""What the doctor says, and how. Faults of a whole host are in test_host.py."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import translation

from integrations.hub import accounts, doctor, symptoms
from integrations.hub.doctor import Finding, Level
from integrations.hub.models import Account, AccountState
from runtime.ports import any_free_port
from shop.customer.models import User
from shop.management.commands.doctor import terminal_language
from shop.symptoms import files, installation
from tests import factories

NOBODY = 65534


def examine(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    try:
        call_command("doctor", *arguments)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().out


@pytest.mark.django_db
def test_each_examination_speaks_both_languages_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = examine(capsys, "--language", "en", "--json")
    again, translated = examine(capsys, "--language", "zh-hans", "--json")
    assert (code, again) == (1, 1), "no workers, no superuser"
    english, chinese = json.loads(text)["findings"], json.loads(translated)["findings"]
    assert [one["id"] for one in english] == [one["id"] for one in chinese]
    assert {one.id for one in doctor.registered() if not one.online} == {one["id"] for one in english}
    pairs = [(a, b) for a, b in zip(english, chinese, strict=True) if a["level"] == "todo"]
    assert {a["id"] for a, _b in pairs} >= {"workers", "people", "groups", "mail"}
    for a, b in pairs:
        assert a["means"] and a["action"]
        assert a["what"] != b["what"] and a["means"] != b["means"], a


@pytest.mark.django_db
def test_it_ends_with_0_when_there_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = examine(capsys, "--only", "parked", "--only", "migrations", "--language", "en")
    assert code == 0 and text.endswith("All is well.\n")


@pytest.mark.django_db
def test_tables_that_are_missing_are_a_finding_and_no_crash() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hub_pulse RENAME TO elsewhere")
    (one,) = [one for one in doctor.registered() if one.id == "workers"]
    (found,) = doctor.examine(one)
    assert found.level == Level.TODO and "hub_pulse" in found.what


def test_a_folder_of_uploads_that_cannot_be_written_is_told(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir(mode=0o555)
    if os.geteuid() == 0:  # to root every folder is open
        context = multiprocessing.get_context("fork")
        said = context.Queue()
        child = context.Process(target=_as_nobody, args=(said,))
        child.start()
        ((level, what),) = said.get(timeout=30)
        child.join()
    else:
        ((level, what),) = [(one.level, one.what) for one in files.uploads()]
    assert level == Level.TODO and str(settings.MEDIA_ROOT) in what


def _as_nobody(said: Any) -> None:
    os.setuid(NOBODY)
    said.put([(str(one.level), one.what) for one in files.uploads()])


def test_a_disk_that_is_nearly_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    (well,) = files.disk()
    assert well.level == Level.OK
    monkeypatch.setattr(files, "LEAST_SHARE", 1.0)  # no disk is as empty as that
    assert {one.level for one in files.disk()} == {Level.TODO}


@pytest.mark.django_db
def test_accounts_with_older_seals_are_noted_and_sealed_anew(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.WEFT_KEY_RING = (old,)
    account = factories.account(name="ERP")
    account.credentials = {"password": "hush"}
    account.save()
    settings.WEFT_KEY_RING = (new, old)
    assert [one.level for one in symptoms.credentials()] == [Level.NOTE, Level.OK]
    call_command("reseal")
    assert [one.level for one in symptoms.credentials()] == [Level.OK]
    settings.WEFT_KEY_RING = (new,)
    account.refresh_from_db()
    assert account.credentials == {"password": "hush"}


@pytest.mark.django_db
def test_a_ring_that_fits_nothing_still_lets_credentials_be_entered_anew(settings: Any) -> None:
    account = accounts.connect("messages", "smtp", "post", {"host": "mail.weft.test", "password": "hush"})
    settings.WEFT_KEY_RING = (Fernet.generate_key().decode(),)
    assert [one.level for one in symptoms.credentials()][0] == Level.TODO
    account.refresh_from_db()
    assert account.readable_credentials == {}
    accounts.connect("messages", "smtp", "post", {"host": "mail.weft.test", "password": "anew"})
    account.refresh_from_db()
    assert account.credentials == {"password": "anew"}


@pytest.mark.django_db
def test_a_ring_with_a_line_that_is_no_key_is_told(settings: Any) -> None:
    factories.account(name="ERP", sealed="something")
    settings.WEFT_KEY_RING = ("not-a-key",)
    (one,) = in_english(symptoms.credentials)
    assert one.level == Level.TODO and "a line that is no key" in one.what


@pytest.mark.django_db
def test_paused_accounts_are_noted_and_retired_ones_are_not() -> None:
    factories.account(name="resting", state=AccountState.PAUSED)
    factories.account(name="gone", state=AccountState.RETIRED, problem="long ago")
    found = [(one.level, one.what) for one in symptoms.all_accounts()]
    assert [level for level, what in found if "resting" in what] == [Level.NOTE]
    assert not [what for _level, what in found if "gone" in what]
    assert Account.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_online_the_remotes_and_the_shop_itself_are_asked(settings: Any, tmp_path: Path) -> None:
    settings.WEFT_SHOP_URL = f"http://127.0.0.1:{any_free_port()}"
    accounts.connect("messages", "file", "letters", {"folder": str(tmp_path / "letters")})
    port = str(any_free_port())
    accounts.connect("messages", "smtp", "post", {"host": "127.0.0.1", "port": port, "security": "none"})
    factories.account(name="announced", state=AccountState.STARTING)
    assert [(one.level, one.what.split()[2]) for one in in_english(symptoms.remotes)] == [
        (Level.OK, "letters"),
        (Level.TODO, "post"),
    ]
    (shop,) = in_english(installation.answers)
    assert shop.level == Level.TODO and "Connection refused" in shop.what


def in_english(examination: Any) -> list[Finding]:
    with translation.override("en"):
        return list(examination())


@pytest.mark.parametrize(
    ("said", "language"), [("zh_CN.UTF-8", "zh-hans"), ("en_GB.UTF-8", "en"), ("C", "zh-hans"), ("", "zh-hans")]
)
def test_it_speaks_the_terminals_language_where_that_is_ours(
    monkeypatch: pytest.MonkeyPatch, said: str, language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", said)
    assert terminal_language() == language


@pytest.mark.django_db
def test_the_page_of_an_account_whose_credentials_cannot_be_opened_still_comes(settings: Any, client: Client) -> None:
    """It is where the doctor sends people to enter them anew."""
    account = accounts.connect("messages", "smtp", "post", {"host": "mail.weft.test", "password": "hush"})
    settings.WEFT_KEY_RING = (Fernet.generate_key().decode(),)
    client.force_login(User.objects.create_superuser("boss@weft.test", "a-long-enough-pass"))
    page = client.get(f"/admin/hub/account/{account.pk}/change/")
    assert page.status_code == 200
