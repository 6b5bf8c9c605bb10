"""WeChat Pay's side in these tests, written apart from the connector: it signs, seals, and checks what we sign.

The platform's key and certificate are those that wechatpay-apiv3/wechatpay-go @ 6dbd7ce2ec59 (Apache-2.0) publishes in
its tests (core/auth/signers/sha256withrsa_signer_test.go, core/notify/notify_test.go); the merchant's were made for
these tests. Their armour says TESTING KEY, so that nothing takes them for secrets.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from integrations.hub.testing.fixtures import Exchange, body_of

PLATFORM_TESTING_KEY = """\
-----BEGIN TESTING KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDZUJN33V+dSfvd
fL0Mu+39XrZNXFFMQSy1V15FpncHeV47SmV0TzTqZc7hHB0ddqAdDi8Z5k3TKqb7
6sOwYr5TcAfuR6PIPaleyE0/0KrljBum2Isa2Nyq7Dgc3ElBQ6YN4l/a+DpvKaz1
FSKmKrhLNskqokWVSlu4g8OlKlbPXQ9ibII14MZRQrrkTmHYHzfi7GXXM0thAKuR
0HNvyhTHBh4/lrYM3GaMvmWwkwvsMavnOex6+eioZHBOb1/EIZ/LzC6zuHArPpyW
3daGaZ1rtQB1vVzTyERAVVFsXXgBHvfFud3w3ShsJYk8JvMwK2RpJ5/gV0QSARcm
LDRUAlPzAgMBAAECggEBAMc7rDeUaXiWv6bMGbZ3BTXpg1FhdddnWUnYE8HfX/km
OFI7XtBHXcgYFpcjYz4D5787pcsk7ezPidAj58zqenuclmjKnUmT3pfbI5eCA2v4
C9HnbYDrmUPK1ZcADtka4D6ScDccpNYNa1g2TFHzkIrEa6H+q7S3O2fqxY/DRVtN
0JIXalBb8daaqL5QVzSmM2BMVnHy+YITJWIkP2a3pKs9C0W65JGDsnG0wVrHinHF
+cnhFZIbaPEI//DAFMc9NkrWOKVRTEgcCUxCFaHOZVNxDWZD7A2ZfJB2rK6eg//y
gEiFDR2h6mTaDowMB4YF2n2dsIO4/dCG8vPHI20jn4ECgYEA/ZGu6lEMlO0XZnam
AZGtiNgLcCfM/C2ZERZE7QTRPZH1WdK92Al9ndldsswFw4baJrJLCmghjF/iG4zi
hhBvLnOLksnZUfjdumxoHDWXo2QBWbI5QsWIE7AuTiWgWj1I7X4fCXSQf6i+M/y2
6TogQ7d0ANpZFyOkTNMn/tiJvLECgYEA22XqlamG/yfAGWery5KNH2DGlTIyd6xJ
WtJ9j3jU99lZ0bCQ5xhiBbU9ImxCi3zgTsoqLWgA/p00HhNFNoUcTl9ofc0G3zwT
D1y0ZzcnVKxGJdZ6ohW52V0hJStAigtjYAsUgjm7//FH7PiQDBDP1Wa6xSRkDQU/
aSbQxvEE8+MCgYEA3bb8krW7opyM0XL9RHH0oqsFlVO30Oit5lrqebS0oHl3Zsr2
ZGgoBlWBsEzk3UqUhTFwm/DhJLTSJ/TQPRkxnhQ5/mewNhS9C7yua7wQkzVmWN+V
YeUGTvDGDF6qDz12/vJAgSwDDRym8x4NcXD5tTw7mmNRcwIfL22SkysThIECgYAV
BgccoEoXWS/HP2/u6fQr9ZIR6eV8Ij5FPbZacTG3LlS1Cz5XZra95UgebFFUHHtC
EY1JHJY7z8SWvTH8r3Su7eWNaIAoFBGffzqqSVazfm6aYZsOvRY6BfqPHT3p/H1h
Tq6AbBffxrcltgvXnCTORjHPglU0CjSxVs7awW3AEQKBgB5WtaC8VLROM7rkfVIq
+RXqE5vtJfa3e3N7W3RqxKp4zHFAPfr82FK5CX2bppEaxY7SEZVvVInKDc5gKdG/
jWNRBmvvftZhY59PILHO2X5vO4FXh7suEjy6VIh0gsnK36mmRboYIBGsNuDHjXLe
BDa+8mDLkWu5nHEhOxy2JJZl
-----END TESTING KEY-----
"""
PLATFORM_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIDVzCCAj+gAwIBAgIJANfOWdH1ItcBMA0GCSqGSIb3DQEBCwUAMEIxCzAJBgNV
BAYTAlhYMRUwEwYDVQQHDAxEZWZhdWx0IENpdHkxHDAaBgNVBAoME0RlZmF1bHQg
Q29tcGFueSBMdGQwHhcNMjEwNDI3MDg1NTIzWhcNMzEwNDI1MDg1NTIzWjBCMQsw
CQYDVQQGEwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQKDBNEZWZh
dWx0IENvbXBhbnkgTHRkMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA
2VCTd91fnUn73Xy9DLvt/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXag
HQ4vGeZN0yqm++rDsGK+U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOm
DeJf2vg6byms9RUipiq4SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B83
4uxl1zNLYQCrkdBzb8oUxwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGf
y8wus7hwKz6clt3Whmmda7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtk
aSef4FdEEgEXJiw0VAJT8wIDAQABo1AwTjAdBgNVHQ4EFgQUT1c7nd/SUO76HSoZ
umNUJv1R5PwwHwYDVR0jBBgwFoAUT1c7nd/SUO76HSoZumNUJv1R5PwwDAYDVR0T
BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAfTjxKRQMzNB/U6ZoCUS+BSNfa2Oh
0plMN6ZuzwiVVZwg1jywvv5yv04koS7Pd4i9E4gt9ZBUQXlpq+A3oOCEEHNRR6b2
kyazGRM7s0OP5X21WrbpSmKmU6K7hkfx30yYs08LVs/Q8DIhvaj1FCFeJzUCzYn/
fHMq4tsbKO0dKAeydPM/nrUZBmaYQVKMVOORGLFjFKVO7JV6Kq/R86ouhjEPgJOe
2xulNBUcjicqtZlBdEh/PWCYP2SpGVDclKm8jeo175T3EVAkdKzzmfpxtMmnMlmq
cTJOU9TxuGvNASMtjj7pYIerTx+xgZDXEVBWFW9PjJ0TV06tCRsgSHItgg==
-----END CERTIFICATE-----
"""
PLATFORM_SERIAL = "D7CE59D1F522D701"
MERCHANT_TESTING_KEY = """\
-----BEGIN TESTING KEY-----
MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDj68NG7PzCAfX/
akCCATv7bysHSuBGCmqwECc9FjDQwxueyfNuwH/9Y/gOLtJcvxcsGuqH8pTkqFRS
EwbV27xFlWgm7bZGQeFi0w1W64o5tq4t2p5cc+Siwwx8f0wcJlVJizCdhEOrHSC2
k/UrMgltN679Kglps9bqVeNxDw5reabJIYZYBULnqmpG20CZPoUSZCrJbAGrzekH
5Neu9AxfPZgWBUOYmquPazH1Il58voTidgO5PwTXHG5vL0NEPD0hyeG6Aqe+gqYw
jCuBcwT/ryJQ1l6/zGDBWcTTEnIWlfzLP1Zg7HSlGqVIaSzHOfUuf24/pbWnxVpl
PxhlzRGhAgMBAAECggEAIU+dgb80jdJQNsfmV68rKhYBpEDgQxGrWBd0SgGf7tL6
isbvSi+I7+rCyqfd3OpHeQ28sKkr87ivt4h1BkqQMLH5FT9xgBaJhLJd5RHrE4D3
N1fCr2EiIwZTdoVQWrOLjC0d/4I2NaBoiJFaqA6EbC79kfNT3twG5sbYxUxdtNKT
M38EgubTtEJuxnFtFGp3rQOlt0h8I7oQ8pvrtGtl4Ss+sqXrXErLKAi1KYAhea2o
HhyeglVcqnkPlxC80JuEmPWd+g3Jzwx2Kn9QwkrPim+6Y8gp9VyZgFoC/HfuU00d
1a77PY6zUK5CPRqIP3wd3qD5Bupp434AanBC2sx21QKBgQD0JvIaLKIJcHjdfT6n
5747qok1diIm/N50iZtyncdVLtQtkN2YSunwdz52c092dL9dJR0oxKo9WK19qogB
WBoAsgXgXn6iuuoGr1z53rCeCK6InqEKUU6SXjVgWmb1Mw9CVHBvn+LuRWjEJXmI
8tjpMI/H/rjKpwHOIPPj3bXW9wKBgQDu+y4l+kf0pnO+LGXvSLwJc/Q49tx3mcnw
Zj6tg83RYBSbI67WEeXg+udFzghRAtNxueN2cgOtsF3egqEBsC9jod99wzkCb07A
ujT1xx6dYiA20cISeSG1aqpbXxFQdBJkHVJ/ia/r72GxFKAeJlB1LagsP3YmAoEJ
KwTH2WK+JwKBgQDWllhZmvr78ue4PDlSmAOCK5wW6fKQc9YNdViz/2rQOq1wMxAg
p08/835p22VvBqOe+VzMlTXPX150wepxy/5muBEkJ8mDu2avY3gDga+X5qeIGmwO
RnIZgUXGnw442pzBvrdn1I4+v7CaHRnZvR/arLzimcXPD8QtaJcToq0M9wKBgQDK
YKW8/Y0v7kG3+4s7LuImMy7PiqY7Fl4/maZcdHC4bWAl3PrzR+bfNjriD09Vo0oC
VgP9SyI4VVG42/CTKGuJOQy1SLyfhjkv1sCAnmYbq3xSUCHEWRYltrWbeQ+FjTYB
2B8D6Eq1R1v4hNnvjky2Xrq69ecM2zQA2pBK2ZnYIwKBgQC13nd9ORQNyfOAnrN0
iKZxd66/BuS+nge8iaw+gQw90K9IWx2mhV+bYbBmrICSQjsOfohA872YKhsFyNZi
qL0C4JsJAldyHvsyq4jz6QfdrFoIJxQbt5NO6AxweZTEeHl5eBwvZGV5wy+1uIEG
cpTA9erV4jisQN5GVOeWa+tQMA==
-----END TESTING KEY-----
"""


def _loaded(testing: str) -> RSAPrivateKey:
    found = load_pem_private_key(testing.replace("TESTING KEY", "PRIVATE KEY").encode(), None)
    assert isinstance(found, RSAPrivateKey)
    return found


def public_pem(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PLATFORM, MERCHANT = _loaded(PLATFORM_TESTING_KEY), _loaded(MERCHANT_TESTING_KEY)
OTHER = generate_private_key(65537, 2048)
PUBLIC_KEY_ID = "PUB_KEY_ID_0114232134912410000000000000"
FORMER_KEY_ID = "PUB_KEY_ID_0114232134912410000000000009"
APIV3_KEY = "apiv3-key-for-tests-only-32bytes"
NONCE = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
SETTINGS = {
    "mchid": "1900000109",
    "appid": "wx8888888888888888",
    "serial": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
    "private_key": MERCHANT_TESTING_KEY.replace("TESTING KEY", "PRIVATE KEY"),
    "apiv3_key": APIV3_KEY,
    "public_key_id": PUBLIC_KEY_ID,
    "public_key": public_pem(PLATFORM),
    "app_secret": "an-app-secret-for-tests",
}
CERTIFICATE_MODE = {name: value for name, value in SETTINGS.items() if not name.startswith("public_key")}

# While they are being changed: keys beside the one above.
CHANGING = {
    "former_public_key_id": FORMER_KEY_ID,
    "former_public_key": public_pem(OTHER),
    "certificates": PLATFORM_CERTIFICATE,
}


def signature(key: RSAPrivateKey, message: bytes) -> str:
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def signed(body: bytes, now: datetime, serial: str = PUBLIC_KEY_ID, key: RSAPrivateKey = PLATFORM) -> dict[str, str]:
    """The headers that prove a body."""
    timestamp = str(int(now.timestamp()))
    return {
        "wechatpay-serial": serial,
        "wechatpay-timestamp": timestamp,
        "wechatpay-nonce": NONCE,
        "wechatpay-signature": signature(key, f"{timestamp}\n{NONCE}\n".encode() + body + b"\n"),
    }


def proven(exchange: Exchange, now: datetime) -> Exchange:
    """The same exchange, whose reply is signed where it names a serial: over what it says now, also when spoilt."""
    serial = exchange.reply.get("headers", {}).get("wechatpay-serial")
    if not serial:
        return exchange
    reply = copy.deepcopy(exchange.reply)
    reply["headers"] |= signed(body_of(reply), now, serial)
    return Exchange(exchange.request, reply)


def sealed(content: Any, about: str = "transaction", key: str = APIV3_KEY) -> dict[str, str]:
    """The content as WeChat Pay encrypts it."""
    plain = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    cipher = AESGCM(key.encode()).encrypt(b"fdasflkja484", plain, about.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(cipher).decode(),
        "nonce": "fdasflkja484",
        "associated_data": about,
        "original_type": about,
    }


def notice(event: str, content: Any, **other: Any) -> bytes:
    """A notice's body."""
    return json.dumps(
        {
            "id": "EV-2018022511223320873",
            "create_time": "2026-11-22T19:59:58+08:00",
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": "支付成功",
            "resource": sealed(content, event.partition(".")[0].lower()),
            **other,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def authorized(authorization: str, method: str, path: str, body: bytes) -> Mapping[str, str]:
    """What an Authorization says, if the merchant signed it over exactly this."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    said = {name: value[1:-1] for name, _, value in (part.partition("=") for part in rest.split(","))}
    message = f"{method}\n{path}\n{said['timestamp']}\n{said['nonce_str']}\n".encode() + body + b"\n"
    MERCHANT.public_key().verify(base64.b64decode(said["signature"]), message, PKCS1v15(), SHA256())
    return said
