"""What all lists of the API share: pages by cursor, and filters that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

LONGEST = 10_000  # characters of one parameter
OF_ALL_LISTS = ("cursor", "page_size")


class Pages(CursorPagination):
    """`next` and `previous` are whole addresses, to be followed as they are. Ordered by a unique number."""

    page_size = max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "id"

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError for a size that is none, rather than guess."""
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= self.max_page_size):
            said = _("A whole number from 1 to %(most)d.") % {"most": self.max_page_size}
            raise ValidationError({self.page_size_query_param: [said]})
        return int(text)

    def decode_cursor(self, request: Request) -> Any:
        said = _("Not a cursor of this list. Follow `next` as it was answered, or begin anew without a cursor.")
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise ValidationError({self.cursor_query_param: [said]}) from None
        if cursor is not None and cursor.position is not None and not _is_number(cursor.position):
            raise ValidationError({self.cursor_query_param: [said]})
        return cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


class LongPages(Pages):
    page_size = max_page_size = 1000


class Words(filters.BaseInFilter, filters.CharFilter):
    """`A,B`: any of these."""


class Filters(filters.FilterSet):
    """A parameter that is not known is refused, lest a typing error answer with everything."""

    def __init__(self, data: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        known = (*self.base_filters, *OF_ALL_LISTS)
        for name, text in (data or {}).items():
            if name not in known:
                raise ValidationError(
                    {name: [_("No such parameter. There are: %(known)s.") % {"known": ", ".join(known)}]}
                )
            if not text:
                raise ValidationError({name: [_("Empty. Say what to look for, or leave the parameter out.")]})
            if "\0" in text or len(text) > LONGEST:
                raise ValidationError({name: [_("Not a text, or too long.")]})


class Row(serializers.Serializer):
    """Its fields describe a row in the schema; `row` makes it, field by field the same (a test compares them). The
    fields of a serializer, asked one by one, would take longer than the database."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return self.row(instance)

    def row(self, instance: Any) -> dict[str, Any]:
        raise NotImplementedError
