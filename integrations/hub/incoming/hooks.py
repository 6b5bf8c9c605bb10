"""What remotes send, at /hooks/<kind>/<provider>/<token>/: proven, kept, and only then answered with 2xx."""

from __future__ import annotations

import logging
import traceback

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from integrations.hub import registry
from integrations.hub.connector import Connector
from integrations.hub.errors import Forged, HubError, Unsupported
from integrations.hub.incoming import addresses, receiving, refusals
from integrations.hub.models import Account
from integrations.hub.values import Answer, Inbound

log = logging.getLogger("weft.hub")

BODY_LIMIT = 1024 * 1024


@csrf_exempt
@transaction.non_atomic_requests
def receive(request: HttpRequest, kind: str, provider: str, token: str) -> HttpResponse:
    """One message. Everything before the body is cheap; whoever is not known here is told nothing."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        account = addresses.find(kind, provider, token)
    except DatabaseTrouble:
        return _said(Answer(503))
    connector = registry.connectors().get((kind, provider))
    if account is None or connector is None or not connector.hears():
        return _said(Answer(404))
    if refused := _refuse_by_length(request):
        return refused
    try:
        body = request.body
    except UnreadablePostError:
        return _said(Answer(400))
    return _take(account, connector, _inbound(request, body))


def _refuse_by_length(request: HttpRequest) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        return _said(Answer(411))
    return _said(Answer(413)) if length.isdecimal() and int(length) > BODY_LIMIT else None


def _inbound(request: HttpRequest, body: bytes) -> Inbound:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Inbound(headers=headers, body=body, query=request.META.get("QUERY_STRING", ""))


def _take(account: Account, connector: type[Connector], inbound: Inbound) -> HttpResponse:
    """Verify, keep, answer. An account whose settings are not in order loses nothing: the remote sends again."""
    try:
        remote = registry.connect(account)
    except HubError as error:
        log.warning("a message to %s could not be verified: %s", account, error.message)
        return _said(Answer(503))
    try:
        verified = remote.verify(inbound)
    except Unsupported:
        return _said(Answer(404))
    except Forged as error:
        return _refused(account, remote, error.message)
    except Exception as error:  # a third party's code, given what anybody may have written: never proven
        return _refused(account, remote, f"The connector failed: {type(error).__name__}.", error)
    try:
        receiving.receive(account, connector, inbound, verified)
    except (DatabaseTrouble, HubError) as error:
        log.error("a message to %s could not be kept: %s", account, type(error).__name__)
        return _said(remote.answer(False))
    return _said(remote.answer(True))


def _refused(account: Account, remote: Connector, reason: str, bug: Exception | None = None) -> HttpResponse:
    try:
        too_many = refusals.count(account, reason)
    except DatabaseTrouble:
        return _said(remote.answer(False))
    if bug is not None and not too_many:
        log.error("bug while verifying for %s:\n%s", account, "".join(traceback.format_tb(bug.__traceback__)))
    said = remote.answer(False)
    response = _said(Answer(429 if too_many else 401, said.body, said.content_type))
    if too_many:
        response["Retry-After"] = str(int(refusals.MINUTE))
    return response


def _said(answer: Answer) -> HttpResponse:
    """In the remote's words, and nothing else: no page, no cookie."""
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
    response["Content-Length"] = str(len(answer.body))
    return response
