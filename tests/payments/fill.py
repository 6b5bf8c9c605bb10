"""Fill the database of the shop where browsers pay: `python -m tests.payments.fill FOLDER`. The browser tests' goods,
and accounts on the practice gateways, whose keys lie in FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.browser import fill  # sets Django up

# Django's models can be imported only now.
from integrations.hub.models import AccountState  # isort: skip
from shop.seed import gateways  # isort: skip


def main(folder: Path) -> None:
    fill.main()
    for account in gateways.connect(folder):
        account.state = AccountState.ACTIVE
        account.save(update_fields=["state"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
