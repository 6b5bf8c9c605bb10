"""Rows of what came in live long: versions, forgetting, erasing, keys; and nobody leaves them lying."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub import hearing, secrets, tasks
from integrations.hub.incoming import claims, envelopes, parking
from integrations.hub.keeping import purging
from integrations.hub.management.commands import reseal
from integrations.hub.models import Incoming, IncomingClock, Outgoing
from integrations.hub.values import Lane
from integrations.hub.workers import supervisor
from tests.hub.conftest import SIGNING, Hooked, heed_due, news
from tests.hub.probe import Errands, Probe
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _strict(remote: Remote, settings: Any) -> Any:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    yield
    OrmQ.objects.all().delete()


def effects(key: str) -> int:
    return sum(Outgoing.objects.filter(topic="test.thing", key=key).values_list("wanted", flat=True))


def kept(event: str = "evt-1") -> Incoming:
    return Incoming.objects.get(event=event)


# --- rows live long --------------------------------------------------------------------------------------------------

VERSION_1 = b'{"headers": {"content-type": "application/json"}, "query": "a=1"}\n[{"kind": "errand", "key": "E1"}]'


def test_version_1_is_read() -> None:
    """What is sealed today must be read by every later Weft."""
    sent = envelopes.unseal(secrets.seal_bytes(VERSION_1), 1)
    assert sent.headers == {"content-type": "application/json"}
    assert (sent.query, sent.body) == ("a=1", b'[{"kind": "errand", "key": "E1"}]')


def test_only_versions_that_are_known_are_claimed(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    Incoming.objects.update(version=envelopes.VERSION + 1)
    assert heed_due(hooked.account) == 0
    assert claims.lanes_due() == []


def test_what_was_sent_is_forgotten_in_time(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    now = timezone.now()
    ages: dict[str, dict[str, Any]] = {
        "done 31": {"done_at": now - timedelta(days=31)},
        "done 29": {"done_at": now - timedelta(days=29)},
        "parked 181": {"parked_at": now - timedelta(days=181), "last_received_at": now - timedelta(days=181)},
        "parked 179": {"parked_at": now - timedelta(days=179), "last_received_at": now - timedelta(days=179)},
        "open 181": {"last_received_at": now - timedelta(days=181)},
        "done 90": {"done_at": now - timedelta(days=90)},
    }
    for event, age in ages.items():
        hooked.post(news("E1", amount="9.90"), event)
        Incoming.objects.filter(event=event).update(attempts=[{"message": "x"}], **age)
    assert purging.purge() == 4
    left = Incoming.objects.filter(sealed__isnull=False).values_list("event", flat=True)
    assert sorted(left) == ["done 29", "parked 179"]
    gone = kept("done 31")
    assert (gone.attempts, gone.digest != "") == ([], True)
    assert purging.purge() == 0


def test_what_was_purged_before_it_was_understood_comes_again_or_not_at_all(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    Incoming.objects.update(sealed=None)
    heed_due(hooked.account)
    row = kept()
    assert "not kept any more" in row.parked_reason
    assert not parking.may_retry(row)
    assert parking.retry(Incoming.objects.all()).skipped == 1
    hooked.post(news("E1"))
    assert heed_due(hooked.account) == 1


def test_erasing_a_subject_keeps_the_books(hooked: Hooked) -> None:
    hooked.post(news("E1", "E2", amount="9.90", payer="Zhang Wei"))
    hooked.post(news("E3", payer="Li Na"), "other")
    heed_due(hooked.account)
    assert purging.erase("errand:E2") == 1
    assert kept().sealed is None
    facts = dict(kept().hints.values_list("key", "facts"))
    assert facts == {"E1": {"amount": "9.90", "payer": "Zhang Wei"}, "E2": {"amount": "9.90"}}
    assert kept("other").sealed is not None
    assert purging.erase("errand:E9") == 0


def test_closing_forgets_what_was_sent(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    hooked.post(news("E2"))
    odd = Incoming.objects.get(is_anomaly=True)
    assert parking.retry(Incoming.objects.all()).retried == 0
    assert parking.close(odd, "asked them: a test")
    assert not parking.close(odd, "again")
    odd.refresh_from_db()
    assert (odd.sealed, odd.note, odd.parked_at, odd.done_at is not None) == (None, "asked them: a test", None, True)


def test_turning_keys_takes_the_messages_along(hooked: Hooked, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reseal, "BATCH", 2)
    for number in range(3):
        hooked.post(news("E1"), str(number))
    old, new = settings.WEFT_KEY_RING[0], Fernet.generate_key().decode()
    Incoming.objects.filter(event="2").update(sealed=b"of a key that is gone")
    settings.WEFT_KEY_RING = (new, old)
    said = StringIO()
    call_command("reseal", stdout=said)
    assert "2 messages sealed anew, 1 that no key opens" in said.getvalue()
    settings.WEFT_KEY_RING = (new,)
    assert heed_due(hooked.account) == 2
    assert effects("E1") == 2


# --- sweep and supervisor --------------------------------------------------------------------------------------------


def test_a_lane_that_stands_still_is_seen(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    assert claims.stalled_lanes(120) == []
    Incoming.objects.update(next_at=timezone.now() - timedelta(seconds=121))
    assert claims.stalled_lanes(120) == [Lane.MONEY]
    IncomingClock.objects.create(lane=Lane.MONEY, claimed_at=timezone.now() - timedelta(seconds=119))
    assert claims.stalled_lanes(120) == []
    IncomingClock.objects.update(claimed_at=timezone.now() - timedelta(seconds=121))
    assert claims.stalled_lanes(120) == [Lane.MONEY]
    assert heed_due(hooked.account) == 1
    assert claims.stalled_lanes(120) == []
    assert IncomingClock.objects.get().claimed_at > timezone.now() - timedelta(seconds=60)


def test_the_supervisor_restarts_workers_that_leave_messages_lying(
    hooked: Hooked, caplog: pytest.LogCaptureFixture
) -> None:
    hooked.post(news("E1"))
    watch = supervisor.Supervisor(clusters=[])
    watch._check()
    assert not caplog.records
    Incoming.objects.update(next_at=timezone.now() - timedelta(seconds=121))
    watch._next_check = 0.0
    watch._check()
    assert "nothing was claimed in lanes [0]" in caplog.text
    assert "restarting the workers" in caplog.text


def test_a_lost_wake_up_is_found_by_the_sweep(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    OrmQ.objects.all().delete()
    tasks.sweep_incoming()
    assert [one.func() for one in OrmQ.objects.all()] == ["integrations.hub.tasks.hear"]


def test_two_kinds_of_news_of_one_name_are_refused() -> None:
    class Other(Errands):
        pass

    with pytest.raises(ValueError, match="errand"):
        hearing.register(Other())
    assert hearing.lane_of("probe") == Lane.MONEY
    assert hearing.lane_of("nobody") == Lane.ORDERS


def test_every_connector_that_hears_keeps_only_headers_by_name() -> None:
    assert Probe.hears()
    assert all(name == name.lower() for name in Probe.keeps)
    assert SIGNING not in str(Probe.keeps)
