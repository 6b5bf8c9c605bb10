"""The demo's letter box: what customers would have got. Not there in production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

NEWEST = 50


@dataclass(frozen=True, slots=True)
class Received:
    """One letter as a mail program would show it."""

    at: datetime
    to: str
    subject: str
    text: str
    html: str


@require_safe
def letter_box(request: HttpRequest) -> HttpResponse:
    folder = Path(settings.WEFT_MAIL_FOLDER)
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True)
    return render(request, "mail/letter_box.html", {"letters": [_read(file) for file in files[:NEWEST]]})


def _read(file: Path) -> Received:
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    return Received(
        at=parsedate_to_datetime(str(mail["Date"])),
        to=str(mail["To"]),
        subject=str(mail["Subject"]),
        text=plain.get_content() if plain else "",
        html=html.get_content() if html else "",
    )
