"""The OAuth2 token endpoint: client credentials in, bearer token out (RFC 6749, 4.4). oauthlib knows the protocol."""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.api.access import ByAddress
from shop.api.models import AccessToken, Client, digest, new_secret
from shop.api.schema import ProblemDocument

NO_SECRET = digest("")  # compared with where there is no such client, so that it takes as long


class Credentials(RequestValidator):
    """What oauthlib asks about our clients."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        name, secret = _basic(request.headers) or (request.client_id or "", request.client_secret or "")
        if request.client_id not in (None, "", name) or "\0" in name:
            return False
        client = Client.objects.filter(client_id=name, is_active=True).first()
        known = client.secret_digest if client else NO_SECRET
        if not secrets.compare_digest(digest(secret), known) or client is None:
            return False
        request.client = client
        return True

    def validate_grant_type(self, client_id: str, grant_type: str, client: Client, *args: Any, **kwargs: Any) -> bool:
        return grant_type == "client_credentials"

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return sorted(request.client.scopes)

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return set(scopes) <= set(client.scopes)

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        now = timezone.now()
        AccessToken.objects.create(
            client=request.client,
            digest=digest(token["access_token"]),
            scopes=token["scope"].split(),
            expires_at=now + timedelta(seconds=token["expires_in"]),
        )
        Client.objects.filter(pk=request.client.pk).update(last_token_at=now)


def _basic(headers: dict[str, str]) -> tuple[str, str] | None:
    """Client id and secret of HTTP Basic; each is form-encoded inside (RFC 6749, 2.3.1)."""
    scheme, _space, packed = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _colon, secret = b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(name), unquote_plus(secret)


_server = BackendApplicationServer(
    Credentials(), token_generator=lambda request: new_secret(), token_expires_in=settings.WEFT_API_TOKEN_SECONDS
)


class TokenForm(serializers.Serializer):
    grant_type = serializers.ChoiceField(["client_credentials"])
    scope = serializers.CharField(
        required=False, help_text=gettext_lazy("Scopes with spaces between; without, all that your client has.")
    )
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A token",
            value={
                "access_token": "2YotnFZFEjr1zCsicMWpAA2YotnFZFEjr1zCsicMWpAA",
                "expires_in": 3600,
                "token_type": "Bearer",
                "scope": "orders:read orders:write products:read stock:read",
            },
        )
    ]
)
class TokenAnswer(serializers.Serializer):
    access_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text=gettext_lazy("Seconds"))
    token_type = serializers.CharField()
    scope = serializers.CharField()


class TokenError(serializers.Serializer):
    error = serializers.CharField(help_text="RFC 6749, 5.2")
    error_description = serializers.CharField(required=False)


class TokenView(APIView):
    """Errors are those of RFC 6749, 5.2: `{"error": …}`."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (ByAddress,)
    parser_classes = ()  # oauthlib reads the form

    @extend_schema(
        operation_id="getToken",
        tags=["token"],
        summary=gettext_lazy("Get an access token"),
        description=gettext_lazy(
            "OAuth2 client credentials (RFC 6749, 4.4). Client id and secret go into HTTP Basic, or into the form as "
            "`client_id` and `client_secret`. Ask anew when the token has expired."
        ),
        auth=[{"clientBasic": []}, {}],
        request={"application/x-www-form-urlencoded": TokenForm},
        responses={
            200: TokenAnswer,
            400: TokenError,
            401: TokenError,
            (429, "application/problem+json"): ProblemDocument,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        headers, body, status = _server.create_token_response(
            request.path,  # a secret in the address would be in every log
            http_method="POST",
            body=request._request.body.decode("utf-8", "replace"),
            headers={"Authorization": request.headers.get("Authorization", "")},
        )
        return HttpResponse(body, status=status, headers=headers)
