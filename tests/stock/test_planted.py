"""Each known mistake, put back: a short story in which it does harm and is caught. Without it the story is fine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager, nullcontext

import pytest
from django.db import IntegrityError

from shop.order.models import Order
from shop.stock import holds
from tests.savepoints import taken_back
from tests.stock import planted, world
from tests.stock.world import World

pytestmark = pytest.mark.django_db

Story = Callable[[World], None]


def opened(made: World) -> None:
    """Both channels show what they may sell, and nothing is under way."""
    for _ in range(8):
        made.rebalance()
        for place in range(2):
            made.send(place, "answered")
        made.pass_time()
        for place in range(2):
            made.poll(place)
    assert all(shop.figures[sku] >= 2 for shop in made.shops for sku in world.SKUS)


def too_many_buyers(made: World) -> None:
    for _ in range(8):
        made.buy({"A": 2})


def a_sale_told_twice(made: World) -> None:
    assert made.sell(0, "A")
    made.hear(0, 0)
    made.hear(0, 0)
    made.poll(0)


def an_order_released_by_two_tasks(made: World) -> None:
    made.buy({"A": 1})
    made.buy({"A": 1})
    first = Order.objects.earliest("pk")
    made.cancel(first.number)
    holds.release(first.pk)


def an_answer_lost_and_a_sale_unseen(made: World) -> None:
    made.receive("A", 9)
    made.rebalance()
    made.send(0, "answer lost")
    while made.sell(0, "A"):
        continue
    made.pass_time(20)
    made.send(0, "answered")


def more_arrives_and_sales_are_not_told(made: World) -> None:
    while made.sell(0, "A"):
        continue
    made.receive("A", 9)
    made.rebalance()
    made.send(0, "answered")


def an_erp_that_says_what_is_left(made: World) -> None:
    too_many_buyers(made)
    made.begin_reading()
    made.answer_reading(0)
    made.apply_reading(0)


MISTAKES: dict[str, tuple[planted.Plant, Story, str]] = {
    "a message trusted twice": (planted.trusted_twice, a_sale_told_twice, "orders of 1 sales"),
    "released twice": (planted.released_twice, an_order_released_by_two_tasks, "reserved is not"),
    "uncharged retry": (planted.uncharged_retry, an_answer_lost_and_a_sale_unseen, "set aside are"),
    "granted before drained": (planted.granted_before_drained, more_arrives_and_sales_are_not_told, "set aside are"),
    "net and gross mixed": (planted.net_as_gross, an_erp_that_says_what_is_left, "were lost"),
    "a generator consumed twice": (planted.generator_consumed_twice, too_many_buyers, "held 0"),
}


@contextmanager
def undone(patch: pytest.MonkeyPatch, plant: planted.Plant | None):  # type: ignore[no-untyped-def]
    with taken_back(), patch.context() as mine:
        made = world.make(mine, stock=dict.fromkeys(world.SKUS, (10, 2)))
        opened(made)
        if plant:
            plant(mine)
        yield made


def caught(made: World, story: Story) -> list[str]:
    """What is wrong after the story; a constraint of the database that refuses it has caught it too."""
    try:
        story(made)
    except IntegrityError as refused:
        return [f"reserved is not what it may be: {refused}"]
    return made.wrong()


@pytest.mark.parametrize("name", MISTAKES)
def test_is_caught(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    plant, story, words = MISTAKES[name]
    with undone(monkeypatch, None) as made:
        assert caught(made, story) == []
    with undone(monkeypatch, plant) as made:
        found = caught(made, story)
        assert any(words in each for each in found), found


@pytest.mark.parametrize("mistake", [None, planted.no_recheck])
def test_reserving_without_asking_again(monkeypatch: pytest.MonkeyPatch, mistake: Callable[[], object] | None) -> None:
    with undone(monkeypatch, None) as made, ExitStack() as stack:
        stack.enter_context(mistake() if mistake else nullcontext())  # type: ignore[arg-type]
        found = caught(made, too_many_buyers)
        assert bool(found) == bool(mistake), found
