"""What goes wrong, as RFC 9457 problem documents: what it is, and what to do about it.

`KINDS` is the whole list; the page of `kinds` shows it, and each document's `type` points into that page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """`advice` says what to do about problems of this kind."""

    status: int
    title: Any
    advice: Any


KINDS: dict[str, Kind] = {
    "invalid-request": Kind(
        400,
        _("The request cannot be read"),
        _("Compare it with the API's description. `errors` names what is wrong. Sending it again as it is won't help."),
    ),
    "not-authenticated": Kind(
        401,
        _("No valid access token"),
        _("Ask for a new token with your client id and secret, and send it as `Authorization: Bearer …`."),
    ),
    "not-permitted": Kind(
        403,
        _("Your client lacks the right for this"),
        _("Ask for a token with this scope; if your client does not have it, ask the shop for it."),
    ),
    "not-found": Kind(
        404,
        _("There is no such thing"),
        _("Check the address. What belongs to others is not found either."),
    ),
    "method-not-allowed": Kind(
        405, _("This cannot be done with this address"), _("The header `Allow` names what can be done.")
    ),
    "not-acceptable": Kind(
        406, _("Only JSON is answered"), _("Leave out the header `Accept`, or set it to `application/json`.")
    ),
    "in-progress": Kind(
        409,
        _("This request is being worked on"),
        _("Your first try with this Idempotency-Key still runs. Try again after a second, with the same key."),
    ),
    "out-of-stock": Kind(
        409,
        _("Not enough is in stock"),
        _("`short` says how many are left. Order fewer, or try later; nothing was ordered, and the key is unused."),
    ),
    "ordered-before": Kind(
        409,
        _("This order exists already"),
        _("You ordered under this external number before; `order` is its number. Read that order."),
    ),
    "price-changed": Kind(
        409,
        _("The sum is not what you expected"),
        _("`total` is what it costs now. Read the prices again, and order with the new sum if you agree."),
    ),
    "too-large": Kind(413, _("The request is too large"), _("An order has 200 lines at most. Send several orders.")),
    "unsupported-media-type": Kind(
        415, _("Only JSON is understood"), _("Set the header `Content-Type` to `application/json`.")
    ),
    "invalid-order": Kind(
        422,
        _("The order cannot be placed as it stands"),
        _("`errors` names each field to mend. Nothing was ordered, and the Idempotency-Key is unused."),
    ),
    "key-used": Kind(
        422,
        _("This Idempotency-Key stands for another order"),
        _("A new order needs a new key. To repeat a request, send exactly the same body."),
    ),
    "too-many-requests": Kind(
        429, _("Too many requests"), _("Wait as many seconds as the header `Retry-After` says, then go on.")
    ),
    "server-error": Kind(
        500,
        _("Something went wrong here"),
        _("Try again in a minute, orders with the same Idempotency-Key. If it stays, tell the shop."),
    ),
    "unavailable": Kind(
        503,
        _("The shop cannot answer at the moment"),
        _("Wait as many seconds as `Retry-After` says, then try again, orders with the same Idempotency-Key."),
    ),
}  # fmt: skip


class Problem(exceptions.APIException):
    """A problem of a kind in `KINDS`. `more` are members of the document beside the standard ones."""

    def __init__(self, kind: str, detail: Any = None, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.kind, self.more, self.headers = kind, more, dict(headers or {})
        self.status_code = KINDS[kind].status
        super().__init__(detail or KINDS[kind].advice)


def document(kind: str, detail: Any = None, **more: Any) -> dict[str, Any]:
    found = KINDS[kind]
    return {
        "type": f"{reverse('api:problems')}#{kind}",
        "title": str(found.title),
        "status": found.status,
        "detail": str(detail or found.advice),
        "advice": str(found.advice),
        **more,
    }


BY_EXCEPTION: tuple[tuple[type[exceptions.APIException], str], ...] = (
    (exceptions.NotAuthenticated, "not-authenticated"),
    (exceptions.AuthenticationFailed, "not-authenticated"),
    (exceptions.PermissionDenied, "not-permitted"),
    (exceptions.NotFound, "not-found"),
    (exceptions.MethodNotAllowed, "method-not-allowed"),
    (exceptions.NotAcceptable, "not-acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported-media-type"),
    (exceptions.Throttled, "too-many-requests"),
    (exceptions.ParseError, "invalid-request"),
)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None: not ours, a 500."""
    set_rollback()
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = Problem("too-large")
    if not isinstance(error, exceptions.APIException):
        return None
    kind, body = _body(error)
    return Response(body, status=KINDS[kind].status, headers=_headers(error), content_type=MEDIA_TYPE)


def _body(error: exceptions.APIException) -> tuple[str, dict[str, Any]]:
    if isinstance(error, Problem):
        return error.kind, document(error.kind, error.detail, **error.more)
    if isinstance(error, exceptions.ValidationError):
        return "invalid-request", document("invalid-request", errors=list(pointed(error.detail)))
    kind = next(kind for known, kind in BY_EXCEPTION if isinstance(error, known))
    return kind, document(kind, error.detail)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = dict(getattr(error, "headers", {}))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def pointed(detail: Any, at: str = "") -> Iterator[dict[str, str]]:
    """Each message of a serializer's errors with the place it is about, as a JSON pointer."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from pointed(inner, at if name == "non_field_errors" else f"{at}/{_escaped(name)}")
    elif isinstance(detail, list | tuple):
        for position, inner in enumerate(detail):
            yield from pointed(inner, f"{at}/{position}" if isinstance(inner, Mapping | list) else at)
    else:
        yield {"pointer": at, "detail": str(detail)}


def _escaped(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


@require_safe
def kinds(request: HttpRequest) -> HttpResponse:
    """The page that every `type` points into."""
    shown = {code: (kind, _with_code(str(kind.advice))) for code, kind in KINDS.items()}
    return render(request, "api/problems.html", {"kinds": shown})


def _with_code(text: str) -> SafeString:
    """What stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return format_html_join("", "{}", ((format_html("<code>{}</code>", p) if n % 2 else p,) for n, p in parts))


def plain(kind: str) -> HttpResponse:
    """The answer where REST framework does not get the word: no such address, or a crash."""
    return JsonResponse(document(kind), status=KINDS[kind].status, content_type=MEDIA_TYPE)
