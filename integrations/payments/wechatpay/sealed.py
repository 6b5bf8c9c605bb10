"""What WeChat Pay encrypts for the merchant: contents of notices, platform certificates. AEAD_AES_256_GCM."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from integrations.hub.answers import Unfit, text

ALGORITHM = "AEAD_AES_256_GCM"
KEY_BYTES = 32


class WrongKey(Unfit):
    """It was encrypted with another key, or is damaged."""


def opened(sealed: Any, key: str) -> bytes:
    """The content of `{algorithm, nonce, associated_data, ciphertext}`. Raises Unfit; WrongKey where the key is none
    of its."""
    if sealed.get("algorithm", ALGORITHM) != ALGORITHM:
        raise Unfit("algorithm is another")
    nonce, extra = text(sealed, "nonce").encode(), sealed.get("associated_data") or ""
    try:
        cipher = b64decode(text(sealed, "ciphertext"), validate=True)
        return AESGCM(key.encode()).decrypt(nonce, cipher, extra.encode() or None)
    except (InvalidTag, ValueError) as error:
        if isinstance(error, Unfit):
            raise
        raise WrongKey("ciphertext cannot be opened with the APIv3 key") from None
