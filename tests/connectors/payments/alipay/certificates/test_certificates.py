"""The same, signing with certificates: two numbers more in each request, one in each answer."""

from __future__ import annotations

from integrations.payments.providers.alipay import Alipay
from tests.connectors.contract import HearingContract, HttpContract
from tests.connectors.payments.alipay import said
from tests.connectors.payments.alipay.test_alipay import ELSEWHERE


class TestCertificates(HttpContract, HearingContract):
    connector = Alipay
    settings = said.CERTIFICATE_MODE
    calls = {name: said.CALLS[name] for name in said.ONCE}
    strictly = ELSEWHERE
    signed_with = "alipay_certificate"
    signed_headers = ()
    too_old = None

    def test_each_request_names_both_certificates(self) -> None:
        for call in self.calls:
            for exchange in self.conversation(call).exchanges:
                assert f"app_cert_sn={said.APP_SN}&" in exchange.request["url"]
                assert f"alipay_root_cert_sn={said.ROOT_SN}&" in exchange.request["url"]
