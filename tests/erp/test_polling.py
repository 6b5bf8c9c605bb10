"""Reading ERPs: one that asks to be left alone is, and the others are read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from erp import tasks
from erp.base import Changes
from integrations.hub import registry
from integrations.hub.errors import Scope, TryAgain
from integrations.hub.models import Cursor, Pause
from tests import factories
from tests.faults.hub.crowd import PaperErp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("scope", "topic"), [(Scope.OPERATION, "reading"), (Scope.ACCOUNT, ""), (Scope.ROW, "reading")]
)
def test_one_that_asks_to_be_left_alone_is_and_the_others_are_read(
    monkeypatch: pytest.MonkeyPatch, scope: Scope, topic: str
) -> None:
    asked: list[str] = []

    class Busy(PaperErp):
        name = "busy"

        def changes(self, cursor: str | None) -> Changes:
            asked.append(self.name)
            if len(asked) == 1:
                raise TryAgain("Busy.", after=timedelta(minutes=10), scope=scope)
            return super().changes(cursor)

    for connector in (Busy, PaperErp):
        monkeypatch.setitem(registry.connectors(), ("erp", connector.name), connector)
    busy, other = factories.account("erp", "busy", name="busy"), factories.account("erp", "paper", name="paper")
    for _ in range(3):
        tasks.poll()
    assert asked == ["busy"]
    assert [(pause.account, pause.topic, pause.reason) for pause in Pause.objects.all()] == [(busy, topic, "Busy.")]
    assert Cursor.objects.get(account=other).read_at and not Cursor.objects.get(account=busy).read_at
    Pause.objects.update(until=F("until") - timedelta(minutes=11))
    tasks.poll()
    assert Cursor.objects.get(account=busy).read_at and not Pause.objects.exists()
