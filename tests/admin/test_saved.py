"""Lists that people keep: whose they are, where they lead, and that they lead nowhere else."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from shop.customer.models import User
from shop.desk.models import SavedList
from tests import factories
from tests.admin.conftest import Login
from tests.statements import counted

pytestmark = pytest.mark.django_db
ORDERS = "admin:order_order_changelist"
ADD = "admin:desk_savedlist_add"
QUERY = "status__exact=pending_payment&older=24h&q=%E5%BC%A0&o=-3"


def keep(client: Client, query: str = QUERY, **changes: Any) -> Any:
    form = {"name": "Unpaid > 24 h", "list": "order.order", "query": query, **changes}
    return client.post(
        f"{reverse(ADD)}?list=order.order", {name: value for name, value in form.items() if value is not None}
    )


def one(owner: str = "sales", **fields: Any) -> SavedList:
    values = {"owner": User.objects.get(email=f"{owner}@weft.test"), "name": "Kept", "list": "order.order", **fields}
    return SavedList.objects.create(**{"query": "status__exact=paid", **values})


def change(row: SavedList) -> str:
    return reverse("admin:desk_savedlist_change", args=[row.pk])


def test_the_list_offers_to_keep_what_is_shown_under_a_name_made_of_its_filters(login: Login) -> None:
    client = login("sales")
    page = client.get(f"{reverse(ORDERS)}?{QUERY}&p=2").content.decode()
    link = next(part.split('"')[0] for part in page.split('href="') if part.startswith(reverse(ADD)))
    offered = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
    assert offered["list"] == ["order.order"]
    assert offered["query"] == [QUERY]
    assert offered["name"] == ["awaiting payment · older than 24 hours · 张"]
    form = client.get(link.replace("&amp;", "&")).content.decode()
    assert 'value="awaiting payment · older than 24 hours · 张"' in form
    assert reverse(ADD) not in client.get(reverse(ORDERS)).content.decode()  # nothing is filtered


def test_kept_opened_renamed_deleted(login: Login) -> None:
    client = login("sales")
    answer = keep(client)
    assert answer.status_code == 302, answer.content.decode()
    row = SavedList.objects.get()
    assert (row.owner.email, row.query) == ("sales@weft.test", QUERY)
    assert answer["location"] == row.link == f"{reverse(ORDERS)}?{QUERY}"
    page = client.get(row.link).content.decode()
    assert page.count("Unpaid &gt; 24 h") == 3  # said once, then in the menu and above the list
    assert 'weft-chip-on" href' in page
    assert client.post(change(row), {"name": "Late"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.query, row.list) == ("Late", QUERY, "order.order")
    assert client.post(reverse("admin:desk_savedlist_delete", args=[row.pk]), {"post": "yes"}).status_code == 302
    assert not SavedList.objects.exists()


def test_the_same_name_twice_is_refused_in_words(login: Login) -> None:
    client = login("sales")
    keep(client)
    assert "under this name before" in keep(client, "status__exact=paid").content.decode()
    assert SavedList.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"list": "order.nothing"}, {"list": "https://evil.example"}, {"list": "//evil.example"}, {"list": ""},
        {"list": "hub.account"},  # not theirs to see
        {"list": "auth.permission"},  # no list of ours
        {"name": ""}, {"name": "x" * 65}, {"query": "q=" + "x" * 2001},
    ],
)  # fmt: skip
def test_what_may_not_be_kept(login: Login, wrong: dict[str, str]) -> None:
    answer = keep(login("sales"), **{"query": "q=1", **wrong})
    assert answer.status_code == 200
    assert not SavedList.objects.exists()


@pytest.mark.parametrize(
    ("posted", "kept"),
    [
        ("?status__exact=paid&p=3&all=", "status__exact=paid"),
        ("q=a%26b&q=2&_popup=1&e=1", "q=a%26b&q=2"),
        ("//evil.example/?x=1", "%2F%2Fevil.example%2F%3Fx=1"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29="),
        ('"><script>', "%22%3E%3Cscript%3E="),
    ],
)
def test_the_address_is_always_our_own_list(login: Login, posted: str, kept: str) -> None:
    client = login("sales")
    answer = keep(client, posted)
    assert answer["location"] == f"{reverse(ORDERS)}?{kept}"
    page = client.get(reverse(ORDERS)).content.decode()
    assert "<script>alert" not in page
    assert '"><script>' not in page


def test_a_name_is_only_words(login: Login) -> None:
    """The menu shows titles as they are."""
    client = login("sales")
    keep(client, name="<img src=x onerror=alert(1)>")
    for address in (reverse("admin:index"), reverse(ORDERS), reverse("admin:desk_savedlist_changelist")):
        page = client.get(address).content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_nobody_sees_or_touches_anothers(login: Login) -> None:
    mine = login("sales")
    row = one("sales")
    others = login("finance")
    assert "Kept" not in others.get(reverse(ORDERS)).content.decode()
    for address in (change(row), reverse("admin:desk_savedlist_delete", args=[row.pk])):
        assert others.get(address).status_code in (302, 403, 404)
        others.post(address, {"name": "Mine now", "post": "yes"})
        login("superuser").post(address, {"name": "Mine now", "post": "yes"})
    row.refresh_from_db()
    assert row.name == "Kept"
    assert mine.get(change(row)).status_code == 200


def test_shared_with_a_group_it_is_seen_and_not_changed(login: Login) -> None:
    client, group = login("sales"), Group.objects.get(name="sales")
    assert keep(client, group=group.pk).status_code == 302
    colleague = User.objects.create_user("colleague@weft.test", is_staff=True)
    colleague.groups.add(group)
    theirs = Client(headers={"accept-language": "en"})
    theirs.force_login(colleague)
    row = SavedList.objects.get()
    page = theirs.get(row.link).content.decode()
    assert "Unpaid &gt; 24 h" in page
    assert "shared by" in page
    assert "rename or delete" not in page
    theirs.post(change(row), {"name": "Mine now"})
    row.refresh_from_db()
    assert row.name == "Unpaid > 24 h"
    assert "Unpaid" not in login("finance").get(reverse(ORDERS)).content.decode()


def test_sharing_needs_the_right_and_ones_own_group(login: Login) -> None:
    other = Group.objects.get(name="finance") if login("sales") else None
    assert other is not None
    assert keep(login("sales"), group=other.pk).status_code == 200  # not a choice
    keep(login("auditor"), group=Group.objects.get(name="auditor").pk)
    assert SavedList.objects.get().group is None  # the auditor may only look: the field is not there
    assert 'name="group"' not in login("auditor").get(f"{reverse(ADD)}?list=order.order").content.decode()


def test_a_shared_list_is_hidden_from_who_may_not_see_its_rows(login: Login) -> None:
    client = login("sales")
    one("sales", group=Group.objects.get(name="sales"), name="Orders of mine")
    Group.objects.get(name="sales").permissions.filter(codename="view_order").delete()
    assert "Orders of mine" not in client.get(reverse("admin:index")).content.decode()


def test_one_default_per_list_which_the_menu_opens(login: Login) -> None:
    client = login("sales")
    keep(client, name="First", is_default="on")
    keep(client, "status__exact=paid", name="Second", is_default="on")
    assert SavedList.objects.get(is_default=True).name == "Second"
    page = client.get(reverse("admin:index")).content.decode()
    assert f'href="{reverse(ORDERS)}?status__exact=paid" class=' in page
    assert f'href="{reverse(ORDERS)}" class=' not in page
    other = login("finance").get(reverse("admin:index")).content.decode()
    assert f'href="{reverse(ORDERS)}" class=' in other


def test_a_list_that_is_gone_does_no_harm(login: Login) -> None:
    client = login("sales")
    one("sales", list="gone.thing", name="Of an older Weft")
    for address in (reverse("admin:index"), reverse(ORDERS), reverse("admin:desk_savedlist_changelist")):
        assert client.get(address).status_code == 200


def test_an_empty_form_is_nobodys_beginning(login: Login) -> None:
    assert login("superuser").get(reverse(ADD)).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_one_query_for_all_saved_lists_of_a_page(login: Login) -> None:
    client = login("sales")
    factories.stock("CHAIR-1", SZ=1)
    for number in range(30):
        one("sales", name=f"L{number}", group=Group.objects.get(name="sales"))
    client.get(reverse(ORDERS))
    with counted("orders") as found:
        client.get(reverse(ORDERS))
    assert len(found.naming("desk_savedlist")) == 1, found
