"""Words the pages translate that stand where makemessages does not look: what connectors call their fields.

A connector knows no Django. One that is not listed here is shown in its own words.
"""

from django.utils.translation import gettext_noop

CONNECTORS = (
    gettext_noop("Address"),
    gettext_noop("Application key"),
    gettext_noop("Database"),
    gettext_noop("Folder"),
    gettext_noop("Folder of .eml files"),
    gettext_noop("Host"),
    gettext_noop("Password"),
    gettext_noop("Port"),
    gettext_noop("SMTP server"),
    gettext_noop("Security: starttls, tls or none"),
    gettext_noop("Shipping product"),
    gettext_noop("User"),
    gettext_noop("User name"),
    gettext_noop("Web shop"),
    gettext_noop("A REST application key of the user below"),
    gettext_noop("Code of the service sold"),
    gettext_noop("Groups Sales, Stock and Accounting; not Stock Cancellation"),
    gettext_noop("The name of the web shop in Tryton"),
    gettext_noop("http(s)://host:port of the Tryton server, 8.0 or later"),
    gettext_noop("signs in, reads the version, finds the web shop, checks rights, taxes and rounding"),
    gettext_noop("makes the folder, if it is missing"),
    gettext_noop("connects and signs in; no mail is sent"),
    gettext_noop("Key"),
    gettext_noop("Practice marketplace"),
    gettext_noop("reads one page of orders"),
    gettext_noop("Webhook (Standard Webhooks)"),
    gettext_noop("Signing secret"),
    gettext_noop("whsec_ and at least 24 random bytes in base64"),
    gettext_noop("looks at the address and the secret; nothing is sent"),
    gettext_noop("Alipay"),
    gettext_noop("Alipay, scanned with another device"),
    gettext_noop("asks, signed, for a trade that nobody has, and checks the signature of the answer; no money moves"),
    gettext_noop("Application number (APPID)"),
    gettext_noop("Seller number (PID)"),
    gettext_noop("2088 and twelve digits. Notices for another seller are refused then."),
    gettext_noop("Application's private key"),
    gettext_noop("RSA2, with or without BEGIN and END"),
    gettext_noop("Alipay's public key"),
    gettext_noop("Where the application signs with keys. Not the application's own"),
    gettext_noop("Application's certificate"),
    gettext_noop("appCertPublicKey_….crt, where the application signs with certificates"),
    gettext_noop("Alipay's certificate"),
    gettext_noop("Alipay's root certificates"),
    gettext_noop("All of alipayRootCert.crt"),
    gettext_noop("Gateway address"),
    gettext_noop("Ways to pay: page, wap, qr"),
    gettext_noop("Product of QR codes"),
    gettext_noop("As signed with Alipay: QR_CODE_OFFLINE or FACE_TO_FACE_PAYMENT"),
)

# What an account is for.
KINDS = {
    "erp": gettext_noop("ERP"),
    "channel": gettext_noop("sales channel"),
    "messages": gettext_noop("mail"),
    "alarms": gettext_noop("alarms"),
    "payments": gettext_noop("payments"),
}
