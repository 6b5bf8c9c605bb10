"""The board of all flows: words and colour for each state, and numbers that open exactly the rows they count."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Account, Alarm, Attempt, Cursor, Gap, Objective, Outgoing, Pause
from integrations.hub.values import Lane
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said

pytestmark = pytest.mark.django_db
BOARD = "admin:hub_account_flows"


def row(account: Account, key: str, **fields: Any) -> Outgoing:
    known = {"topic": "mail", "subject": "x", "lane": Lane.ORDERS, "is_command": True}
    return Outgoing.objects.create(account=account, key=key, **{**known, **fields})


def lines(page: str) -> dict[str, str]:
    """Each flow's line of the board, without its tags, by `account/flow`."""
    found = {}
    for section in page.split('<section class="weft-section">')[1:]:
        account = re.search(r'<h2><a href="[^"]*">([^<]*)<', section)
        assert account
        for line in re.findall(r"<tr>(.*?)</tr>", section.partition("<tbody>")[2], re.S):
            words = " ".join(re.sub(r"<[^>]*>", " ", line).split())
            found[f"{account[1]}/{re.search('<strong>([^<]*)<', line)[1]}"] = words  # type: ignore[index]
    return found


def test_each_state_in_words_and_each_number_opens_its_rows(login: Login) -> None:
    now = timezone.now()
    mail = factories.account("messages", "file", name="mail", settings={"folder": "x"})
    other = factories.account("messages", "file", name="other", settings={"folder": "x"})
    row(mail, "old", wished_at=now - timedelta(minutes=20), failures=2)
    row(mail, "new")
    row(mail, "held", waits_topic="mail", waits_key="new", failures=1)
    row(mail, "parked", parked_at=now)
    row(other, "parked", parked_at=now)
    failed = row(mail, "done", delivered=1, delivered_at=now)
    Attempt.objects.create(outgoing=failed, lease_token="0" * 32, revision=1, finished_at=now, outcome="Rejected",
                           message="The order has no mail address any more.")  # fmt: skip
    client = login("integrations")
    page = client.get(reverse(BOARD)).content.decode()
    shown = lines(page)
    line = shown["mail/letter about an order"]
    assert re.match(r"letter about an order late 20 min 5 min 3 2 1 ", line), line
    assert "The order has no mail address any more." in line
    assert shown["other/letter about an order"].startswith("letter about an order waits for a decision – 5 min 0 0 1")
    assert shown["mail/letter with a new password link"].startswith("letter with a new password link well")
    links = re.findall(r'href="(/admin/hub/outgoing/\?[^"]*)">(\d+)<', page)
    assert len(links) == 4
    for link, number in links:
        found = client.get(link.replace("&amp;", "&")).context["cl"]
        assert len(found.result_list) == int(number), link
    chinese = client.get(reverse(BOARD), headers={"accept-language": "zh-hans"}).content.decode()
    assert "迟到" in chinese and "订单已没有邮箱地址。" in chinese


def test_what_a_flow_rests_for_and_until_when(login: Login) -> None:
    account = factories.account("messages", "file", name="mail", settings={"folder": "x"})
    Pause.objects.create(account=account, topic="mail", times=1, until=timezone.now() + timedelta(minutes=3),
                         reason="The mail server refuses this user and password.")  # fmt: skip
    shown = lines(login("auditor").get(reverse(BOARD)).content.decode())
    line = shown["mail/letter about an order"]
    assert line.startswith("letter about an order resting left alone until")
    assert "refuses this user and password" in line
    assert "well" in shown["mail/letter with a new password link"]


def test_what_is_read_with_its_gaps(login: Login) -> None:
    market = factories.account("channel", "market", name="market", settings={"url": "http://127.0.0.1:9"})
    now = timezone.now()
    Cursor.objects.create(account=market, name="orders.by-date", read_at=now)
    Cursor.objects.create(account=market, name="orders", read_at=now - timedelta(minutes=9), problem="Busy.")
    Gap.objects.create(account=market, name="orders.by-date", kind="sequence", since=now, until=now,
                       facts={"missing": [7]})  # fmt: skip
    client = login("integrations")
    shown = lines(client.get(reverse(BOARD)).content.decode())
    assert "has gaps 1 gap: see the account" in shown["market/orders of the channel, by date"]
    assert "late Busy. 9 min 60 s" in shown["market/orders of the channel"]
    page = client.get(reverse("admin:hub_account_change", args=[market.pk])).content.decode()
    assert "1 numbers were not told: 7" in page
    late = lines(client.get(reverse(BOARD) + "?state=late").content.decode())
    assert set(late) == {"market/orders of the channel"}


def test_an_objective_is_set_and_taken_back(login: Login) -> None:
    account = factories.account("messages", "file", name="mail", settings={"folder": "x"})
    client = login("integrations")
    address = action("hub_account", "objective", account.pk)
    assert 'value="mail" selected' in client.get(f"{address}?flow=mail").content.decode()
    for wrong in ({"flow": "nothing", "seconds": "60"}, {"flow": "mail", "seconds": "1"}):
        assert client.post(address, wrong).status_code == 200
    assert "letter about an order: 90 s." in said(client.post(address, {"flow": "mail", "seconds": "90"}))
    assert "90 s set by staff" in lines(client.get(reverse(BOARD)).content.decode())["mail/letter about an order"]
    assert Objective.objects.get().set_by == "staff:integrations@weft.test"
    client.post(address, {"flow": "mail", "seconds": ""})
    assert not Objective.objects.exists()


def test_an_alarm_that_has_ended_is_nobodys(login: Login) -> None:
    alarm = Alarm.objects.create(kind="silent", subject="weft", facts={"cluster": "weft", "seconds": 90},
                                 ended_at=timezone.now())  # fmt: skip
    client = login("integrations")
    answer = client.post(action("hub_alarm", "acknowledge", alarm.pk), {"note": "x"})
    assert "present state" in said(answer)
    assert Alarm.objects.get().acknowledged_at is None
