"""Countries by the names people write: ISO 3166-1 codes from CLDR, plus names it has no more or never had."""

from __future__ import annotations

from functools import cache

from babel import Locale

UNKNOWN = "ZZ"  # CLDR's "unknown region": the text as it stood is kept in the address
ALSO = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "usa": "US", "u.s.a.": "US", "united states of america": "US", "america": "US", "uae": "AE", "eire": "IE",
    "republic of ireland": "IE", "rsa": "ZA", "hong kong": "HK", "macau": "MO", "macao": "MO", "holland": "NL",
    "the netherlands": "NL", "czech republic": "CZ", "turkey": "TR", "korea": "KR", "republic of korea": "KR",
    "russian federation": "RU", "viet nam": "VN", "ivory coast": "CI", "burma": "MM", "swaziland": "SZ",
    "macedonia": "MK", "cape verde": "CV", "mainland china": "CN", "p.r. china": "CN", "prc": "CN",
}  # fmt: skip


@cache
def _codes() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in ("en", "zh"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("ZZ", "EU", "UN", "EZ", "QO", "XA", "XB"):
                found.setdefault(_plain(name), code)
                found.setdefault(code.lower(), code)
    return found | ALSO


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("&", "and").split())


@cache
def country_code(name: str) -> str:
    """The alpha-2 code of a country's name, or UNKNOWN."""
    return _codes().get(_plain(name), UNKNOWN)
