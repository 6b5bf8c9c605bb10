"""What workers run for the back office. Every task is idempotent and may run twice at once."""

from __future__ import annotations

from django.db.models import Q

from erp import documents, feedback, orders
from erp.accounts import erp_accounts
from integrations.hub import outgoing
from integrations.hub.models import Account, AccountState, Outgoing
from integrations.hub.sending.drains import at_once
from shop.order.models import Order


def poll() -> None:
    """Read every active ERP, several at once: one that does not answer holds up no other."""
    active = Account.objects.filter(kind="erp", state=AccountState.ACTIVE).values_list("pk", flat=True)
    at_once(list(active), _read)


def _read(account_id: int) -> int:
    polled = feedback.poll(Account.objects.get(pk=account_id))
    return polled.shipments if polled else 0


def ensure_missing(limit: int = 500) -> int:
    """Wish for the order rows that an account should have and has not: one added later, a receiver that was missing.

    Only orders placed since the account exists. Returns how many were missing.
    """
    missing: set[str] = set()
    for account in erp_accounts():
        rows = Outgoing.objects.filter(account=account, topic=orders.ORDER).values("key")
        released = Q(status__in=documents.RELEASED, is_historical=False, is_test=False)
        due = Order.objects.filter(released, date_placed__gte=account.created_at).exclude(number__in=rows)
        missing |= set(due.values_list("number", flat=True)[:limit])
    if missing:
        with outgoing.recording():
            found = documents.orders(missing)
            outgoing.ensure(orders.CUSTOMER, {documents.customer_key(order) for order in found.values()})
            outgoing.ensure(orders.ORDER, missing)
    return len(missing)
