"""Our numbers at providers, and the tokens of buyers' pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from django.utils.crypto import salted_hmac

LETTERS = 26


def new_number() -> str:
    """26 random base32 characters, never from a sequence: two installs, or a restored database, on one merchant's
    account must not meet."""
    return base64.b32encode(secrets.token_bytes(20)).decode()[:LETTERS]


def page_token(number: str) -> str:
    """The 256-bit token of an attempt's pages; made from the key of this installation, kept nowhere."""
    digest = salted_hmac("shop.payments.page", number, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_page_token(number: str, token: str) -> bool:
    return hmac.compare_digest(page_token(number).encode(), token.encode())


def digest(*facts: object) -> str:
    """What somebody approves, so that nothing else is done in its place."""
    return hashlib.sha256("\x1f".join(map(str, facts)).encode()).hexdigest()
