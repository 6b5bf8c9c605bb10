"""The demo's practice marketplace: an account, and some SKUs that are offered there. Doing it again is harmless."""

from __future__ import annotations

from functools import reduce
from operator import or_
from pathlib import Path

from django.db.models import Q

from integrations.hub import accounts
from shop.stock.models import Channel, Mode, Pool, Share

PLENTY = 20  # units of a SKU; of what is scarcer the shop keeps all
OFFERED = ("KT-", "PA-", "ST-")  # tableware, paper, storage


def connect(port: int, key_file: Path) -> Channel:
    """The account, with the address of this start, and its channel. Guaranteed mode: it cannot oversell."""
    settings = {"url": f"http://127.0.0.1:{port}", "key": key_file.read_text(encoding="utf-8").strip()}
    account = accounts.connect("channel", "market", "Practice market", settings)
    channel, _made = Channel.objects.get_or_create(account=account, defaults={"mode": Mode.GUARANTEED, "weight": "0.5"})
    return channel


def offer(channel: Channel) -> None:
    """A share of what there is plenty of."""
    wanted = reduce(or_, (Q(sku__startswith=prefix) for prefix in OFFERED))
    pools = Pool.objects.filter(wanted, on_hand__gte=PLENTY).order_by("sku")
    Share.objects.bulk_create([Share(channel=channel, pool=pool) for pool in pools], ignore_conflicts=True)
