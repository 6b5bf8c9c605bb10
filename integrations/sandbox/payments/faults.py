"""What goes wrong next: how often, for which operation. Every fault is used up when it has struck.

Of operations (`alipay.pay`, `.precreate`, `.query`, `.close`, `.refund`, `.refund_query`; `wechatpay.create`,
`.query`, `.close`, `.refund`, `.refund_query`, `.certificates`, `.login`; `*` for all):

    latency     the answer takes `seconds`                 lose        nothing is done, the line goes dead
    cut         it is done, and the line goes dead         unknown     it is done, and a system error is said
    error       a system error, nothing is done            html_503    a page in HTML, nothing is done
    limited     too many requests                          forged      the reply's signature is wrong
    unsigned    the reply has no signature                 gbk         (Alipay) the reply is written in GBK
    pending     (refunds of Alipay) taken, not yet done    not_enough  (refunds) the merchant's balance is too small
    void        (wechatpay.close) an unknown number is closed as well, and cannot be used after that

Of `notify`: duplicate, late (`seconds`), shuffle (only after the next one), forged (a false one comes first), gbk
(Alipay), stale and signtest (WeChat Pay: an old time, a probe before it), lost. Of `paid`: other_total,
other_currency, other_payee.
"""

from __future__ import annotations

import threading

WITH_DEFAULT_SECONDS = 3.0
OF_OPERATIONS = frozenset(
    ["latency", "lose", "cut", "unknown", "error", "html_503", "limited", "forged", "unsigned", "gbk", "pending"]
    + ["not_enough", "void"]
)
OF_NOTICES = frozenset(["duplicate", "late", "shuffle", "forged", "gbk", "stale", "signtest", "lost"])
OF_PAYMENTS = frozenset(("other_total", "other_currency", "other_payee"))
OPERATIONS = frozenset(
    [f"alipay.{name}" for name in ("pay", "precreate", "query", "close", "refund", "refund_query")]
    + [f"wechatpay.{name}" for name in ("create", "query", "close", "refund", "refund_query", "certificates", "login")]
    + ["*"]
)


class Faults:
    """Counts by operation and fault."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, dict[str, int]] = {}
        self.seconds = WITH_DEFAULT_SECONDS

    def set(self, wanted: dict[str, dict[str, int]], seconds: float | None = None) -> None:
        """Raises ValueError for what there is not."""
        for where, counts in wanted.items():
            known = {"notify": OF_NOTICES, "paid": OF_PAYMENTS}.get(where, OF_OPERATIONS)
            if known is OF_OPERATIONS and where not in OPERATIONS:
                raise ValueError(f"no operation {where}")
            strange = set(counts) - known
            if strange:
                raise ValueError(f"no fault {', '.join(sorted(strange))} of {where}")
        with self._lock:
            for where, counts in wanted.items():
                self._left.setdefault(where, {}).update({name: int(count) for name, count in counts.items()})
            self.seconds = self.seconds if seconds is None else seconds

    def clear(self) -> None:
        with self._lock:
            self._left.clear()
            self.seconds = WITH_DEFAULT_SECONDS

    def left(self) -> dict[str, dict[str, int]]:
        with self._lock:
            return {where: dict(counts) for where, counts in self._left.items()}

    def takes(self, where: str, fault: str) -> bool:
        """Does this one strike now?"""
        with self._lock:
            return self._take(where, fault)

    def take_all(self, where: str) -> list[str]:
        """All that strike now, of this operation and of every one."""
        with self._lock:
            wheres = (where, "*") if where in OPERATIONS else (where,)
            names = sorted({name for place in wheres for name in self._left.get(place, {})})
            return [name for name in names if any([self._take(place, name) for place in wheres])]

    def _take(self, where: str, fault: str) -> bool:
        counts = self._left.get(where, {})
        if counts.get(fault, 0) < 1:
            return False
        counts[fault] -= 1
        return True
