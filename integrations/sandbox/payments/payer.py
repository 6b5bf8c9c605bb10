"""The one person who pays here. Nobody real; recognisable, so that a test can prove that nothing of it is kept."""

from __future__ import annotations

ALIPAY_USER_ID = "2088990000990017"
ALIPAY_OPEN_ID = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"
ALIPAY_LOGON_ID = "199****9017"  # masked as Alipay does it
OPENID = "oPractice0Payer0LinXiaoyang1"
NAME = "林小样"
PHONE = "19900009017"
CARD = "6222990099009900177"
BANK = "练习银行借记卡"
RECEIVED_ACCOUNT = f"{BANK}{CARD[-4:]}"

EVERYTHING = (
    ALIPAY_USER_ID, ALIPAY_OPEN_ID, ALIPAY_LOGON_ID, OPENID, NAME, PHONE, CARD, RECEIVED_ACCOUNT,
)  # fmt: skip
