"""Credentials: sealed at rest, readable with any key of the ring, never shown."""

from __future__ import annotations

import logging

import pytest
from cryptography.fernet import Fernet

from integrations.hub import registry, secrets
from integrations.hub.errors import Misconfigured
from integrations.hub.models import Account
from tests import factories
from tests.hub.conftest import send_due
from tests.hub.remote import Remote
from tests.hub.test_state import wish

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def ring(settings):  # type: ignore[no-untyped-def]
    def use(*keys: str) -> None:
        settings.WEFT_KEY_RING = keys

    use(OLD)
    return use


def test_what_was_sealed_is_read_back(ring) -> None:  # type: ignore[no-untyped-def]
    sealed = secrets.seal({"token": "hush", "user": "我"})
    assert "hush" not in sealed
    assert secrets.unseal(sealed) == {"token": "hush", "user": "我"}
    assert secrets.seal({}) == "" and secrets.unseal("") == {}


def test_a_new_key_comes_first_and_the_old_one_still_reads(ring) -> None:  # type: ignore[no-untyped-def]
    old = secrets.seal({"token": "hush"})
    ring(NEW, OLD)
    assert secrets.unseal(old) == {"token": "hush"}
    new = secrets.seal({"token": "hush"})
    ring(NEW)
    assert secrets.unseal(new) == {"token": "hush"}
    with pytest.raises(Misconfigured, match="not in WEFT_KEY_RING"):
        secrets.unseal(old)


def test_a_sealed_text_that_was_changed_is_refused(ring) -> None:  # type: ignore[no-untyped-def]
    sealed = secrets.seal({"token": "hush"})
    with pytest.raises(Misconfigured):
        secrets.unseal(sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB"))


def test_no_key_is_said_in_words(ring) -> None:  # type: ignore[no-untyped-def]
    ring()
    with pytest.raises(Misconfigured, match="WEFT_KEY_RING"):
        secrets.seal({"token": "hush"})


@pytest.mark.django_db
def test_credentials_are_in_no_row_no_repr_and_no_log(remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    account = factories.account("probe", "probe", settings={"url": remote.url})
    account.credentials = {"token": "hush-hush"}
    account.save()
    stored = Account.objects.filter(pk=account.pk).values().get()
    connector = registry.connect(account)
    assert connector.settings["token"] == "hush-hush"
    shown = f"{stored} {account!r} {account} {connector!r} {vars(account)}"
    with caplog.at_level(logging.DEBUG):
        for key, how in (("a", "418"), ("b", "401"), ("c", "cut")):
            remote.misbehave(f"/things/{key}", how)
            wish(key)
            send_due(account)
    assert "hush" not in shown + caplog.text
