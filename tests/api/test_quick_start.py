"""The quick start of docs/api.md, pasted into a shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from shop.catalogue.models import Product
from shop.order.models import Order
from tests.databases import database_url

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(settings.BASE_DIR) / "docs" / "api.md"


def test_the_quick_start_works_as_pasted(live_server: Any, chair: Product, capfd: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    assert len(blocks) == 4
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "SHOP": live_server.url, "DATABASE_URL": database_url(), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    order = Order.objects.get()
    assert order.source_account == "api:my-program"
    assert order.number in shell.stdout
    assert shell.stdout.rstrip().lower().endswith("idempotency-replayed: true")
