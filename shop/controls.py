"""How the shop's forms draw their controls: what Django's templates write, written out, which is many times faster.

Whatever is not written out here Django draws as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _


class Renderer(DjangoTemplates):
    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        write = _WRITTEN.get(template_name)
        return write(context["widget"]) if write else super().render(template_name, context, request)


class Plain:
    """Mixed into the forms of the storefront: quick controls, and errors that say what to do."""

    default_renderer = Renderer()

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)  # type: ignore[misc]
        for name, errors in self._errors.items():  # type: ignore[attr-defined]
            for found in errors.data if name != NON_FIELD_ERRORS else ():
                if found.code == "required":
                    found.message = _wanted(self.fields[name])  # type: ignore[attr-defined]


def _wanted(field: forms.Field) -> str:
    words = _("Please choose: %(label)s") if isinstance(field, forms.ChoiceField) else _("Please fill in: %(label)s")
    return words % {"label": field.label}


class Form(Plain, forms.Form):
    """A form of the storefront."""


def _attributes(widget: dict[str, Any]) -> SafeString:
    shown = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    return mark_safe("".join(f" {name}" if value is True else _attribute(name, value) for name, value in shown))


def _attribute(name: str, value: Any) -> str:
    return f' {name}="{conditional_escape(value)}"'


def _input(widget: dict[str, Any]) -> SafeString:
    value = "" if widget["value"] is None else mark_safe(_attribute("value", widget["value"]))
    return format_html('<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, _attributes(widget))


def _textarea(widget: dict[str, Any]) -> SafeString:
    return format_html(
        '<textarea name="{}"{}>\n{}</textarea>', widget["name"], _attributes(widget), widget["value"] or ""
    )


def _select(widget: dict[str, Any]) -> SafeString:
    groups = format_html_join("", "{}", ((_group(name, options),) for name, options, _ in widget["optgroups"]))
    return format_html('<select name="{}"{}>{}\n</select>', widget["name"], _attributes(widget), groups)


def _group(name: str | None, options: list[dict[str, Any]]) -> SafeString:
    written = format_html_join(
        "",
        '\n  <option value="{}"{}>{}</option>',
        ((option["value"], _attributes(option), option["label"]) for option in options),
    )
    return format_html('\n  <optgroup label="{}">{}\n  </optgroup>', name, written) if name else written


_WRITTEN: dict[str, Callable[[dict[str, Any]], SafeString]] = {
    **{
        f"django/forms/widgets/{kind}.html": _input
        for kind in ("text", "email", "number", "password", "hidden", "checkbox")
    },
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}
