"""Starting a payment: what may be offered here, the try on disk before the wire, then what the browser does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from integrations.hub import outgoing, registry
from integrations.hub.door import pauses
from integrations.hub.errors import Conflict, HubError, Misconfigured, OutcomeUnknown, Rejected
from integrations.hub.incoming import addresses
from integrations.hub.models import Account, AccountState, Pause
from integrations.hub.values import Money
from integrations.payments.base import JsCall, Method, Payments, Qr, Redirect, Scene, Start
from shop.order.models import Order, Status
from shop.payments import flow, numbers, schedule
from shop.payments.models import OVER, Attempt, AttemptStatus

MARGIN = timedelta(minutes=2)  # the provider's expiry lies so far before the order's deadline
SECONDS = 12.0  # somebody waits
EARLY = timedelta(seconds=15)  # what would end on the way to the provider is not handed out any more
EVERYWHERE = frozenset(Scene)


class CannotPay(Exception):
    """It cannot be paid this way now; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to pay that fits. `is_failing`: its provider does not answer just now."""

    account: Account
    method: Method
    is_failing: bool = False

    @property
    def code(self) -> str:
        """What a form calls it."""
        return f"{self.account.pk}:{self.method.code}"

    @property
    def label(self) -> str:
        """In the reader's language."""
        return gettext(self.method.label)


def offers(order: Order, scene: Scene) -> list[Offer]:
    """The ways to pay this order where the buyer is: what is made for there first, then the codes for another device.
    Two statements, no call.

    What fails just now is left out, unless all of them do: then all are shown with a warning.
    """
    accounts = list(Account.objects.filter(kind="payments", state=AccountState.ACTIVE).order_by("pk"))
    resting = set(Pause.objects.filter(account__in=accounts, until__gt=timezone.now()).values_list("account", "topic"))
    found = [
        Offer(account, method, not resting.isdisjoint({(account.pk, ""), (account.pk, _topic(method.code))}))
        for account, method in _fitting(accounts, order.currency, order.total_incl_tax)
        if scene in method.scenes
    ]
    found.sort(key=lambda offer: offer.method.scenes == EVERYWHERE)
    return [offer for offer in found if not offer.is_failing] or found


def _topic(method: str) -> str:
    """What the circuit of starting payments this way is called: the other ways of an account may work."""
    return f"start:{method}"


def _fitting(accounts: list[Account], currency: str, total: Decimal) -> Iterator[tuple[Account, Method]]:
    for account in accounts:
        try:
            remote: Payments = registry.connect(account)
        except HubError:
            continue  # the doctor and the account's page say what is wrong
        for method in remote.methods():
            if currency in method.currencies and method.least <= total <= method.most:
                yield account, method


def may_pay_online(currency: str, total: Decimal) -> bool:
    """Is there any way to pay such an order online, wherever the buyer is?"""
    accounts = list(Account.objects.filter(kind="payments", state=AccountState.ACTIVE).order_by("pk"))
    return any(_fitting(accounts, currency, total))


def label(attempt: Attempt) -> str:
    """What a payment's method is called, in the reader's language; its code where it is not offered any more."""
    try:
        remote: Payments = registry.connect(attempt.account)
        return next((gettext(one.label) for one in remote.methods() if one.code == attempt.method), attempt.method)
    except HubError:
        return attempt.method


def begin(order: Order, account: Account, method: str, *, payer: str = "", payer_ip: str = "") -> Attempt:
    """Start a payment of all of an order; the buyer's action stands in it. Raises CannotPay.

    Whatever else is open is closed first, as far as it can be: it stays watched.
    """
    remote: Payments = registry.connect(account, budget=SECONDS)
    chosen = next((one for one in remote.methods() if one.code == method), None)
    if chosen is None:
        raise CannotPay(_("This way to pay is not offered any more. Choose another one."))
    attempt = _write(order, account, chosen, remote)
    try:
        action = remote.start(
            Start(
                number=attempt.number, method=method, total=Money(attempt.total, attempt.currency),
                title=_("Order %(number)s") % {"number": order.number}, expires_at=attempt.expires_at,
                notify_url=addresses.ours(account), return_url=page(attempt, "payments:return"),
                payer=payer, payer_ip=payer_ip,
            )
        )  # fmt: skip
        does = _action(action, chosen, remote)
    except OutcomeUnknown as error:  # perhaps the provider knows it: it is watched, and nobody has its page
        pauses.count(account, _topic(method), error.message)
        _note(attempt, error, AttemptStatus.STARTING)
        raise CannotPay(
            _("The payment provider does not answer as it should. Try again, or choose another way to pay.")
        ) from error
    except (Rejected, Conflict, Misconfigured) as error:
        _note(attempt, error, AttemptStatus.REFUSED)
        raise CannotPay(_("The payment provider refused. Choose another way to pay.")) from error
    except HubError as error:
        pauses.count(account, _topic(method), error.message)
        _note(attempt, error, AttemptStatus.REFUSED)
        raise CannotPay(_("The payment provider cannot be reached. Try again in a moment.")) from error
    pauses.end(account, {_topic(method)})
    return _started(attempt, does)


def _write(order: Order, account: Account, method: Method, remote: Payments) -> Attempt:
    with outgoing.recording():
        order = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
        expires_at = _expiry(order, method)
        now = timezone.now()
        order.attempts.filter(captured=0, close_at=None).exclude(status__in=OVER).update(
            close_at=now, look_at=now, looks=0
        )
        return Attempt.objects.create(
            order=order, account=account, number=numbers.new_number(), method=method.code, currency=order.currency,
            total=order.total_incl_tax, payee=remote.payee(), expires_at=expires_at,
            watched_until=expires_at + schedule.WATCH, look_at=now + timedelta(seconds=schedule.STEPS[0]),
        )  # fmt: skip


def _expiry(order: Order, method: Method) -> datetime:
    """Two minutes before the goods are given back. Raises CannotPay where that leaves no time."""
    if order.status != Status.PENDING_PAYMENT or order.payment_deadline is None:
        raise CannotPay(_("No payment is awaited for this order any more."))
    now = timezone.now()
    expires_at = min(order.payment_deadline - MARGIN, now + method.longest)
    if expires_at < now + method.shortest:
        raise CannotPay(_("The time to pay this order is over."))
    return expires_at


def _action(action: Redirect | Qr | JsCall, method: Method, remote: Payments) -> dict[str, Any]:
    """As it is kept, with the moment until which it works. Raises OutcomeUnknown for a host that was not declared: the
    trade is there, and nobody is sent to it."""
    ends = {"until": (timezone.now() + method.action_lasts).isoformat()} if method.action_lasts else {}
    match action:
        case Redirect(url):
            if urlsplit(url).netloc not in remote.redirect_hosts():
                raise OutcomeUnknown("The payment provider sends buyers to a host that the connector does not name.")
            return {"redirect": url, **ends}
        case Qr(content):
            return {"qr": content, **ends}
        case JsCall(params):
            return {"js": dict(params), **ends}


def is_stale(attempt: Attempt) -> bool:
    """Does what the buyer's browser was given not work any more, while the payment may still be made anew?"""
    until = attempt.action.get("until")
    return bool(until) and datetime.fromisoformat(until) - EARLY <= timezone.now()


def _started(attempt: Attempt, action: dict[str, Any]) -> Attempt:
    with flow.locked(attempt.pk) as (_order, locked):
        locked.action = action
        if locked.status == AttemptStatus.STARTING:
            locked.status = AttemptStatus.ABSENT if "qr" in action else AttemptStatus.OPEN
        locked.save(update_fields=["action", "status"])
    return locked


def _note(attempt: Attempt, error: HubError, status: AttemptStatus) -> None:
    with flow.locked(attempt.pk) as (_order, locked):
        locked.look_error = error.message[:255]
        if locked.status == AttemptStatus.STARTING:
            locked.status = status
        locked.look_at = schedule.next_look(locked)
        locked.save(update_fields=["look_error", "status", "look_at"])


def page(attempt: Attempt, name: str) -> str:
    """The whole address of one of an attempt's pages."""
    path = reverse(name, kwargs={"number": attempt.number, "token": numbers.page_token(attempt.number)})
    return f"{settings.WEFT_SHOP_URL}{path}"
