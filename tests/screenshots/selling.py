"""A marketplace that sells the company's goods: shares at rest, waiting to be drained, under way, and shared."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.hub.models import Account, AccountState
from shop.channels import figures
from shop.stock import escrow, rebalancing
from shop.stock.models import Channel, Closure, Mode, Pool, Share, Warehouse

SKEW = timedelta(seconds=2)


def make() -> None:
    now = timezone.now()
    account = Account.objects.create(
        kind="channel", provider="market", name="微集市", state=AccountState.ACTIVE, checked_at=now,
        active_since=now - timedelta(days=9), settings={"url": "http://127.0.0.1:8720"},
    )  # fmt: skip
    channel = Channel.objects.create(account=account, mode=Mode.GUARANTEED, weight="0.5", buffer=2, watermark=now)
    pools = Pool.objects.filter(shortage=0, on_hand__gte=F("reserved") + 12).order_by("sku")[:7]
    *skus, shared, left_out = [pool.sku for pool in pools]
    Share.objects.bulk_create(Share(channel=channel, pool_id=sku) for sku in skus)
    Share.objects.create(channel=channel, pool_id=shared, mode=Mode.SHARED)
    Share.objects.create(channel=channel, pool_id=left_out, is_offered=False)
    _told(channel, skus, drained=skus)
    _told(channel, skus, drained=skus[:3])
    with transaction.atomic():
        escrow.lock(channel.pk, [shared])
        escrow.tell(channel.pk, [shared])
    _told(channel, skus[:1], answered=False)
    Closure.objects.create(warehouse=Warehouse.objects.get(code="HZ"), channel=channel)


def _told(channel: Channel, skus: list[str], *, drained: list[str] | None = None, answered: bool = True) -> None:
    """Planned and sent; then answered, and its orders read up to that moment."""
    terms = figures.terms(channel.account)
    with transaction.atomic():
        rebalancing.plan(figures.FIGURE, {channel.pk: 1})
        escrow.lock(channel.pk, skus)
        escrow.charge(channel.pk, skus, terms)
        if answered:
            escrow.acknowledge(channel.pk, skus, terms)
    Share.objects.filter(channel=channel).exclude(pool__in=drained or []).update(live_at=F("live_at") + 2 * SKEW)
    with transaction.atomic():
        escrow.drain(channel.pk, timezone.now() + SKEW, SKEW)
