"""What Alipay's gateway answered, and whether Alipay signed it.

The signature is over the raw characters of the answer's node, in the answer's own charset: mostly UTF-8, at times GBK
whatever was asked for. So the node is cut out of what came, never written anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from integrations.payments.alipay.keys import holds

ERROR = "error_response"
WHITESPACE = re.compile("[ \\t\\n\\r]*")
CHARSETS = ("utf-8", "gb18030")  # the second one reads GBK and GB2312, too
# Amounts and codes are texts; where one comes as a number, its digits are kept as they stand.
DECODER = json.JSONDecoder(parse_float=str, parse_int=str)


class Proof(Enum):
    """Did Alipay sign it?"""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    WRONG = "wrong"  # signed by somebody, or for something else


@dataclass(frozen=True, slots=True)
class Said:
    """The node of an answer: `is_error` where it is not that of the method. `certificate`: whom it names as signer."""

    proof: Proof
    told: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = False
    certificate: str = ""


def read(body: bytes, node: str, key: RSAPublicKey) -> Said | None:
    """The answer's node; None: this is no answer of the gateway's."""
    first = None
    for charset in CHARSETS:
        said = _read(body, charset, node, key)
        if said and said.proof is Proof.SIGNED:
            return said
        first = first or said
    return first


def _read(body: bytes, charset: str, node: str, key: RSAPublicKey) -> Said | None:
    try:
        parts = dict(_parts(body.decode(charset)))
        name = node if node in parts else ERROR
        told, raw = parts[name]
    except (ValueError, KeyError, IndexError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    signature, certificate = (_text(parts.get(each)) for each in ("sign", "alipay_cert_sn"))
    if not signature:
        return Said(Proof.UNSIGNED, told, name == ERROR)
    if holds(key, signature, raw.encode(charset)):
        return Said(Proof.SIGNED, told, name == ERROR, certificate)
    # Some answers are signed before their slashes are escaped; Alipay's own libraries try both.
    plain = raw.replace("\\/", "/")
    if plain != raw and holds(key, signature, plain.encode(charset)):
        return Said(Proof.SIGNED, DECODER.decode(plain), name == ERROR, certificate)
    return Said(Proof.WRONG, told, name == ERROR, certificate)


def _text(part: tuple[Any, str] | None) -> str:
    return part[0] if part and isinstance(part[0], str) else ""


def _parts(text: str) -> Iterator[tuple[str, tuple[Any, str]]]:
    """The members of the object that the text is: name, value, and the value as it stands there.

    Raises ValueError for what is no such object, and for a name that stands there twice.
    """
    at, seen = _expect(text, 0, "{"), set()
    while True:
        name, at = DECODER.raw_decode(text, at)
        if not isinstance(name, str) or name in seen:
            raise ValueError("not a name, or one that was there before")
        seen.add(name)
        start = _expect(text, at, ":")
        value, at = DECODER.raw_decode(text, start)
        yield name, (value, text[start:at])
        at = _skip(text, at)
        if text[at] == "}":
            break
        at = _expect(text, at, ",")
    if _skip(text, at + 1) != len(text):
        raise ValueError("more after its end")


def _expect(text: str, at: int, sign: str) -> int:
    """Where to go on behind this sign. Raises ValueError where another stands."""
    at = _skip(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"no {sign}")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = WHITESPACE.match(text, at)
    return found.end() if found else at
