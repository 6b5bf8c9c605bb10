"""A letter as an RFC 5322 message."""

from __future__ import annotations

import re
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from integrations.messages.base import Letter

# RFC 5322 knows no colon there, and would end the id at it: all letters about one order would have the same.
NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]")


def message(letter: Letter, at: datetime) -> EmailMessage:
    """Plain text, with an HTML alternative where there is one."""
    mail = EmailMessage()
    mail["Message-ID"] = f"<{NOT_IN_AN_ID.sub('.', letter.message_id)}>"
    mail["Date"] = format_datetime(at)
    mail["From"], mail["To"], mail["Subject"] = letter.sender, letter.to, letter.subject
    mail.set_content(letter.text)
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    return mail
