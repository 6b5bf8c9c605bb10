"""The admin's home: what waits for a person, counted, each with the list that shows exactly what was counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub import accounts
from integrations.hub.health import alarms
from integrations.hub.incoming import parking as incoming_parking
from integrations.hub.sending import parking
from shop.catalogue.files.runs import refused_imports
from shop.days import working_day_ago
from shop.order.models import OPEN_INTAKE, OPEN_RETURN, SAID_TO_BE_PAID, Intake, Order, PaymentMethod, Status
from shop.payments import disputes, strays
from shop.payments.models import OPEN_PART, OPEN_REVIEW, STUCK_PART, WAITING_REFUND, Attempt, Refund, RefundPart
from shop.stock import approvals, count_decisions, holds, presales, supply
from shop.stock.models import Shortage


@dataclass(frozen=True, slots=True)
class Task:
    """`count` things of a kind that need somebody; `link` is the list of them."""

    title: str
    hint: str
    count: int
    link: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that waits: who may see it, what it is, which rows, and the list that shows exactly these."""

    permission: str
    title: str
    hint: str
    rows: Callable[[], QuerySet[Any]]
    list: str
    query: str

    def task(self, count: int) -> Task:
        return Task(str(self.title), str(self.hint), count, f"{reverse(f'admin:{self.list}_changelist')}?{self.query}")


def _orders(which: Q) -> Callable[[], QuerySet[Any]]:
    return lambda: Order.objects.filter(which)


KINDS = (
    Kind(
        "order.view_order",
        gettext_lazy("Payments to confirm"),
        gettext_lazy("Compare them with the bank's statement."),
        _orders(Q(status=Status.PENDING_PAYMENT, payment_method=PaymentMethod.BANK_TRANSFER)),
        "order_order",
        "status__exact=pending_payment&payment_method__exact=bank_transfer",
    ),
    Kind(
        "order.view_order",
        gettext_lazy("Transfers said to be made"),
        gettext_lazy("Said more than a working day ago: find them on the statement, ask, or extend the deadline."),
        lambda: Order.objects.filter(SAID_TO_BE_PAID, payment_said_at__lt=working_day_ago()),
        "order_order",
        "said=overdue",
    ),
    Kind(
        "order.view_order",
        gettext_lazy("Orders being cancelled"),
        gettext_lazy("Another system has to agree first. Look when it takes long."),
        _orders(Q(status=Status.CANCELLING)),
        "order_order",
        "status__exact=cancelling",
    ),
    Kind(
        "order.view_order",
        gettext_lazy("Orders that need a return"),
        gettext_lazy("Goods left although the order was cancelled."),
        _orders(OPEN_RETURN),
        "order_order",
        "return=open",
    ),
    Kind(
        "order.view_order",
        gettext_lazy("Money to give back"),
        gettext_lazy("Paid, but cancelled, or paid too late when the goods were gone."),
        _orders(Q(needs_refund=True)),
        "order_order",
        "needs_refund__exact=1",
    ),
    Kind(
        "payments.view_attempt",
        gettext_lazy("Payments that need review"),
        gettext_lazy("Money came that is not what was due, or its order cannot be moved. Nothing ships for it."),
        lambda: Attempt.objects.filter(OPEN_REVIEW),
        "payments_attempt",
        "state=review",
    ),
    Kind(
        "payments.view_stray",
        gettext_lazy("Money without an order"),
        gettext_lazy("A provider took it for us, under a number that is not one of ours."),
        strays.listed,
        "payments_stray",
        "state=open",
    ),
    Kind(
        "payments.view_refundpart",
        gettext_lazy("Refunds that failed"),
        gettext_lazy("The provider refused them, or cannot pay them out. The customer waits."),
        lambda: RefundPart.objects.filter(OPEN_PART | STUCK_PART),
        "payments_refundpart",
        "state=open",
    ),
    Kind(
        "payments.view_refund",
        gettext_lazy("Refunds to approve"),
        gettext_lazy("Too large for one person, or too many at once: somebody else decides."),
        lambda: Refund.objects.filter(WAITING_REFUND),
        "payments_refund",
        "state=waiting",
    ),
    Kind(
        "payments.view_dispute",
        gettext_lazy("Open disputes"),
        gettext_lazy("Until they are decided nothing of these payments is given back."),
        disputes.opened,
        "payments_dispute",
        "state=open",
    ),
    Kind(
        "payments.view_dispute",
        gettext_lazy("Evidence due soon"),
        gettext_lazy("Send it to the provider within three days, or the dispute is lost."),
        disputes.urgent,
        "payments_dispute",
        "state=urgent",
    ),
    Kind(
        "stock.view_shortage",
        gettext_lazy("Shortages"),
        gettext_lazy("More is promised than there is."),
        lambda: Shortage.objects.filter(closed_at=None),
        "stock_shortage",
        "state=open",
    ),
    Kind(
        "stock.view_proposal",
        gettext_lazy("Adjustments to approve"),
        gettext_lazy("Too large for one person: somebody else decides."),
        approvals.waiting,
        "stock_proposal",
        "state__exact=waiting",
    ),
    Kind(
        "stock.view_countsheet",
        gettext_lazy("Count sheets to decide"),
        gettext_lazy("Counted; their differences are not written yet."),
        count_decisions.waiting,
        "stock_countsheet",
        "state__exact=counted",
    ),
    Kind(
        "stock.view_hold",
        gettext_lazy("Overdue holds"),
        gettext_lazy(
            "Their time is over and their goods are still locked: the sweep is late. Are the workers running?"
        ),
        holds.overdue,
        "stock_hold",
        "state=overdue",
    ),
    Kind(
        "stock.view_presale",
        gettext_lazy("Sold ahead, and not coming"),
        gettext_lazy("Goods that orders wait for were cancelled or are too few. The list names the orders."),
        presales.short_sales,
        "stock_presale",
        "state=short",
    ),
    Kind(
        "stock.view_supply",
        gettext_lazy("Overdue supply"),
        gettext_lazy("It should have arrived. Receive it, or give it a new date: until then nothing is sold from it."),
        supply.overdue,
        "stock_supply",
        "state=overdue",
    ),
    Kind(
        "hub.view_alarm",
        gettext_lazy("Alarms"),
        gettext_lazy("Flows that are late, accounts or workers in trouble, and nobody looks after it yet."),
        alarms.unseen,
        "hub_alarm",
        "state=unseen",
    ),
    Kind(
        "hub.view_outgoing",
        gettext_lazy("Parked work"),
        gettext_lazy("Could not be sent, and waits for a decision."),
        parking.parked,
        "hub_outgoing",
        "state=parked&account_state=working",
    ),
    Kind(
        "hub.view_outgoing",
        gettext_lazy("Done by hand, unconfirmed"),
        gettext_lazy("Somebody ticked it off, and the remote does not know of it. Look there."),
        parking.unconfirmed,
        "hub_outgoing",
        "state=unconfirmed",
    ),
    Kind(
        "hub.view_incoming",
        gettext_lazy("Parked messages"),
        gettext_lazy("Came in and could not be heeded, or came twice with different contents."),
        incoming_parking.parked,
        "hub_incoming",
        "state=parked",
    ),
    Kind(
        "hub.view_account",
        gettext_lazy("Accounts with a problem"),
        gettext_lazy("Nothing is sent until it is solved."),
        accounts.troubled,
        "hub_account",
        "trouble=yes",
    ),
    Kind(
        "order.view_intake",
        gettext_lazy("Refused imports"),
        gettext_lazy("Rows of orders from outside that could not be taken."),
        lambda: Intake.objects.filter(OPEN_INTAKE),
        "order_intake",
        "state=open",
    ),
    Kind(
        "catalogue.view_importrun",
        gettext_lazy("Refused product files"),
        gettext_lazy("Files of products that could not be read, or rows of them that were left out."),
        refused_imports,
        "catalogue_importrun",
        "refused=open",
    ),
)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For unfold: the index page's context with the tasks of this person."""
    tasks = _counted([kind for kind in KINDS if request.user.has_perm(kind.permission)])
    return {
        **context,
        "title": _("What needs you"),
        "tasks": tasks,
        "due": [task for task in tasks if task.count],
        "calm": [task for task in tasks if not task.count],
        "updated_at": timezone.now(),
    }


def _counted(kinds: Sequence[Kind]) -> list[Task]:
    """All of them in one statement, each by the index of its few rows. A kind without rows has no row in it."""
    if not kinds:
        return []
    counts = [
        kind.rows().order_by().annotate(place=Value(place)).values("place").annotate(units=Count("*"))
        for place, kind in enumerate(kinds)
    ]
    found = dict(counts[0].union(*counts[1:], all=True).values_list("place", "units"))
    return [kind.task(found.get(place, 0)) for place, kind in enumerate(kinds)]
