"""One line each: what is on the list, in JSON or for people; nothing else, whoever logs it."""

from __future__ import annotations

import json
import logging
from io import StringIO
from typing import Any

import pytest
import structlog

from integrations.hub.models import Account
from runtime.logs import trace
from runtime.logs.lines import formatter
from runtime.logs.masks import masked

NAME, STREET, MAIL, PHONE = "张伟", "科技路 1 号", "buyer@example.com", "+86 138 0013 8000"


def lines(logger: str, template: Any, *args: Any, as_json: bool = True, **extra: Any) -> str:
    """What a handler writes of one record."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(as_json))
    record = logging.getLogger(logger).makeRecord(
        logger, logging.WARNING, "/srv/x.py", 7, template, args, extra.pop("exc_info", None), extra=extra or None
    )
    handler.handle(record)
    return written.getvalue()


def line(*args: Any, **extra: Any) -> dict[str, Any]:
    text = lines(*args, **extra)
    assert text.count("\n") == 1 and text.endswith("\n")
    return dict(json.loads(text))


def test_a_line_has_its_time_level_logger_words_and_trace() -> None:
    with trace.bound("trace-of-a-click", topic="mail", account=3, rows=[17]):
        told = line("weft.hub", "parked %s of %s: %s", Account(pk=3), 5, "nobody of that name")
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "level": "WARNING", "logger": "weft.hub", "event": "parked Account 3 of 5: …", "trace": "trace-of-a-click",
        "topic": "mail", "account": 3, "rows": [17],
    }  # fmt: skip


def test_a_key_that_is_not_on_the_list_is_dropped() -> None:
    with trace.bound("trace-of-a-click", customer=NAME, email=MAIL):
        told = line("weft.hub", "sent", password="hunter2", name_of_buyer=NAME)
    assert set(told) == {"timestamp", "level", "logger", "event", "trace"}


LEAKS = [
    ("weft.hub", "order of %s", (NAME,)),
    ("weft.hub", "order of %(who)s", ({"who": NAME},)),
    ("weft.hub", "sent to %s", (MAIL,)),
    ("weft.hub", f"sent to {MAIL}, {PHONE}", ()),
    ("weft.hub", "said %r", ({"name": NAME, "street": STREET},)),
    ("weft.hub", "said %s", ([NAME, STREET],)),
    ("weft.hub", "failed: %s", (ValueError(f"{NAME} {MAIL}"),)),
    ("weft.http", "GET %s", (f"https://user:pass@x.example/{MAIL}/{NAME}?key=hunter2hunter2",)),
    ("weft.http", "asked with Bearer %s", ("abcdefgh12345678",)),
    ("a.library", f"user {NAME} lives in {STREET}", ()),
    ("a.library", "user %s", (NAME,)),
    ("requests", "password=%s", ("hunter2hunter2",)),
    ("django.request", "%s: %s", ("Not Found", f"/search/{NAME}/{MAIL}/")),
    ("django.request", "%s: %s", ("Internal Server Error", "/order/W1:abcdefghijkl-mnop/")),
    ("django.security.DisallowedHost", f"Invalid HTTP_HOST header: '{MAIL}'", ()),
    ("django-q", f"Failed 'drain' (x) - {NAME} : Traceback (most recent call last):\nValueError: {MAIL}", ()),
    ("gunicorn.error", "Error handling request %s", (f"/?q={MAIL}&name={NAME}",)),
    ("py.warnings", f"{NAME} is deprecated", ()),
]


@pytest.mark.parametrize(("logger", "template", "args"), LEAKS)
@pytest.mark.parametrize("as_json", [True, False])
def test_nothing_about_a_person_and_no_secret(logger: str, template: str, args: Any, as_json: bool) -> None:
    text = lines(logger, template, *args, as_json=as_json).encode().decode("unicode_escape" if as_json else "utf-8")
    for planted in (NAME, "科技路", MAIL, "138 0013", "hunter2", "abcdefgh", "pass@"):
        assert planted not in text


def test_an_exception_is_its_types_and_places() -> None:
    def placed() -> None:
        try:
            raise KeyError(f"{NAME} {MAIL}")
        except KeyError as error:
            raise RuntimeError(f"order of {NAME}") from error

    try:
        placed()
    except RuntimeError as error:
        told = line("weft.hub", "bug", exc_info=(type(error), error, error.__traceback__))
    found = told["exception"]
    assert [each for each in found if " in " not in each] == ["RuntimeError", "KeyError"]
    assert any(each.startswith("tests/logs/test_lines.py:") and each.endswith(" in placed") for each in found)
    assert NAME not in json.dumps(told, ensure_ascii=False) and MAIL not in json.dumps(told)


def test_a_trace_that_was_put_into_the_words_is_told_like_one() -> None:
    text = f'Traceback (most recent call last):\n  File "/srv/weft/shop/x.py", line 7, in f\nValueError: {NAME}\n'
    told = line("weft.hub", "bug while sending %s:\n%s", Account(pk=1), text)
    assert told["exception"] == ["ValueError", "/srv/weft/shop/x.py:7 in f"]
    assert NAME not in json.dumps(told, ensure_ascii=False)


def test_what_python_says_of_the_code_is_kept() -> None:
    told = line(
        "weft.hub", "bug", exc_info=(AttributeError, AttributeError("'NoneType' object has no attribute 'x'"), None)
    )
    assert told["exception"] == ["AttributeError: 'NoneType' object has no attribute 'x'"]
    told = line("weft.hub", "bug", exc_info=(AttributeError, AttributeError(NAME), None))
    assert told["exception"] == ["AttributeError"]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("evil", ["a\nb", "a\r\n2026-01-01 INFO forged", "a\x1b[31mred", "a\u2028b", "a\x85b"])
def test_nobody_can_begin_a_new_line(evil: str, as_json: bool) -> None:
    for logger in ("weft.http", "weft.hub", "django.request", "a.library"):
        text = lines(logger, f"x {evil} %s", evil, as_json=as_json)
        assert len(text.splitlines()) == 1 and "\x1b" not in text


def test_structlog_goes_the_same_way() -> None:
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(True))
    own = logging.getLogger("weft.test")
    own.addHandler(handler)
    try:
        structlog.get_logger("weft.test").warning("sent", customer=NAME, topic="mail", row=MAIL)
    finally:
        own.removeHandler(handler)
        structlog.reset_defaults()
    told = json.loads(written.getvalue())
    assert (told["event"], told["topic"], told["row"], "customer" in told) == ("sent", "mail", "***", False)


PLAIN = [
    "W20261122-7Q2M9K", "integrations.hub.tasks.drain", "create customer POST https://erp.example/rest/model",
    "2026-11-22T12:00:00", "cluster weft-urgent died; starting it again", "SKU CHAIR-1 in SZ",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_needed_is_not_masked(text: str) -> None:
    assert masked(text) == text


SECRETS = [
    "buyer@example.com", "13800138000", "+49 170 1234567", "Bearer abcdef123456", "token=abc", "password: 'x y'",
    "sk_live_51H8abcdefABCDEF0123", "eyJhbGciOiJIUzI1NiJ9abcDEF", "d2VmdDoyOmUyZjliMWVkZDllYjEwYWUy",
    "gAAAAABkZmFzZGZhc2RmYXNkZmFzZGY=", "cookie: sessionid=abcdef",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "***" in masked(f"said {text} then")
