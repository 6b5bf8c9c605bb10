"""Known mistakes in taking messages, put back: the signature skipped, 2xx before the commit, "known" before the effect.

Without the mistake each story ends well; none is caught by luck.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from integrations.hub.incoming import heeding, hooks, receiving
from integrations.hub.models import Incoming, IncomingHint, Outgoing
from integrations.hub.values import Verified
from tests.hub import probe
from tests.hub.conftest import Hooked, heed_due, hooked, later, news

__all__ = ["hooked"]
pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("is_planted", [False, True], ids=["right", "planted"])
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _strict(settings: Any) -> None:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False


def effects(key: str) -> int:
    return sum(Outgoing.objects.filter(topic="test.thing", key=key).values_list("wanted", flat=True))


@BOTH
def test_a_signature_that_is_not_looked_at(hooked: Hooked, monkeypatch: Patch, is_planted: bool) -> None:
    if is_planted:
        monkeypatch.setattr(probe.Probe, "verify", lambda self, inbound: Verified(inbound.headers.get("probe-id", "")))
    forged = probe.signed("another secret", news("E1"), "evt-1")
    assert (hooked.send(news("E1"), forged).status_code == 401) is not is_planted
    assert Incoming.objects.exists() is is_planted


@BOTH
def test_2xx_before_the_commit(hooked: Hooked, monkeypatch: Patch, is_planted: bool) -> None:
    """The database goes away at the commit: who was told 2xx never sends it again."""

    def gone(*_: Any, **__: Any) -> bool:
        raise OperationalError("the connection is gone")

    def told_before(*args: Any, **more: Any) -> None:
        try:
            keep(*args, **more)
        except OperationalError:
            return

    keep = receiving.receive
    monkeypatch.setattr(receiving._Row, "keep", gone)
    if is_planted:
        monkeypatch.setattr(hooks.receiving, "receive", told_before)
    answer = hooked.post(news("E1"))
    assert not Incoming.objects.exists()
    assert (answer.status_code >= 500) is not is_planted


@BOTH
def test_known_before_the_effect(hooked: Hooked, monkeypatch: Patch, is_planted: bool) -> None:
    """The worker dies while it settles: what is noted as done by then is never done."""

    def dies(self: probe.Errands, *_: Any) -> None:
        raise SystemExit  # as a kill: nobody tidies up

    def noted_first(batch: Any, row: Incoming, hint: IncomingHint, heard: Any) -> bool:
        with transaction.atomic(durable=True):
            IncomingHint.objects.filter(pk=hint.pk).update(settled_at=Now(), applied=1)
            Incoming.objects.filter(pk=row.pk).update(done_at=Now())
        raise SystemExit  # before the effect

    assert hooked.post(news("E1")).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(probe.Errands, "settle", dies)
        if is_planted:
            patch.setattr(heeding, "_learn", noted_first)
        with pytest.raises(SystemExit):
            heed_due(hooked.account)
    assert effects("E1") == 0
    later()
    heed_due(hooked.account)
    assert (effects("E1") == 1) is not is_planted
