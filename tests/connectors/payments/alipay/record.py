"""Writes the fixtures beside this file and in `certificates`, from what `said.py` says:

    .venv/bin/python -m runtime.environment test -- .venv/bin/python manage.py shell \
        -c "from tests.connectors.payments.alipay import record; record.everything()"

Look through the difference before you keep it: what is wrong in the code would stand in them too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from integrations.hub.testing import fixtures
from integrations.hub.testing.contract import NOON
from integrations.hub.testing.fixtures import Conversation, Exchange, plain
from integrations.hub.testing.remote import conversing
from integrations.hub.values import Inbound
from integrations.payments.providers.alipay import Alipay
from tests.connectors.payments.alipay import said

HERE = Path(__file__).parent


def write(folder: Path, settings: Mapping[str, str], names: Iterable[str], **beside: str) -> None:
    for name in names:
        replies = [{"status": 200, "json": said.signed(node, told, **beside)} for node, told in said.ANSWERS[name]]
        with conversing([Exchange({}, reply) for reply in replies]) as (remote, door):
            returned = said.CALLS[name](Alipay(settings, door, lambda: NOON))
            exchanges = tuple(Exchange(asked, reply) for asked, reply in zip(remote.asked, replies, strict=True))
        fixtures.save(folder / f"{name}.json", Conversation(exchanges, plain(returned)))
    (folder / "inbound").mkdir(exist_ok=True)
    for name, (body, event) in said.NOTICES.items():
        hints = plain(list(Alipay(settings, None, lambda: NOON).parse(Inbound({}, body.encode()))))  # type: ignore[arg-type]
        kept = {
            "now": NOON.isoformat(), "headers": {"content-type": "application/x-www-form-urlencoded"}, "query": "",
            "body": body, "event": event, "hints": hints,
        }  # fmt: skip
        text = json.dumps(kept, ensure_ascii=False, indent=2) + "\n"
        (folder / "inbound" / f"{name}.json").write_text(text, encoding="utf-8")


def everything() -> None:
    write(HERE, said.KEY_MODE, said.CALLS)
    write(HERE / "certificates", said.CERTIFICATE_MODE, said.ONCE, alipay_cert_sn=said.ALIPAY_SN)
