"""What programs send has no session, language, basket or page: it need not pass what prepares and dresses pages."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.urls import Resolver404, resolve

PREFIX = "/hooks/"


class HooksFirst:
    """Calls the view of `/hooks/...`, as `shop/urls.py` names it, at once. What comes before it still applies: TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        try:
            found = resolve(request.path_info)
        except Resolver404:
            return HttpResponseNotFound()
        return found.func(request, *found.args, **found.kwargs)
