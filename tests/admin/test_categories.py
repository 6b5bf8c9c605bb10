"""The tree of categories: moved by drop, by step and by form; two people at once; what customers see afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from shop.catalogue import moves, tree
from shop.catalogue.models import Category
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import said
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MOVE = "admin:catalogue_category_move"


def grow() -> dict[str, Category]:
    """home (lamps (desk), chairs), books, garden."""
    home = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    lamps = home.add_child(slug="lamps", name_zh_hans="灯", name_en="Lamps")
    lamps.add_child(slug="desk", name_zh_hans="台灯", name_en="Desk lamps")
    home.add_child(slug="chairs", name_zh_hans="椅", name_en="Chairs")
    Category.add_root(slug="books", name_zh_hans="书", name_en="Books")
    Category.add_root(slug="garden", name_zh_hans="园", name_en="Garden")
    return known()


def known() -> dict[str, Category]:
    return {category.slug: category for category in Category.objects.all()}


def shape() -> str:
    """The tree in one line, its levels as dashes; sound in every way treebeard knows."""
    assert not any(Category.objects.find_problems())
    return " ".join("-" * (c.depth - 1) + c.slug for c in Category.objects.order_by("path"))


def drop(client: Client, node: Category, target: Category, position: str) -> HttpResponse:
    form = {"node": node.pk, "node_path": node.path, "target": target.pk, "target_path": target.path,
            "position": position}  # fmt: skip
    return client.post(reverse(MOVE), form)


def step(client: Client, node: Category, direction: str) -> HttpResponse:
    return client.post(reverse(MOVE), {"step": f"{direction}:{node.pk}:{node.path}"})


@pytest.mark.parametrize(
    ("node", "target", "position", "then"),
    [
        ("books", "home", "left", "books home -lamps --desk -chairs garden"),
        ("home", "garden", "right", "books garden home -lamps --desk -chairs"),
        ("garden", "lamps", "last-child", "home -lamps --desk --garden -chairs books"),
        ("lamps", "books", "first-child", "home -chairs books -lamps --desk garden"),
        ("desk", "home", "right", "home -lamps -chairs desk books garden"),
    ],
)
def test_dropped_before_behind_and_into(login: Login, node: str, target: str, position: str, then: str) -> None:
    there, client = grow(), login("catalogue")
    answer = drop(client, there[node], there[target], position)
    assert answer.headers["location"].endswith(f"#category-{there[node].pk}")
    assert "has moved" in said(answer)
    assert shape() == then


@pytest.mark.parametrize(
    ("node", "direction", "then"),
    [
        ("books", "up", "books home -lamps --desk -chairs garden"),
        ("lamps", "down", "home -chairs -lamps --desk books garden"),
        ("chairs", "in", "home -lamps --desk --chairs books garden"),
        ("desk", "out", "home -lamps -desk -chairs books garden"),
    ],
)
def test_moved_by_a_button(login: Login, node: str, direction: str, then: str) -> None:
    there, client = grow(), login("catalogue")
    assert "has moved" in said(step(client, there[node], direction))
    assert shape() == then


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (lambda t: {"step": f"up:{t['home'].pk}:{t['home'].path}"}, "any further"),
        (lambda t: {"step": f"out:{t['books'].pk}:{t['books'].path}"}, "any further"),
        (lambda t: {"step": f"sideways:{t['books'].pk}:{t['books'].path}"}, "not a move"),
        (lambda t: {"step": "up:x:y"}, "not a move"),
        (lambda t: {"node": t["home"].pk, "node_path": t["home"].path, "position": "left"}, "not a move"),
        (
            lambda t: {"node": t["home"].pk, "node_path": t["home"].path, "target": t["desk"].pk,
                       "target_path": t["desk"].path, "position": "last-child"},
            "below itself",
        ),
        (lambda t: {"step": f"down:{t['books'].pk}:0099"}, "while you were looking"),
        (lambda t: {"step": f"down:999999:{t['books'].path}"}, "while you were looking"),
    ],
)  # fmt: skip
def test_what_cannot_be_moved_is_refused_in_words(login: Login, form: Any, words: str) -> None:
    there, client = grow(), login("catalogue")
    before = shape()
    assert words in said(client.post(reverse(MOVE), form(there)))
    assert shape() == before


def test_no_deeper_than_the_limit(login: Login) -> None:
    client, above = login("catalogue"), Category.add_root(slug="l1", name_zh_hans="1")
    for level in range(2, moves.LEVELS + 1):
        above = above.add_child(slug=f"l{level}", name_zh_hans=str(level))
    pair = Category.add_root(slug="pair", name_zh_hans="x")
    pair.add_child(slug="below", name_zh_hans="y")
    there = known()
    assert "too deep" in said(drop(client, there["pair"], there[f"l{moves.LEVELS - 1}"], "last-child"))
    assert "has moved" in said(drop(client, there["pair"], there[f"l{moves.LEVELS - 2}"], "last-child"))
    shape()


def test_a_stale_page_moves_nothing(login: Login) -> None:
    """Two people open the tree; the first one's move changes what the second one sees."""
    mine, theirs = grow(), known()
    assert "has moved" in said(drop(login("catalogue"), mine["garden"], mine["home"], "left"))
    before = shape()
    answer = drop(login("superuser"), theirs["books"], theirs["home"], "left")
    assert "Somebody moved or deleted" in said(answer)
    assert shape() == before
    fresh = known()
    assert "has moved" in said(drop(login("superuser"), fresh["books"], fresh["home"], "left"))


def test_many_at_once_leave_a_sound_tree() -> None:
    """Sixteen moves from the same page: those whose two still stand there happen, the others are told."""
    grow()
    seen = {slug: moves.Seen(category.pk, category.path) for slug, category in known().items()}
    pairs = [("garden", "home"), ("books", "home"), ("lamps", "books"), ("chairs", "garden")] * 4

    def move(number: int) -> object:
        node, target = pairs[number]
        return moves.move(seen[node], seen[target], "left" if number % 2 else "last-child")

    results = at_once(move, threads=16)
    refused = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(result, (moves.Elsewhere, moves.IntoItself)) for result in refused), refused
    assert len(refused) < len(results)
    assert len(shape().split()) == 6


def test_a_moved_category_keeps_its_customers(login: Login) -> None:
    """Its address changes with its place; the old one leads to the new one, and the menu shows it at once."""
    there, client = grow(), login("catalogue")
    factories.product("LAMP-1").categories.add(there["lamps"])
    old = there["lamps"].get_absolute_url()
    assert client.get(old).status_code == 200
    drop(client, there["lamps"], there["books"], "last-child")
    new = known()["lamps"].get_absolute_url()
    assert new != old
    assert new.startswith("/categories/books/lamps_")
    answer = client.get(old)
    assert (answer.status_code, answer.headers["location"]) == (301, new)
    assert client.get(new).status_code == 200
    assert [node.slug for node in tree.walk()] == ["home", "chairs", "books", "lamps", "desk", "garden"]


def test_below_a_hidden_one_everything_is_hidden(login: Login) -> None:
    there, client = grow(), login("catalogue")
    Category.objects.filter(slug="books").update(is_public=False)
    drop(client, there["lamps"], there["books"], "last-child")
    assert [known()[slug].ancestors_are_public for slug in ("lamps", "desk", "chairs")] == [False, False, True]
    page = client.get(reverse("admin:catalogue_category_changelist")).content.decode()
    assert page.count("hidden with the one above") == 2
    moved = known()
    drop(client, moved["lamps"], moved["home"], "last-child")
    assert known()["desk"].ancestors_are_public


def test_the_tree_shows_both_languages_counts_and_state(login: Login) -> None:
    there = grow()
    factories.product("LAMP-1").categories.set([there["desk"], there["lamps"]])
    factories.product("CHAIR-1").categories.set([there["chairs"]])
    page = login("catalogue").get(reverse("admin:catalogue_category_changelist"))
    counts = {branch.category.slug: branch.products for branch in page.context["branches"]}
    assert counts == {"home": 2, "lamps": 1, "desk": 1, "chairs": 1, "books": 0, "garden": 0}
    text = page.content.decode()
    assert "台灯" in text
    assert "Desk lamps" in text
    found = login("catalogue").get(reverse("admin:catalogue_category_changelist"), {"q": "desk"})
    assert found.context["branches"] is None
    assert "Desk lamps" in found.content.decode()


def test_who_may_only_look_gets_no_buttons(login: Login) -> None:
    there, client = grow(), login("sales")
    page = client.get(reverse("admin:catalogue_category_changelist")).content.decode()
    assert "台灯" in page
    assert 'name="step"' not in page
    assert "tree.js" not in page
    assert step(client, there["books"], "up").status_code == 403


def test_moving_is_posted_with_a_token(login: Login) -> None:
    there = grow()
    assert login("catalogue").get(reverse(MOVE)).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = login("catalogue").cookies
    assert step(careful, there["books"], "up").status_code == 403


def category(client: Client, name: str, **values: Any) -> Any:
    posted = {"name_zh_hans": name, "name_en": f"{name} en", "is_public": "on", "slug": "",
              "treebeard_position": "first-child", "treebeard_ref_node": "", **values}  # fmt: skip
    return client.post(reverse("admin:catalogue_category_add"), posted)


def test_the_form_makes_a_tree_too(login: Login) -> None:
    client = login("catalogue")
    assert client.get(reverse("admin:catalogue_category_add")).status_code == 200
    assert category(client, "家具").status_code == 302
    top = Category.objects.get()
    below = client.get(reverse("admin:catalogue_category_add") + f"?treebeard_ref_node={top.pk}").content.decode()
    assert f'value="{top.pk}" selected' in below
    assert category(client, "椅子", treebeard_ref_node=top.pk).status_code == 302
    chairs = Category.objects.get(name_zh_hans="椅子")
    assert (chairs.depth, chairs.path.startswith(top.path)) == (2, True)
    assert client.get(reverse("admin:catalogue_category_changelist")).status_code == 200
    assert client.get(reverse("admin:catalogue_category_change", args=[chairs.pk])).status_code == 200
    assert "is needed" in category(client, "").content.decode()


def test_a_category_with_others_below_it_is_not_deleted(login: Login) -> None:
    there, client = grow(), login("catalogue")
    home = reverse("admin:catalogue_category_delete", args=[there["home"].pk])
    assert "Move or delete them first" in said(client.post(home, {"post": "yes"}))
    assert len(shape().split()) == 6
    product = factories.product("BOOK-1")
    product.categories.add(there["books"])
    books = reverse("admin:catalogue_category_delete", args=[there["books"].pk])
    assert client.get(books).status_code == 200
    assert client.post(books, {"post": "yes"}).status_code == 302
    assert shape() == "home -lamps --desk -chairs garden"
    assert product.categories.count() == 0
