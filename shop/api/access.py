"""Who asks, and may they? Every view names the scope that each of its methods needs; what is not named is refused."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from shop.api.models import AccessToken, Client, digest


class Bearer(BaseAuthentication):
    """`Authorization: Bearer <token>` (RFC 6750). `request.user` is the Client, `request.auth` its scopes."""

    def authenticate(self, request: Request) -> tuple[Client, frozenset[str]] | None:
        scheme, _space, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        found = (
            AccessToken.objects.select_related("client")
            .filter(digest=digest(token.decode("latin-1")), expires_at__gt=timezone.now(), client__is_active=True)
            .first()
        )
        if found is None:
            raise AuthenticationFailed(_("The access token is unknown or has expired. Ask for a new one."))
        return found.client, frozenset(found.scopes) & frozenset(found.client.scopes)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="weft"'


class HasScope(BasePermission):
    """The view's `scopes` maps a method to the scope it needs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in view.allowed_methods:
            return True  # the view refuses it, and says what it can do
        needed = view.scopes.get("GET" if request.method in ("HEAD", "OPTIONS") else request.method)
        if not isinstance(request.user, Client):
            return False
        if needed not in request.auth:
            raise PermissionDenied(_("This needs the scope %(scope)s.") % {"scope": needed})
        return True


class ByClient(SimpleRateThrottle):
    """So many requests a minute for each client, counted in the cache: by each web process, or in Redis by all."""

    scope = "client"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return f"weft:api:{request.user.pk}" if isinstance(request.user, Client) else None


class ByAddress(SimpleRateThrottle):
    """So many tries a minute to get a token, for each network address."""

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return f"weft:token:{self.get_ident(request)}"
