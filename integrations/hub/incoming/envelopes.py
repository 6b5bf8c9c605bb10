"""A message as it is kept: what `parse` needs of the headers, query and body, sealed together with the key ring.

What is sealed is one line of JSON and the body. Rows live long: `VERSION` is the form that is written now, `upgrade`
reads the one before, and workers claim only rows whose version they know.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from integrations.hub import secrets
from integrations.hub.values import Inbound

VERSION = 1


def seal(inbound: Inbound, keeps: Collection[str]) -> bytes:
    """The message with only those of its headers."""
    headers = {name: value for name in keeps if (value := inbound.headers.get(name)) is not None}
    return secrets.seal_bytes(json.dumps({"headers": headers, "query": inbound.query}).encode() + b"\n" + inbound.body)


def unseal(sealed: bytes, version: int) -> Inbound:
    """What was sent. Raises Misconfigured when the key ring does not fit."""
    head, _line, body = secrets.unseal_bytes(sealed).partition(b"\n")
    values = json.loads(head)
    for older in range(version, VERSION):
        values = upgrade(older, values)
    return Inbound(headers=values["headers"], body=body, query=values["query"])


def upgrade(version: int, values: dict[str, Any]) -> dict[str, Any]:
    """The line of JSON as written by `version` (one older), in today's form."""
    return values
