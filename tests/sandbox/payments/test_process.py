"""The process: its files, its end, its beginning again, many at once, and the person who pays."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlencode

from integrations.sandbox.payments import faults, payer
from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import ROOT, Gateways, Merchant, fetch


def test_a_killed_process_remembers(own: Gateways) -> None:
    """Trades, refunds, notices, the clock, what was rotated; and the keys are the same."""
    alipay, wechat = clients.alipay(own), clients.wechatpay(own, clients.PUBLIC_KEY)
    paid, waiting = clients.number("PAID"), clients.number("WAITING")
    alipay.api_alipay_trade_precreate("椅子", paid, "10.00", notify_url="http://127.0.0.1:9/n")
    wechat.pay("椅子", waiting, {"total": 100})
    own.pay("alipay", paid)
    alipay.api_alipay_trade_refund("4.00", paid, out_request_no="R1")
    own.ask("clock", {"offset": 50})
    own.ask("notices", {"hold": True})
    own.ask("rotate", {"provider": "wechatpay", "to": "public_key"})
    before, given = own.ask("trades"), own.alipay
    own.stop(signal.SIGKILL)
    own.start()
    assert own.ask("trades") == before and own.alipay == given
    assert own.ask("clock")["offset"] == 50 and own.ask("notices")["hold"] is True
    assert len(own.notices()) == 2
    assert clients.raw_wechatpay(own, "GET", "/v3/certificates")[0] == 404
    assert alipay.api_alipay_trade_refund("4.00", paid, out_request_no="R1")["fund_change"] == "N"
    assert wechat.query(out_trade_no=waiting)[0] == 200


def test_files_are_their_owners(own: Gateways) -> None:
    for name in ("gateway.json", "alipay.json", "wechatpay.json"):
        assert stat.S_IMODE((own.folder / name).stat().st_mode) == 0o600
    for given in (own.alipay, own.wechatpay):
        assert "gateway_key" not in given and "platform_key" not in given


def test_it_ends_when_it_is_told(own: Gateways) -> None:
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(5) == 0
    own.start()


def test_many_at_once(gateways: Gateways) -> None:
    """Forty refunds of a tenth each, at once: ten are taken. And one refund forty times is one."""
    client, number = clients.wechatpay(gateways, clients.PUBLIC_KEY), clients.number("MANY")
    client.pay("椅子", number, {"total": 1000})
    gateways.pay("wechatpay", number)

    def refund(name: str) -> int:
        amount = {"refund": 100, "total": 1000, "currency": "CNY"}
        return client.refund(f"{number}{name}", amount, out_trade_no=number)[0]

    with ThreadPoolExecutor(20) as pool:
        same = list(pool.map(refund, ["SAME"] * 20))
        other = list(pool.map(refund, [f"{count:02}" for count in range(40)]))
    assert set(same) == {200} and sorted(other) == [200] * 9 + [400] * 31
    assert len(gateways.trade("wechatpay", number)["refunds"]) == 10


def test_the_payer_is_told_of_as_the_real_ones_tell(gateways: Gateways, merchant: Merchant) -> None:
    """So that other tests may prove that none of it is kept."""
    alipay, number = clients.alipay(gateways), clients.number("PAYER")
    wechat = clients.wechatpay(gateways, clients.PUBLIC_KEY, notify_url=merchant.url)
    alipay.api_alipay_trade_precreate("椅子", number, "1.00", notify_url=merchant.url)
    wechat.pay("椅子", number, {"total": 100})
    gateways.pay("alipay", number)
    notice = merchant.wait(1)[0][1].decode()
    assert payer.ALIPAY_USER_ID in notice and payer.ALIPAY_OPEN_ID in notice
    seen = alipay.api_alipay_trade_query(number)
    assert (seen["buyer_user_id"], seen["buyer_user_name"]) == (payer.ALIPAY_USER_ID, payer.NAME)
    assert seen["buyer_logon_id"] == payer.ALIPAY_LOGON_ID
    gateways.pay("wechatpay", number)
    assert wechat.callback(*merchant.wait(2)[1])["resource"]["payer"] == {"openid": payer.OPENID}
    amount = {"refund": 100, "total": 100, "currency": "CNY"}
    refund = json.loads(wechat.refund(f"{number}R", amount, out_trade_no=number)[1])
    assert refund["user_received_account"] == payer.RECEIVED_ACCOUNT


def test_what_the_page_about_it_names() -> None:
    """The payer, every fault, every operation."""
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    operations = {name.rpartition(".")[2] for name in faults.OPERATIONS}
    words = {*faults.OF_OPERATIONS, *faults.OF_NOTICES, *faults.OF_PAYMENTS, *operations}
    assert not [word for word in words if f"`{word}`" not in text]
    assert not [constant for constant in payer.EVERYTHING if constant not in text]


def test_notices_stay_in_the_house(gateways: Gateways) -> None:
    client, number = clients.alipay(gateways), clients.number("HOUSE")
    client.api_alipay_trade_precreate("椅子", number, "1.00", notify_url="http://1.1.1.1:9/n")
    gateways.ask("notices", {"hold": True})
    gateways.pay("alipay", number)
    name = next(notice["name"] for notice in gateways.notices() if notice["number"] == number)
    assert gateways.ask("notices", {"release": [name]})["released"][name].startswith("refused")


def test_the_charset_belongs_into_the_address(gateways: Gateways, merchant: Merchant) -> None:
    """Where it stands in the body only, Alipay reads GBK, and writes it."""
    client, number = clients.alipay(gateways), clients.number("INBODY")
    given = {"out_trade_no": number, "total_amount": "1.00", "subject": "chair"}
    signed = client.sign_data(client.build_body("alipay.trade.precreate", given, notify_url=merchant.url))
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(gateways.alipay["gateway"], signed.encode(), form)
    assert '"code":"10000"' in fetch(request)[1]
    gateways.pay("alipay", number)
    assert dict(parse_qsl(merchant.wait(1)[0][1].decode(), encoding="gbk"))["charset"].upper() == "GBK"


def test_it_needs_nothing_of_weft(own: Gateways) -> None:
    """Started where there is nothing but its own files, with no Django to be had."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('django', 'requests', 'integrations.hub')));"
        "import integrations.sandbox.payments.server as server;"
        "print(*(name for name in sys.modules if name.startswith(('integrations.', 'shop', 'erp'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split() if name != "integrations.hub"]
    assert all(name.startswith("integrations.sandbox") for name in names)


def test_whole_addresses_in_the_request_line(gateways: Gateways) -> None:
    """As Alipay's Python client sends them."""
    client = clients.alipay(gateways)
    query = client.sign_data(client.build_body("alipay.trade.query", {"out_trade_no": "NONE"}))
    with socket.create_connection(("127.0.0.1", gateways.port), timeout=10) as line:
        line.sendall(f"GET {gateways.alipay['gateway']}?{query} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        got = b"".join(iter(lambda: line.recv(65536), b""))
    assert b"ACQ.TRADE_NOT_EXIST" in got
    assert fetch(f"{gateways.base}/scan?{urlencode({'code': 'x'})}")[0] == 404
