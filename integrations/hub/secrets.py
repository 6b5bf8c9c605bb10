"""Credentials at rest: sealed with the first key of the ring, unsealed with any."""

from __future__ import annotations

import json
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from integrations.hub.errors import Misconfigured


@cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise Misconfigured(
            "No credential key: set WEFT_KEY_RING or WEFT_KEY_RING_FILE (docs/operations.md says how to make one)."
        )
    return MultiFernet([Fernet(key) for key in keys])


def seal(values: dict[str, str]) -> str:
    """`values` as an encrypted text; '' for none."""
    if not values:
        return ""
    return _ring(tuple(settings.WEFT_KEY_RING)).encrypt(json.dumps(values, sort_keys=True).encode()).decode()


def unseal(sealed: str) -> dict[str, str]:
    """The values of `seal`; raises Misconfigured when no key of the ring fits."""
    if not sealed:
        return {}
    try:
        return dict(json.loads(_ring(tuple(settings.WEFT_KEY_RING)).decrypt(sealed.encode())))
    except InvalidToken:
        raise Misconfigured("The credentials were sealed with a key that is not in WEFT_KEY_RING any more.") from None


def seal_bytes(content: bytes) -> bytes:
    """`content`, encrypted."""
    return _ring(tuple(settings.WEFT_KEY_RING)).encrypt(content)


def unseal_bytes(sealed: bytes) -> bytes:
    """What `seal_bytes` was given; raises Misconfigured when no key of the ring fits."""
    try:
        return _ring(tuple(settings.WEFT_KEY_RING)).decrypt(sealed)
    except InvalidToken:
        raise Misconfigured("The message was sealed with a key that is not in WEFT_KEY_RING any more.") from None


def reseal_bytes(sealed: bytes) -> bytes:
    """The same content, sealed with the first key; raises Misconfigured when no key of the ring fits."""
    return seal_bytes(unseal_bytes(sealed))


def is_newly_sealed(sealed: str) -> bool:
    """Was it sealed with the first key of the ring, the one that seals now?"""
    try:
        Fernet(settings.WEFT_KEY_RING[0]).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def reseal(sealed: str) -> str:
    """The same values, sealed with the first key; raises Misconfigured when no key of the ring fits."""
    return seal(unseal(sealed))
