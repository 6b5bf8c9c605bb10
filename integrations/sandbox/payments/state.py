"""What the gateways remember: trades, refunds, notices, and what time it is here. One lock for all of it."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

BEIJING = timezone(timedelta(hours=8))


@dataclass
class Trade:
    """A payment as a merchant asked for it. Amounts are fen. `made`: asked for, and there is no trade yet."""

    provider: str
    number: str
    product: str  # page, wap, qr · native, h5, jsapi
    total: int
    title: str
    notify_url: str
    made_at: float
    expires_at: float
    state: str = "made"  # made, open, paid, closed
    remote: str = ""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    return_url: str = ""
    quit_url: str = ""
    attach: str = ""
    openid: str = ""
    asked: dict[str, Any] = field(default_factory=dict)  # what a repeated request has to agree with
    charset: str = "utf-8"
    certified: bool = False  # Alipay: asked for in certificate mode; WeChat Pay: by platform certificate
    opened_at: float = 0.0
    pay_at: float = 0.0  # the payer said: later
    paid_at: float = 0.0
    closed_at: float = 0.0
    paid: dict[str, Any] = field(default_factory=dict)  # total, currency, payee, coupon as they came to be

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.number}"


@dataclass
class Refund:
    """`key` is the merchant's number of it. Alipay's is unique within the trade, WeChat Pay's within the merchant."""

    provider: str
    number: str
    name: str
    amount: int
    remote: str
    made_at: float
    state: str = "PROCESSING"  # SUCCESS, ABNORMAL, CLOSED
    reason: str = ""
    notify_url: str = ""
    settle_at: float = 0.0  # 0: when somebody says so
    done_at: float = 0.0
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.number}:{self.name}"


@dataclass
class Notice:
    """Something to be told to the merchant, again and again until it is heard."""

    name: str
    provider: str
    number: str
    what: str
    url: str
    content: dict[str, Any]
    due_at: float
    charset: str = "utf-8"
    certified: bool = False
    tries: int = 0
    state: str = "waiting"  # waiting, held, heard, given up, lost
    answers: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.name


KINDS: dict[str, type[Trade] | type[Refund] | type[Notice]] = {"trade": Trade, "refund": Refund, "notice": Notice}
Thing = Trade | Refund | Notice


class Book:
    """Everything, in the order it came. Callers hold the lock."""

    def __init__(self, file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.trades: dict[str, Trade] = {}
        self.refunds: dict[str, Refund] = {}
        self.notices: dict[str, Notice] = {}
        self.settings: dict[str, Any] = {}
        self.nonces: dict[str, float] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self._disk = _open(file) if file else None
        self._load()

    def now(self) -> float:
        """What time it is here: the machine's, shifted by what was set."""
        return time.time() + float(self.settings.get("offset", 0))

    def put(self, thing: Thing) -> None:
        """Remember it as it is now, also after this process."""
        kind = type(thing).__name__.lower()
        shelf: dict[str, Any] = getattr(self, f"{kind}s")
        shelf[thing.key] = thing
        self._write(kind, thing.key, asdict(thing))
        self.changed.notify_all()

    def set(self, name: str, value: Any) -> None:
        self.settings[name] = value
        self._write("setting", name, value)
        self.changed.notify_all()

    def trade(self, provider: str, number: str = "", remote: str = "") -> Trade | None:
        """By the merchant's number or by the provider's."""
        if remote:
            return next((t for t in self.trades.values() if t.provider == provider and t.remote == remote), None)
        return self.trades.get(f"{provider}:{number}")

    def by_token(self, token: str) -> Trade | None:
        return next((trade for trade in self.trades.values() if trade.token == token), None)

    def refunds_of(self, trade: Trade) -> list[Refund]:
        return [r for r in self.refunds.values() if (r.provider, r.number) == (trade.provider, trade.number)]

    def refunded(self, trade: Trade, *states: str) -> int:
        """How much of it was given back, or is about to be."""
        return sum(refund.amount for refund in self.refunds_of(trade) if refund.state in (states or ("SUCCESS",)))

    def _write(self, kind: str, key: str, value: Any) -> None:
        if self._disk:
            row = (kind, key, json.dumps(value, ensure_ascii=False))
            self._disk.execute(
                "INSERT INTO thing (kind, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value", row,
            )  # fmt: skip

    def _load(self) -> None:
        rows = self._disk.execute("SELECT kind, key, value FROM thing ORDER BY id") if self._disk else ()
        for kind, key, value in rows:
            if kind == "setting":
                self.settings[key] = json.loads(value)
            else:
                shelf: dict[str, Any] = getattr(self, f"{kind}s")
                shelf[key] = KINDS[kind](**json.loads(value))


def _open(file: Path) -> sqlite3.Connection:
    """A file that survives a killed process (not a power cut: this is practice)."""
    disk = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    disk.execute("PRAGMA journal_mode = WAL")
    disk.execute("PRAGMA synchronous = OFF")
    disk.execute(
        "CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY, kind TEXT, key TEXT, value TEXT, UNIQUE (kind, key))"
    )
    return disk


def beijing(at: float) -> str:
    """As Alipay writes times."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(at: float) -> str:
    """As WeChat Pay writes times."""
    return datetime.fromtimestamp(at, BEIJING).isoformat(timespec="seconds")


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"
