"""The admin's home: what waits for a person, counted, each with the list that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.hub import parking
from integrations.hub.models import Account, AccountState
from shop.order.models import Order, PaymentMethod, Status
from shop.stock.models import Shortage


@dataclass(frozen=True, slots=True)
class Task:
    """`count` things of a kind that need somebody; `link` is the list of them."""

    title: str
    hint: str
    count: int
    link: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For unfold: the index page's context with the tasks of this person."""
    sections: list[tuple[str, Callable[[], list[Task]]]] = [
        ("order.view_order", _orders),
        ("stock.view_shortage", _shortages),
        ("hub.view_outgoing", _parked),
        ("hub.view_account", _accounts),
    ]
    tasks = [task for permission, make in sections if request.user.has_perm(permission) for task in make()]
    return {**context, "title": _("What needs you"), "tasks": tasks}


def _list(name: str, query: str) -> str:
    return f"{reverse(f'admin:{name}_changelist')}?{query}"


def _orders() -> list[Task]:
    counts = Order.objects.aggregate(
        pay=Count("pk", filter=Q(status=Status.PENDING_PAYMENT, payment_method=PaymentMethod.BANK_TRANSFER)),
        cancelling=Count("pk", filter=Q(status=Status.CANCELLING)),
        returns=Count("pk", filter=Q(needs_return=True)),
        refunds=Count("pk", filter=Q(needs_refund=True)),
    )
    return [
        Task(
            _("Payments to confirm"),
            _("Compare them with the bank's statement."),
            counts["pay"],
            _list("order_order", "status__exact=pending_payment&payment_method__exact=bank_transfer"),
        ),
        Task(
            _("Orders being cancelled"),
            _("Another system has to agree first. Look when it takes long."),
            counts["cancelling"],
            _list("order_order", "status__exact=cancelling"),
        ),
        Task(
            _("Orders that need a return"),
            _("Goods left although the order was cancelled."),
            counts["returns"],
            _list("order_order", "needs_return__exact=1"),
        ),
        Task(
            _("Money to give back"),
            _("Paid, but cancelled, or paid too late when the goods were gone."),
            counts["refunds"],
            _list("order_order", "needs_refund__exact=1"),
        ),
    ]


def _shortages() -> list[Task]:
    return [
        Task(
            _("Shortages"),
            _("More is promised than there is."),
            Shortage.objects.filter(closed_at=None).count(),
            _list("stock_shortage", "state=open"),
        )
    ]


def _parked() -> list[Task]:
    return [
        Task(
            _("Parked work"),
            _("Could not be sent, and waits for a decision."),
            parking.parked().count(),
            _list("hub_outgoing", "state=parked&account_state=working"),
        )
    ]


def _accounts() -> list[Task]:
    troubled = Account.objects.exclude(problem="").exclude(state=AccountState.RETIRED)
    return [
        Task(
            _("Accounts with a problem"),
            _("Nothing is sent until it is solved."),
            troubled.count(),
            _list("hub_account", "trouble=yes"),
        )
    ]
