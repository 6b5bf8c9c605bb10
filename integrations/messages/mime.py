"""A letter as an RFC 5322 message."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from integrations.messages.base import Letter


def message(letter: Letter, at: datetime) -> EmailMessage:
    """Plain text, with an HTML alternative where there is one."""
    mail = EmailMessage()
    mail["Message-ID"] = f"<{letter.message_id}>"
    mail["Date"] = format_datetime(at)
    mail["From"], mail["To"], mail["Subject"] = letter.sender, letter.to, letter.subject
    mail.set_content(letter.text)
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    return mail
