"""Several pictures at once, from one input. Each is looked at before any is kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

MOST = 20  # pictures at once: each is written anew in three sizes
LARGEST = 15 * 1024 * 1024  # bytes of one
PIXELS = 60_000_000  # of one: more than any camera's, less than what would fill the memory
KINDS = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff"


class PicturesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"

    def __init__(self) -> None:
        super().__init__(attrs={"accept": KINDS, "class": "weft-upload"})


class PicturesField(forms.FileField):
    """Cleans to a list of uploads, each of which Pillow can read."""

    widget = PicturesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        uploads = [upload for upload in (data if isinstance(data, (list, tuple)) else [data]) if upload]
        if len(uploads) > MOST:
            raise ValidationError(_("At most %(n)d pictures at once.") % {"n": MOST})
        return [_checked(upload) for upload in uploads]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


def _checked(upload: UploadedFile) -> UploadedFile:
    if upload.size > LARGEST:
        raise ValidationError(_("%(name)s is larger than 15 MB. Make it smaller.") % {"name": upload.name})
    try:
        upload = forms.ImageField().clean(upload)
    except ValidationError:
        words = _("%(name)s is not a picture that can be read. Use JPEG, PNG or WebP.")
        raise ValidationError(words % {"name": upload.name}) from None
    if upload.image.width * upload.image.height > PIXELS:
        raise ValidationError(_("%(name)s has too many pixels. Make it smaller.") % {"name": upload.name})
    upload.seek(0)
    return upload
