"""The contract tests of connectors that are sent something: accepted, forged, stale, sent twice, not understood."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from integrations.hub.errors import Forged, HubError
from integrations.hub.testing import fixtures, watching
from integrations.hub.testing.contract import Contract
from integrations.hub.testing.failures import spoilt
from integrations.hub.testing.fixtures import plain
from integrations.hub.testing.typed import ill_typed
from integrations.hub.values import Inbound


class HearingContract(Contract):
    """For connectors that the remote sends something: `inbound/*.json` beside the test module.

        {"now": "2026-11-22T12:00:00+00:00", "headers": {...}, "query": "", "body": "...",
         "event": "evt_1", "hints": [{"kind": "...", "key": "...", "facts": {}}]}

    `signed_with` is the secret field, `signed_headers` what carries the signature; `too_old` the seconds after which a
    message no longer counts, None where the remote signs no time.
    """

    hears = True
    signed_with: ClassVar[str]
    signed_headers: ClassVar[tuple[str, ...]]
    too_old: ClassVar[float | None]

    @classmethod
    def sent(cls) -> list[dict[str, Any]]:
        files = sorted((cls.folder() / "inbound").glob("*.json"))
        assert files, f"no message in {cls.folder() / 'inbound'}"
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    @classmethod
    def hearing(cls, kept: Mapping[str, Any], late: float = 0, **settings: str) -> Any:
        """The connector at the message's time, or so much later. Without a door: hearing asks nobody."""
        now = datetime.fromisoformat(kept["now"]).timestamp() + late
        moment = datetime.fromtimestamp(now, UTC)
        return cls.connector({**cls.settings, **settings}, None, lambda: moment)  # type: ignore[arg-type]

    def refuses(self, kept: Mapping[str, Any], inbound: Inbound, late: float = 0, **settings: str) -> None:
        with watching.logs() as watcher, pytest.raises(Forged) as refused:
            self.hearing(kept, late, **settings).verify(inbound)
        assert watching.leaked(self.secrets(), "\n".join(watcher.lines), watching.shown(refused.value)) == []

    # --- tests ---

    def test_what_the_remote_sent_is_accepted_and_understood(self) -> None:
        for kept in self.sent():
            inbound = _inbound(kept)
            assert self.hearing(kept).verify(inbound).event == kept["event"]
            assert plain(list(self.hearing(kept).parse(inbound))) == kept["hints"]

    def test_what_it_did_not_send_is_refused(self) -> None:
        for kept in self.sent():
            body = kept["body"].encode()
            for forged in (body + b" ", b"", body[:-1], body.replace(b"1", b"2", 1) if b"1" in body else body[1:]):
                self.refuses(kept, _inbound(kept, body=forged))
            for name in self.signed_headers:
                value = kept["headers"][name]
                for wrong in (value[:-1] + ("0" if value[-1] != "0" else "1"), "", "x", "é"):
                    self.refuses(kept, _inbound(kept, headers={**kept["headers"], name: wrong}))
                self.refuses(kept, _inbound(kept, headers={k: v for k, v in kept["headers"].items() if k != name}))
            self.refuses(kept, _inbound(kept), 0, **{self.signed_with: "another-secret-altogether"})

    def test_what_it_sent_long_ago_is_refused(self) -> None:
        for kept in self.sent():
            if self.too_old is None:
                assert self.hearing(kept, late=365 * 86400).verify(_inbound(kept)).event == kept["event"]
            else:
                self.hearing(kept, late=self.too_old - 1).verify(_inbound(kept))
                self.refuses(kept, _inbound(kept), late=self.too_old + 1)

    def test_what_it_sends_twice_is_the_same_event(self) -> None:
        for kept in self.sent():
            inbound = _inbound(kept)
            first, second = self.hearing(kept), self.hearing(kept, late=1)
            assert first.verify(inbound) == second.verify(inbound)
            assert plain(list(first.parse(inbound))) == plain(list(second.parse(inbound)))

    def test_what_cannot_be_understood_is_said(self) -> None:
        for kept in self.sent():
            exchange = fixtures.Exchange(
                {"writes": False}, {"status": 200} | fixtures.body_as_kept(kept["body"].encode())
            )
            bodies = [fixtures.body_of(reply) for _where, reply in spoilt(exchange)]
            for body in (*bodies, b"", b"\xff\xfe", b"<html>"):
                self._understood_or_said(kept, body)

    def _understood_or_said(self, kept: Mapping[str, Any], body: bytes) -> None:
        try:
            hints = list(self.hearing(kept).parse(_inbound(kept, body=body)))
        except HubError as error:
            assert watching.leaked(self.secrets(), watching.shown(error)) == []
        else:
            assert ill_typed(hints) == [], body

    def test_it_answers_so_that_the_remote_stops_or_tries_again(self) -> None:
        made = self.made()
        assert 200 <= made.answer(True).status < 300
        assert made.answer(False).status >= 400


def _inbound(kept: Mapping[str, Any], **other: Any) -> Inbound:
    whole = {"headers": kept["headers"], "body": kept["body"].encode(), "query": kept.get("query", ""), **other}
    return Inbound(**whole)
