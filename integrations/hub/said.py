"""What Weft wrote into rows (why it is parked, what went wrong), in the reader's language.

Rows are written in English, once, by code that may know no Django. Each such sentence stands in a list, here or on the
floor that writes it (`register`); what a person or a remote said is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

_HOLDER = re.compile(r"%\((\w+)\)s")
_NESTED = {"operation", "message", "answer"}  # holders whose content may be a sentence of ours as well

HUB = (
    gettext_noop("Withdrawn: the account was retired."),
    gettext_noop("Too late: it could not be sent in time. Do it by hand if it is still wanted."),
    gettext_noop("Perhaps it was done, perhaps not; there is no way to look. Check by hand, then mark it."),
    gettext_noop("The worker died five times while sending this. Look at the log before you retry."),
    gettext_noop("No part of Weft knows how to send '%(topic)s'. Update Weft or retry after it is back."),
    gettext_noop("Written by a newer Weft (version %(version)s). Update this worker."),
    gettext_noop("Failed %(times)s times while others got through. Last: %(message)s"),
    gettext_noop("There is no %(kind)s connector named '%(name)s' here."),
    gettext_noop("There is no %(kind)s connector named '%(name)s' here. %(module)s could not be loaded: %(why)s"),
    gettext_noop("The connector gave no answer within %(seconds)s s."),
    gettext_noop("The connector still gives no answer to the last check."),
    gettext_noop("The connector failed (%(error)s): a bug in it. The log says where."),
    gettext_noop("The connector failed (its health is of type %(type)s): a bug in it."),
    gettext_noop("It could not be read (%(error)s): a bug. The log says where."),
    gettext_noop("Not filled in: %(fields)s."),
    gettext_noop(
        "No credential key: set WEFT_KEY_RING or WEFT_KEY_RING_FILE (docs/operations.md says how to make one)."
    ),
    gettext_noop("The credentials were sealed with a key that is not in WEFT_KEY_RING any more."),
    # messages
    gettext_noop("The message was sealed with a key that is not in WEFT_KEY_RING any more."),
    gettext_noop(
        "Another message came under this event's id, with another body. Ask the remote which is true, and close it."
    ),
    gettext_noop(
        "What was sent is not kept any more, so it cannot be understood. Ask the other side to send it again."
    ),
    gettext_noop("The worker died five times while heeding this. Look at the log before you retry."),
    gettext_noop("No part of Weft hears news of '%(name)s'. Update Weft or retry after it is back."),
    gettext_noop("Failed %(times)s times. Last: %(message)s"),
    gettext_noop("An error in Weft: %(error)s. Its trace is in the log."),
    gettext_noop("The connector failed: %(error)s."),
    gettext_noop("Two addresses are valid already. End the one that is not used any more first."),
    # the door to the outside
    gettext_noop("No time left for %(operation)s; it goes on in the next try."),
    gettext_noop("%(operation)s: the remote asks us to slow down."),
    gettext_noop("%(operation)s: the remote is not there for a while."),
    gettext_noop("%(operation)s: no answer within %(seconds)s s."),
    gettext_noop("%(operation)s: this address is private. If that is meant, list its host:port in WEFT_PRIVATE_HOSTS."),
    gettext_noop("%(operation)s: the remote cannot be reached."),
    gettext_noop("%(operation)s: the connection broke."),
    gettext_noop("The answer (HTTP %(status)s) was not JSON."),
    gettext_noop("That is not an http(s) address."),
    gettext_noop("'%(address)s' is not an http(s) address."),
    # mail
    gettext_noop("%(folder)s cannot be written: %(error)s."),
    gettext_noop("The server refuses the address: %(addresses)s."),
    gettext_noop("The connection broke while the mail was handed over."),
    gettext_noop("The server says %(code)s."),
    gettext_noop("The server does not take such a letter: %(error)s."),
    gettext_noop("The mail server refuses this user and password."),
    gettext_noop("The port is a number, and the security starttls, tls or none."),
    gettext_noop("%(operation)s: the answer is not as agreed (%(what)s)."),
    gettext_noop("The mail server cannot be reached: %(error)s."),
    gettext_noop("This account cannot be read by date."),
    gettext_noop("The remote asked to be left alone for a while. Read it again later."),
    # alarms
    gettext_noop("tell an alarm"),
    gettext_noop("Nobody is named to get alarms (WEFT_ALARM_MAIL)."),
    gettext_noop("The alarm is not kept any more."),
    gettext_noop("The receiver of alarms refuses our signature."),
    gettext_noop("The receiver of alarms refused the message (HTTP %(status)s)."),
    gettext_noop("The receiver of alarms answered HTTP %(status)s."),
    gettext_noop("The signing secret is too short: 24 random bytes in base64 are the least."),
    gettext_noop("The signing secret is not base64."),
    # channels
    gettext_noop("The market refuses this key."),
    gettext_noop("%(operation)s: the market's answer makes no sense (%(what)s)."),
    gettext_noop("%(operation)s: the market answered %(status)s."),
    gettext_noop("%(operation)s: the market refused it (%(status)s): %(said)s"),
    # payments
    gettext_noop("The time to pay is over."),
    gettext_noop("refund: Alipay took it, and then: %(message)s"),
    gettext_noop("refund: Alipay took it, and knows nothing of it yet."),
    gettext_noop("Ways to pay are page, wap and qr, not %(given)s."),
    gettext_noop("The seller number (PID) is 2088 and twelve more digits."),
    gettext_noop("The application's private key cannot be read. It is RSA, without a password."),
    gettext_noop("The application's private key is too short: RSA2 wants %(bits)s bits."),
    gettext_noop("Alipay's public key cannot be read. It is shown beside the application's own key."),
    gettext_noop("None of the root certificates is signed with RSA. Paste all of alipayRootCert.crt."),
    gettext_noop("The %(what)s cannot be read. Paste the whole file, from the first line on."),
    gettext_noop("The merchant private key is none: paste the whole of apiclient_key.pem."),
    gettext_noop("The WeChat Pay public key is none: paste the whole of pub_key.pem."),
    gettext_noop("The application's certificate is not that of its private key."),
    gettext_noop("The platform certificates are none: paste each .pem file whole."),
    gettext_noop("Alipay's certificate holds no RSA key. Download the one for RSA2."),
    gettext_noop(
        "Fill in either Alipay's public key, or all three certificates (application, Alipay, root), as the "
        "application's signing method says on Alipay's side."
    ),
    gettext_noop("This notice of Alipay's names no %(field)s."),
    gettext_noop("The notice cannot be opened with the APIv3 key: compare it in the merchant platform."),
    gettext_noop("This is no notice of WeChat Pay."),
    gettext_noop("This notice of Alipay's cannot be read."),
    gettext_noop("The notice does not say what it is about."),
    gettext_noop("This notice tells of neither a payment nor a refund."),
    gettext_noop("The browser came back from WeChat without a code."),
    gettext_noop("%(operation)s: WeChat refuses the app ID or its secret (%(code)s)."),
    gettext_noop("%(operation)s: WeChat refused it (%(code)s): %(said)s"),
    gettext_noop("%(operation)s: WeChat answered %(status)s."),
    gettext_noop("%(operation)s: WeChat did not say who."),
    gettext_noop("%(operation)s. Compare the app ID and the app secret, and the addresses that may use them."),
    gettext_noop("%(operation)s: Alipay asks us to slow down (%(said)s)."),
    gettext_noop("%(operation)s: Alipay refuses this account (%(said)s). %(hint)s"),
    gettext_noop("%(operation)s: %(what)s WeChat Pay says: %(said)s"),
    gettext_noop("%(operation)s Put money into the merchant account."),
    gettext_noop("This way to pay cannot be started: %(what)s."),
    gettext_noop("WeChat Pay takes %(taken)s only, not %(given)s."),
    gettext_noop("WeChat Pay takes whole fen, not %(given)s."),
    gettext_noop("WeChat Pay has another refund under %(key)s: %(amount)s %(currency)s of %(number)s."),
    gettext_noop("Alipay has a refund of %(amount)s under this key, not of %(wanted)s."),
    gettext_noop("Alipay is paid in %(taken)s, not in %(given)s."),
    gettext_noop("%(given)s is no amount for Alipay: %(least)s to %(most)s, two decimals."),
    gettext_noop("A WeChat Pay public key and its ID belong together: fill in both, or neither."),
    gettext_noop("Paying inside WeChat needs the app secret."),
    gettext_noop("The APIv3 key is not %(length)s characters long."),
    gettext_noop("Ways to pay: %(given)s is none of %(known)s."),
    gettext_noop(
        "%(message)s Compare the WeChat Pay public key and its ID, or the platform certificates, with those in "
        "the merchant platform (API security), and this machine's clock."
    ),
    gettext_noop(
        "%(operation)s: WeChat Pay has none for this merchant (%(status)s %(code)s). Take the WeChat Pay public "
        "key and its ID from the merchant platform (API security), and fill them in."
    ),
    gettext_noop(
        "%(operation)s: they cannot be opened with the APIv3 key. Set it anew in the merchant platform (API "
        "security), and here."
    ),
    gettext_noop("%(operation)s: HTTP %(status)s. Is this the address of Alipay's gateway?"),
)

_patterns: dict[str, re.Pattern[str]] = {}


def register(sentences: Iterable[str]) -> None:
    """Know these sentences; `%(name)s` stands for anything. The most definite ones are tried first."""
    known = {**_patterns, **{sentence: _pattern(sentence) for sentence in sentences}}
    _patterns.clear()
    _patterns.update(sorted(known.items(), key=lambda item: len(_HOLDER.sub("", item[0])), reverse=True))


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _HOLDER.split(sentence)
    fixed = [f"(?P<{part}>.*)" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(fixed), re.DOTALL)


register(HUB)


def in_words(written: str) -> str:
    """A sentence of ours, translated; anything else as it stands."""
    for sentence, pattern in _patterns.items():
        if found := pattern.fullmatch(written):
            parts = {name: in_words(part) if name in _NESTED else part for name, part in found.groupdict().items()}
            return _(sentence) % parts
    return written
