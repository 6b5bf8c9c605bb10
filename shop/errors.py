"""Pages of errors that no view answered: for people a page, for programs a problem document."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

from shop.api import problems

API = "/api/"
RETRY_AFTER = 5  # seconds


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.plain("not-found")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A crash; or the database did not answer in time, which passes."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return _unavailable(request)
    if request.path.startswith(API):
        return problems.plain("server-error")
    return defaults.server_error(request)


def _unavailable(request: HttpRequest) -> HttpResponse:
    """503 that says when to come back. Nothing here asks the database."""
    if request.path.startswith(API):
        answer = problems.plain("unavailable")
    else:
        answer = HttpResponse(loader.get_template("503.html").render(), status=503)
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.plain("invalid-request")
    return defaults.bad_request(request, exception)
