"""The trace of a request: made here, or taken over from a proxy that is trusted; in each line, and in the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from runtime.logs import trace

HEADER = "X-Request-ID"


class TraceMiddleware:
    """The outermost: what the others log bears the trace, too. A visitor cannot choose it (WEFT_TRUST_REQUEST_ID).

    It stays bound until the answer has gone out: Django logs a 404 when all middleware is done with it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = _given(request) or trace.new()
        trace.begin(given, method=request.method)
        response = self.get_response(request)
        response[HEADER] = given
        return response


@receiver(request_finished, dispatch_uid="shop.tracing")
def _gone_out(**_: Any) -> None:
    trace.end()


def _given(request: HttpRequest) -> str:
    given: str = request.headers.get(HEADER, "") if settings.WEFT_TRUST_REQUEST_ID else ""
    return given if trace.is_trace(given) else ""
