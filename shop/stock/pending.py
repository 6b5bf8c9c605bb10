"""Counts that nobody has decided about yet. A second one of the same goods would write their difference twice."""

from __future__ import annotations

from collections.abc import Collection

from shop.stock.count_models import OPEN
from shop.stock.models import CountRow, Proposal
from shop.stock.proposal_models import Change, Decision


class CountWaits(Exception):
    """A count of this SKU waits there already; `document` names it."""

    def __init__(self, document: str) -> None:
        super().__init__(f"A count waits for a decision: {document}")
        self.document = document


def proposed(skus: Collection[str], warehouse_id: int) -> dict[str, str]:
    """SKU -> the document of the count that waits for approval there. Sure only under the locks of the pools."""
    waiting = Proposal.objects.filter(
        pool__in=skus, warehouse=warehouse_id, change=Change.COUNT, state=Decision.WAITING
    )
    return {proposal.pool_id: proposal.document for proposal in waiting}


def on_sheets(skus: Collection[str] | None, warehouse_id: int, *, counted: bool = False) -> dict[str, str]:
    """SKU -> the open count sheet it stands on there (None: any SKU); with `counted`, only where it is counted."""
    rows = CountRow.objects.filter(sheet__warehouse=warehouse_id, sheet__state__in=OPEN)
    if skus is not None:
        rows = rows.filter(pool__in=skus)
    if counted:
        rows = rows.filter(found__isnull=False)
    return {sku: f"sheet:{sheet}" for sku, sheet in rows.values_list("pool_id", "sheet_id")}


def refuse_another(sku: str, warehouse_id: int) -> None:
    """Raises CountWaits."""
    waiting = proposed([sku], warehouse_id) | on_sheets([sku], warehouse_id, counted=True)
    if waiting:
        raise CountWaits(waiting[sku])
