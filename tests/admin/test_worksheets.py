"""Worksheets and parked work on their pages: as a person uses them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Account, Attempt, Outgoing, Taken
from integrations.hub.values import Lane
from tests import factories
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db

LIST = "admin:hub_outgoing_changelist"


@pytest.fixture
def client(login: Login) -> Client:
    return login("integrations")


@pytest.fixture
def account() -> Account:
    return factories.account("erp", "tryton", name="Tryton")


def rows(account: Account, count: int = 3, **fields: Any) -> list[Outgoing]:
    return [
        Outgoing.objects.create(
            account=account, topic="erp.order", key=f"W20261123-{number:06}", subject=f"order:W20261123-{number:06}",
            lane=Lane.ORDERS, **fields,
        )
        for number in range(count)
    ]  # fmt: skip


def taken(client: Client, made: list[Outgoing]) -> Any:
    form = {"action": "take_selected", "_selected_action": [row.pk for row in made]}
    return client.post(reverse(LIST), form, follow=True)


def test_take_download_fill_bring_and_do(client: Client, account: Account) -> None:
    made = rows(account)
    page = taken(client, made)
    sheet = Taken.objects.get()
    assert page.redirect_chain[-1][0] == reverse("admin:hub_taken_change", args=[sheet.pk])
    assert made[0].key in page.content.decode()
    file = client.post(reverse("admin:hub_taken_file", args=[sheet.pk]), {"format": "csv"})
    table = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    table[1][5:7] = ["yes", "SO-1"]
    table[2][5:7] = ["no", ""]
    out = io.StringIO()
    csv.writer(out).writerows(table)
    bring = reverse("admin:hub_taken_bring", args=[sheet.pk])
    upload = SimpleUploadedFile("done.csv", out.getvalue().encode(), "text/csv")
    checked = client.post(bring, {"file": upload})
    assert Outgoing.objects.filter(taken=sheet).count() == 3, "only looked at"
    client.post(bring, {"checked": checked.context["carried"]})
    assert Outgoing.objects.get(pk=made[0].pk).refs == [{"id": "", "number": "SO-1", "url": ""}]
    assert [row.pk for row in Outgoing.objects.filter(taken=sheet)] == [made[2].pk]
    assert Outgoing.objects.get(pk=made[1].pk).is_open


def test_a_checked_file_is_for_its_person_and_worksheet(client: Client, account: Account, login: Login) -> None:
    made = rows(account, 2)
    taken(client, made)
    sheet = Taken.objects.get()
    bring = reverse("admin:hub_taken_bring", args=[sheet.pk])
    answer = client.post(bring, {"checked": "made:up"}, follow=True)
    assert Outgoing.objects.filter(taken=sheet).count() == 2
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]


def test_one_row_is_ticked_off_or_given_back(client: Client, account: Account) -> None:
    first, second = rows(account, 2)
    taken(client, [first, second])
    client.post(reverse("admin:hub_outgoing_tick", args=[first.pk]), {"number": "SO-9", "note": ""})
    client.post(reverse("admin:hub_outgoing_give_back", args=[second.pk]))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_open, first.refs[0]["number"]) == (False, "SO-9")
    assert (second.is_open, second.taken_id) == (True, None)
    page = client.get(reverse("admin:hub_outgoing_change", args=[first.pk])).content.decode()
    assert "SO-9" in page


def test_who_may_not_send_sees_no_addresses(client: Client, account: Account, login: Login) -> None:
    taken(client, rows(account, 1))
    sheet = Taken.objects.get()
    auditor = login("auditor")
    page = auditor.get(reverse("admin:hub_taken_change", args=[sheet.pk]))
    assert page.status_code == 200
    assert b"<details><summary>" not in page.content
    assert auditor.post(reverse("admin:hub_taken_file", args=[sheet.pk]), {"format": "csv"}).status_code == 403
    assert auditor.post(reverse("admin:hub_taken_give_all_back", args=[sheet.pk])).status_code == 403


def park(made: list[Outgoing], reason: str, **fields: Any) -> None:
    Outgoing.objects.filter(pk__in=[row.pk for row in made]).update(
        parked_at=timezone.now(), parked_reason=reason, **fields
    )


def test_parked_work_by_cause(client: Client, account: Account) -> None:
    made = rows(account, 6)
    for number, row in enumerate(made[:4]):
        park([row], f"Party {number}'s code is too long: 'C-{number}'.")
    park(made[4:], "The token is wrong.")
    page = client.get(reverse("admin:hub_outgoing_by_cause"))
    groups = [one["group"] for one in page.context["groups"]]
    assert [(group.count, group.topic) for group in groups] == [(4, "erp.order"), (2, "erp.order")]
    opened = client.get(page.context["groups"][0]["rows"])
    assert opened.context["cl"].result_count == 4
    replay = client.get(page.context["groups"][0]["replay"])
    assert replay.context["outlook"].due == 4
    client.post(page.context["groups"][0]["replay"])
    assert Outgoing.objects.filter(parked_at=None).count() == 4
    assert client.get(reverse("admin:hub_outgoing_by_cause")).context["groups"][0]["group"].count == 2


def test_thousands_are_tried_again_by_filter_after_a_look(client: Client, account: Account) -> None:
    Outgoing.objects.bulk_create(
        Outgoing(
            account=account, topic="mail", key=f"k{number}", subject="order:1", lane=Lane.CATALOGUE, is_command=True,
            parked_at=timezone.now(), parked_reason="Refused", is_unknown=number % 100 == 0,
            expires_at="2026-01-01T00:00Z" if number % 100 == 1 else None,
        )
        for number in range(2500)
    )  # fmt: skip
    unfinished = Outgoing.objects.get(key="k2")
    Attempt.objects.create(outgoing=unfinished, lease_token="0" * 32, revision=1)
    address = f"{reverse('admin:hub_outgoing_replay')}?state=parked&topic=mail"
    page = client.get(address)
    outlook = page.context["outlook"]
    assert (outlook.due, page.context["unknown"], page.context["late"], outlook.others) == (2449, 26, 25, 0)
    assert Outgoing.objects.filter(parked_at=None).count() == 0, "looking changes nothing"
    assert len(page.context["skipped"]) == 51
    client.post(address)
    assert Outgoing.objects.filter(parked_at=None).count() == 2449
    left = Outgoing.objects.exclude(parked_at=None)
    assert not left.filter(is_unknown=False, expires_at=None).exclude(key="k2").exists()


def test_trying_again_needs_the_right(login: Login, account: Account) -> None:
    park(rows(account, 1), "x")
    address = f"{reverse('admin:hub_outgoing_replay')}?state=parked"
    for group in ("sales", "auditor"):
        assert login(group).get(address).status_code == 403
        assert login(group).post(address).status_code == 403
    assert Outgoing.objects.filter(parked_at=None).count() == 0


def test_what_was_sent_and_answered_is_shown_escaped(client: Client, account: Account) -> None:
    (row,) = rows(account, 1)
    exchange = {"operation": "put", "method": "PUT", "url": "https://x.example", "request": "<b>1</b>", "status": 422,
                "reply": "<script>", "milliseconds": 3}  # fmt: skip
    Attempt.objects.create(
        outgoing=row, lease_token="0" * 32, revision=1, finished_at=timezone.now(), outcome="Rejected",
        exchanges=[exchange],
    )  # fmt: skip
    page = client.get(reverse("admin:hub_outgoing_change", args=[row.pk])).content.decode()
    assert "<code>&lt;b&gt;1&lt;/b&gt;</code>" in page
    assert "<code><script>" not in page
