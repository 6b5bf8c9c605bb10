"""The form with which staff bring a sheet of rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub.files import sheets


class Upload(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File (.xlsx or .csv)"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.txt", "class": "weft-upload"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > sheets.BYTES:
            words = _("The file is larger than %(n)d MB. Divide it.")
            raise ValidationError(words % {"n": sheets.BYTES // 1024 // 1024})
        return file
