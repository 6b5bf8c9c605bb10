"""Pages of errors that no view answered: for people a page, for programs a problem document."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from shop.api import problems

API = "/api/"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.plain("not-found")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API):
        return problems.plain("server-error")
    return defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.plain("invalid-request")
    return defaults.bad_request(request, exception)
