"""Patterns of what must not be read in a log, whoever wrote it: a second net behind the allow-list."""

from __future__ import annotations

import re

HIDDEN = "***"
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*", re.UNICODE)
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ -]?\d){9,14}(?![\w.])")
_NAMED = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|api[_-]?key|key|cookie|authorization|session(?:id)?|csrf\w*)"
    r"(['\"]?\s*[:=]\s*['\"]?)(?!\s)[^\s'\",;&]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic|session)\s+[\w.+/=~-]{6,}")
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
# Addresses that are keys: whoever reads one sees the order, or sets the password.
_KEYS = re.compile(r"/(order|checkout/pay|account/password|hooks)/[^\s?]+")


def masked(text: str) -> str:
    """One line, with e-mail addresses, phone numbers, credentials and long secrets hidden."""
    text = _CONTROL.sub(" ", text)
    text = _KEYS.sub(r"/\1/…", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _NAMED.sub(rf"\1\2{HIDDEN}", text)
    text = _EMAIL.sub(HIDDEN, text)
    text = _LONG.sub(_if_secret, text)
    return _PHONE.sub(HIDDEN, text)


def _if_secret(found: re.Match[str]) -> str:
    """Long words of small letters are words; with digits among them, or capitals without a break, they are keys."""
    parts = re.split(r"[/_-]", found[0])
    longest = max(parts, key=len)
    mixed = any(c.isdigit() for c in found[0]) and any(c.isalpha() for c in found[0])
    is_key = len(longest) >= 16 and (any(c.isdigit() for c in longest) or longest != longest.lower())
    return HIDDEN if is_key or mixed and len(found[0]) >= 32 and "/" not in found[0] else found[0]
