"""One trace from the click through order, rows, attempts, tasks and log lines to the admin's search."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ
from django_q.signals import post_execute_in_worker, pre_execute

from integrations.hub import outgoing
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.sending import claims, drains
from integrations.hub.values import Lane
from integrations.hub.workers import wakeups
from runtime.logs import trace
from runtime.logs.lines import formatter
from shop.customer.models import User
from shop.order import lifecycle
from shop.order.models import OrderStatusChange
from tests import factories

CLICK = "trace-of-the-click-0001"
TRUSTED = "from-the-proxy-0001"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """Everything that is logged, as production would write it."""
    stream = StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    handler.setFormatter(formatter(True))
    former = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.setLevel(former)
    root.removeHandler(handler)


@pytest.fixture
def mail(settings: Any, db: None) -> Account:
    return factories.account("messages", "file", name="Mail", settings={"folder": str(settings.WEFT_MAIL_FOLDER)})


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser(email="boss@example.com", password="long enough 1"))
    return client


def test_each_answer_names_its_trace_and_nobody_chooses_it(client: Client, db: None) -> None:
    first, second = (client.get("/", follow=True, headers={"X-Request-ID": TRUSTED}) for _ in range(2))
    assert trace.is_trace(first["X-Request-ID"])
    assert len({first["X-Request-ID"], second["X-Request-ID"], TRUSTED}) == 3
    assert trace.current() == ""


@pytest.mark.parametrize(
    ("given", "taken"),
    [(TRUSTED, True), ("short", False), ("x" * 65, False), ("with space 0001", False), ("a\tb 12345678", False)],
)
def test_a_trusted_proxy_does(client: Client, db: None, settings: Any, given: str, taken: bool) -> None:
    settings.WEFT_TRUST_REQUEST_ID = True
    assert (client.get("/", follow=True, headers={"X-Request-ID": given})["X-Request-ID"] == given) is taken


def test_what_fails_bears_it_too(client: Client, db: None, written: StringIO) -> None:
    answer = client.get("/nothing/here/")
    assert answer.status_code == 404
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    (missing,) = [line for line in told if line["logger"] == "django.request"]
    assert missing["trace"] == answer["X-Request-ID"]


def placed() -> Any:
    factories.stock()
    with trace.bound(CLICK):
        return factories.order()


def drain(account: Account) -> None:
    while claim := claims.claim(account.pk, tuple(Lane)):
        drains.work(claim)


def test_it_goes_from_the_click_through_order_and_rows_to_attempts_and_lines(
    mail: Account, settings: Any, written: StringIO
) -> None:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True
    order = placed()
    assert [change.trace for change in OrderStatusChange.objects.filter(order=order)] == [CLICK]
    assert set(Outgoing.objects.values_list("trace", flat=True)) == {CLICK}
    Account.objects.filter(pk=mail.pk).update(settings={"folder": "/proc/nowhere"})
    drain(mail)
    assert set(Attempt.objects.values_list("trace", flat=True)) == {CLICK}
    logging.getLogger("weft.hub").info("afterwards")
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    assert "trace" not in told[-1]


def test_lines_of_a_row_on_its_way_bear_its_trace(mail: Account, settings: Any, written: StringIO) -> None:
    placed()
    Outgoing.objects.update(topic="nobody.knows")
    drain(mail)
    (parked,) = [json.loads(line) for line in written.getvalue().splitlines() if "parked" in line]
    row = Outgoing.objects.get()
    assert (parked["trace"], parked["rows"], parked["topic"], parked["account"]) == (
        CLICK, [row.pk], "nobody.knows", mail.pk,
    )  # fmt: skip


def test_the_last_click_is_the_rows_and_each_attempt_keeps_its_own(mail: Account, db: None) -> None:
    with trace.bound(CLICK), outgoing.recording():
        outgoing.command("mail", mail, {"number": "W1", "event": "placed"}, key="W1:placed")
    row = Outgoing.objects.get()
    Attempt.objects.create(outgoing=row, lease_token="00000000-0000-0000-0000-000000000001", revision=1)
    Outgoing.objects.update(trace="another-click-0002")
    Attempt.objects.create(outgoing=row, lease_token="00000000-0000-0000-0000-000000000001", revision=2)
    assert list(Attempt.objects.order_by("pk").values_list("trace", flat=True)) == [CLICK, "another-click-0002"]


def test_a_task_bears_the_trace_of_who_queued_it_or_one_of_its_own(db: None) -> None:
    with trace.bound(CLICK):
        wakeups.queue("integrations.hub.tasks.sweep")
    task = OrmQ.objects.get().task
    assert task["group"] == CLICK
    seen = []
    for each in (task, {"name": "sweep"}):
        pre_execute.send(sender="test", func=None, task=each)
        seen.append(trace.current())
        post_execute_in_worker.send(sender="test", func=None, task=each)
    assert seen[0] == CLICK and trace.is_trace(seen[1]) and seen[1] != CLICK
    assert trace.current() == ""


def test_staff_see_copy_and_find_it(mail: Account, staff: Client) -> None:
    order = placed()
    with trace.bound("the-payment-0003"):
        lifecycle.confirm_payment(order.number, actor="staff:1")
    page = staff.get(f"/admin/order/order/{order.pk}/change/").content.decode()
    for each in (CLICK, "the-payment-0003"):
        assert f'data-copy="{each}"' in page
        found = staff.get("/admin/search/", {"s": each}, follow=True).content.decode()
        assert order.number in found
        rows = staff.get("/admin/hub/outgoing/", {"q": each}).content.decode()
        assert order.number in rows
    row = Outgoing.objects.filter(trace=CLICK)[0]
    assert CLICK in staff.get(f"/admin/hub/outgoing/{row.pk}/change/").content.decode()
    other = staff.get("/admin/search/", {"s": "no-such-trace-0004"}).content.decode()
    assert order.number not in other
