"""Alipay through the contract tests, signing with keys. With certificates: `certificates/`."""

from __future__ import annotations

from integrations.hub.errors import Misconfigured, OutcomeUnknown
from integrations.hub.testing import failures
from integrations.payments.providers.alipay import Alipay
from tests.connectors.contract import HearingContract, HttpContract
from tests.connectors.payments.alipay import said

# Alipay's gateway says 200 whatever it refuses: of another 4xx the address is to blame, not the document.
ELSEWHERE = {(call, failing): (Misconfigured,) for call in said.CALLS for failing in ("409", "422")}
# Alipay took the refund and moved no money by it: whatever happens to the question why leaves it in doubt.
IN_DOUBT = {
    ("refund-again", name): (*ELSEWHERE.get(("refund-again", name), failures.allowed(name, True)), OutcomeUnknown)
    for name in failures.NAMES
}


class TestAlipay(HttpContract, HearingContract):
    connector = Alipay
    settings = said.KEY_MODE
    calls = said.CALLS
    strictly = {**ELSEWHERE, **IN_DOUBT}
    signed_with = "alipay_public_key"
    signed_headers = ()
    too_old = None  # sent again for 25 hours, and its time is no part of any promise
