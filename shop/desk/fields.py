"""Controls for the desk's forms: dates and times by the browser's own picker, which needs no script."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import INPUT_CLASSES


class Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **attrs: Any) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES), **attrs}, format="%Y-%m-%dT%H:%M")


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES), **attrs}, format="%Y-%m-%d")
