"""The API's description (OpenAPI 3): what every answer may be, and the page to read it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from shop.api.models import Scope
from shop.api.problems import MEDIA_TYPE

OF_ALL = (401, 403, 406, 429)


class ProblemError(serializers.Serializer):
    pointer = serializers.CharField(
        allow_blank=True, help_text=_("Where: a JSON pointer into the body, or / and a parameter's name.")
    )
    detail = serializers.CharField()


class ShortLine(serializers.Serializer):
    sku = serializers.CharField()
    available = serializers.IntegerField()


class ProblemDocument(serializers.Serializer):
    """RFC 9457. Programs go by `type`, people read the rest."""

    type = serializers.CharField(help_text=_("The kind of problem, as an address that explains it."))
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text=_("What is wrong this time."))
    advice = serializers.CharField(help_text=_("What to do about it."))
    errors = ProblemError(many=True, required=False)
    short = ShortLine(many=True, required=False, help_text=_("out-of-stock: what is left."))
    order = serializers.CharField(required=False, help_text=_("ordered-before: that order's number."))
    total = serializers.CharField(required=False, help_text=_("price-changed: what it costs now."))
    currency = serializers.CharField(required=False)


class Described(AutoSchema):
    """Adds the problems that any operation may answer with."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        if not hasattr(self.view, "scopes"):
            return bodies
        for code in sorted({*OF_ALL, 404 if self.method == "GET" and not self._is_list_view() else 400}):
            bodies.setdefault(str(code), self._get_response_for_code(ProblemDocument, str(code), [MEDIA_TYPE]))
        return bodies


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "shop.api.access.Bearer"
    name = "clientCredentials"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = {scope.value: str(scope.label) for scope in Scope}
        return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/api/v1/token/", "scopes": scopes}}}

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {self.name: [auto_schema.view.scopes[auto_schema.method]]}


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The description, to read."""
    return render(request, "api/reference.html")
