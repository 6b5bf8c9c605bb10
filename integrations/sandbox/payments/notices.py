"""Notices on their way to the merchant: signed when they are sent, and sent again until they are heard."""

from __future__ import annotations

import http.client
import ipaddress
import json
import secrets
import socket
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

from integrations.sandbox.payments.keys import Keys, new_key, private, serial
from integrations.sandbox.payments.signing import alipay_content, seal, sign, wechat_message
from integrations.sandbox.payments.state import Book, Notice, beijing, rfc3339
from integrations.sandbox.payments.trading import Trading
from integrations.sandbox.payments.web import FORM

MINUTE, HOUR = 60, 3600
SCHEDULES = {  # seconds from one try to the next
    "alipay": (4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR),
    "wechatpay": (15, 15, 30, 3 * MINUTE, 10 * MINUTE, 20 * MINUTE, *[30 * MINUTE] * 3, HOUR, *[3 * HOUR] * 3,
                  *[6 * HOUR] * 2),
}  # fmt: skip
PATIENCE = 5.0  # seconds a merchant has to answer
STALE = 600
Parcel = tuple[dict[str, str], bytes]  # headers, body


class Sender:
    """Takes what is due out of the book and sends it."""

    def __init__(self, book: Book, keys: Keys, trading: Trading) -> None:
        self.book, self.keys, self.trading = book, keys, trading
        self._stop = threading.Event()
        self._busy: set[str] = set()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="notices")
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        with self.book.lock:
            self.book.changed.notify_all()
        self._thread.join(PATIENCE)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self.book.lock:
                self.trading.sweep()
                due = [notice for notice in self.book.notices.values() if self._is_due(notice)]
                if not due:
                    self.book.changed.wait(0.2)
                self._busy |= {notice.name for notice in due}
            for notice in sorted(due, key=lambda notice: notice.due_at):
                self._pool.submit(self.send, notice)

    def _is_due(self, notice: Notice) -> bool:
        if notice.state != "waiting" or notice.name in self._busy or notice.due_at > self.book.now():
            return False
        if "shuffle" not in notice.faults or notice.tries:
            return True
        names = list(self.book.notices)
        later = [self.book.notices[name] for name in names[names.index(notice.name) + 1 :]]
        return any(other.tries for other in later)

    def send(self, notice: Notice) -> str:
        """One try, with what goes wrong in it; what was answered."""
        try:
            with self.book.lock:
                first = not notice.tries
                notice.tries += 1
                parcels = self._parcels(notice, first)
            answers = [_post(notice.url, headers, body) for headers, body in parcels]
            with self.book.lock:
                self._note(notice, answers)
                return answers[-1]
        finally:
            with self.book.lock:
                self._busy.discard(notice.name)

    def _note(self, notice: Notice, answers: list[str]) -> None:
        notice.answers.extend(answers)
        schedule = SCHEDULES[notice.provider]
        if _is_heard(notice.provider, answers[-1]):
            notice.state = "heard"
        elif notice.tries > len(schedule):
            notice.state = "given up"
        else:
            notice.due_at = self.book.now() + schedule[notice.tries - 1]
            notice.state = "waiting" if notice.state != "held" else "held"
        self.book.put(notice)

    def _parcels(self, notice: Notice, first: bool) -> list[Parcel]:
        pack = self._alipay if notice.provider == "alipay" else self._wechatpay
        faults = notice.faults if first else []
        sent = [pack(notice, fault) for fault in ("forged", "signtest") if fault in faults]
        sent.append(pack(notice, "stale" if "stale" in faults else ""))
        return sent + ([sent[-1]] if "duplicate" in faults else [])

    def _alipay(self, notice: Notice, fault: str) -> Parcel:
        charset = "GBK" if "gbk" in notice.faults else notice.charset
        key = private(self.keys.alipay.gateway_key)
        said = {name: str(value) for name, value in notice.content.items() if str(value)}
        said |= {"notify_id": notice.name, "notify_time": beijing(self.book.now()), "charset": charset}
        if fault == "forged":
            said["total_amount"], key = "0.01", new_key()
        content = alipay_content(said, ("sign", "sign_type")).encode(charset)
        said |= {"sign_type": "RSA2", "sign": sign(key, content)}
        body = urlencode(said, encoding=charset).encode()
        return {"content-type": f"{FORM}; charset={charset}"}, body

    def _wechatpay(self, notice: Notice, fault: str) -> Parcel:
        ours = self.keys.wechatpay
        content, nonce = notice.content, secrets.token_hex(6)
        sealed = json.dumps(content["resource"], ensure_ascii=False, separators=(",", ":"))
        apiv3_key = secrets.token_hex(16) if fault == "forged" else ours.apiv3_key
        original = content["original_type"]
        body = json.dumps({
            "id": notice.name, "create_time": rfc3339(self.book.now()), "resource_type": "encrypt-resource",
            "event_type": content["event_type"], "summary": content["summary"],
            "resource": {"original_type": original, "algorithm": "AEAD_AES_256_GCM",
                         "ciphertext": seal(apiv3_key, sealed, nonce, original), "associated_data": original,
                         "nonce": nonce},
        }, ensure_ascii=False, separators=(",", ":"))  # fmt: skip
        headers = wechat_signature(self.book, self.keys, notice.certified, body, STALE if fault == "stale" else 0)
        if fault == "forged":
            message = wechat_message(headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], body)
            headers["Wechatpay-Signature"] = sign(new_key(), message)
        if fault == "signtest":
            headers["Wechatpay-Signature"] = f"WECHATPAY/SIGNTEST/{headers['Wechatpay-Signature'][19:]}"
        return {"content-type": "application/json", **headers}, body.encode()


def wechat_signature(book: Book, keys: Keys, certified: bool, body: str, age: int = 0) -> dict[str, str]:
    """The headers that prove a reply or a notice. `certified`: by the platform certificate, while there is one."""
    ours = keys.wechatpay
    certified = certified and book.settings.get("wechatpay_keys") != "public_key"
    timestamp, nonce = str(int(book.now()) - age), secrets.token_hex(16)
    key = private(ours.platform_key if certified else ours.gateway_key)
    return {
        "Wechatpay-Timestamp": timestamp, "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(key, wechat_message(timestamp, nonce, body)),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        "Wechatpay-Serial": serial(ours.platform_cert) if certified else ours.public_key_id,
    }  # fmt: skip


def release(sender: Sender, names: Sequence[str]) -> list[str]:
    """Send these now, in this order, each when the one before is answered."""
    return [sender.send(sender.book.notices[name]) for name in names]


def _is_heard(provider: str, answer: str) -> bool:
    if provider == "alipay":
        return answer == "200 success"
    return answer[:1] == "2" and answer[:3].isdigit()


def _post(url: str, headers: dict[str, str], body: bytes) -> str:
    """What the merchant answered; only addresses of this house are asked, and no redirect is followed."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)[0][4][0]
        if not ipaddress.ip_address(address).is_private:
            return "refused: practice speaks to private addresses only"
        line = (
            http.client.HTTPSConnection(
                parts.hostname or "", port, timeout=PATIENCE, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname or "", port, timeout=PATIENCE)
        )
        line.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body,
                     {"user-agent": "practice-gateway", **headers})  # fmt: skip
        got = line.getresponse()
        text = got.read(200).decode("utf-8", "replace")
        line.close()
        return f"{got.status} {text}".strip()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"no answer: {type(error).__name__}"
