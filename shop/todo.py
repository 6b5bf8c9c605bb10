"""The admin's home: what waits for a person, counted, each with the list that shows exactly what was counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.hub import accounts, parking
from shop.catalogue.files.runs import refused_imports
from shop.days import working_day_ago
from shop.order.models import OPEN_INTAKE, OPEN_RETURN, SAID_TO_BE_PAID, Intake, Order, PaymentMethod, Status
from shop.stock import approvals, count_decisions, holds, presales, supply
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
    sections: list[tuple[str, Callable[[], list[Task]]]] = [  # who may see them; one query each
        ("order.view_order", _orders),
        ("stock.view_shortage", _shortages),
        ("stock.view_proposal", _proposals),
        ("stock.view_countsheet", _sheets),
        ("stock.view_hold", _holds),
        ("stock.view_presale", _presales),
        ("stock.view_supply", _supplies),
        ("hub.view_outgoing", _parked),
        ("hub.view_account", _accounts),
        ("order.view_intake", _imports),
        ("catalogue.view_importrun", _product_files),
    ]
    tasks = [task for permission, make in sections if request.user.has_perm(permission) for task in make()]
    return {
        **context,
        "title": _("What needs you"),
        "tasks": tasks,
        "due": [task for task in tasks if task.count],
        "calm": [task for task in tasks if not task.count],
        "updated_at": timezone.now(),
    }


def _list(name: str, query: str) -> str:
    return f"{reverse(f'admin:{name}_changelist')}?{query}"


def _orders() -> list[Task]:
    pay = Q(status=Status.PENDING_PAYMENT, payment_method=PaymentMethod.BANK_TRANSFER)
    cancelling, refund = Q(status=Status.CANCELLING), Q(needs_refund=True)
    # Filtered first, so that the indexes of the few are read and not all orders there ever were.
    counts = Order.objects.filter(pay | cancelling | OPEN_RETURN | refund).aggregate(
        pay=Count("pk", filter=pay),
        said=Count("pk", filter=SAID_TO_BE_PAID & Q(payment_said_at__lt=working_day_ago())),
        cancelling=Count("pk", filter=cancelling),
        returns=Count("pk", filter=OPEN_RETURN),
        refunds=Count("pk", filter=refund),
    )
    return [
        Task(
            _("Payments to confirm"),
            _("Compare them with the bank's statement."),
            counts["pay"],
            _list("order_order", "status__exact=pending_payment&payment_method__exact=bank_transfer"),
        ),
        Task(
            _("Transfers said to be made"),
            _("Said more than a working day ago: find them on the statement, ask, or extend the deadline."),
            counts["said"],
            _list("order_order", "said=overdue"),
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
            _list("order_order", "return=open"),
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


def _proposals() -> list[Task]:
    return [
        Task(
            _("Adjustments to approve"),
            _("Too large for one person: somebody else decides."),
            approvals.waiting().count(),
            _list("stock_proposal", "state__exact=waiting"),
        )
    ]


def _sheets() -> list[Task]:
    return [
        Task(
            _("Count sheets to decide"),
            _("Counted; their differences are not written yet."),
            count_decisions.waiting().count(),
            _list("stock_countsheet", "state__exact=counted"),
        )
    ]


def _holds() -> list[Task]:
    return [
        Task(
            _("Overdue holds"),
            _("Their time is over and their goods are still locked: the sweep is late. Are the workers running?"),
            holds.overdue().count(),
            _list("stock_hold", "state=overdue"),
        )
    ]


def _presales() -> list[Task]:
    return [
        Task(
            _("Sold ahead, and not coming"),
            _("Goods that orders wait for were cancelled or are too few. The list names the orders."),
            len(presales.short()),
            _list("stock_presale", "state=short"),
        )
    ]


def _supplies() -> list[Task]:
    return [
        Task(
            _("Overdue supply"),
            _("It should have arrived. Receive it, or give it a new date: until then nothing is sold from it."),
            supply.overdue().count(),
            _list("stock_supply", "state=overdue"),
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
    return [
        Task(
            _("Accounts with a problem"),
            _("Nothing is sent until it is solved."),
            accounts.troubled().count(),
            _list("hub_account", "trouble=yes"),
        )
    ]


def _imports() -> list[Task]:
    return [
        Task(
            _("Refused imports"),
            _("Rows of orders from outside that could not be taken."),
            Intake.objects.filter(OPEN_INTAKE).count(),
            _list("order_intake", "state=open"),
        )
    ]


def _product_files() -> list[Task]:
    return [
        Task(
            _("Refused product files"),
            _("Files of products that could not be read, or rows of them that were left out."),
            refused_imports().count(),
            _list("catalogue_importrun", "refused=open"),
        )
    ]
