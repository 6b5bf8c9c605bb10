"""The controls that are written out are what Django's own templates write."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html

from shop.basket.forms import VoucherForm
from shop.catalogue.forms import ListForm
from shop.checkout.forms import ContactForm, DetailsForm, PlaceForm
from shop.controls import Form, Renderer
from shop.order.models import PaymentMethod
from tests import factories
from tests.shop.steps import ADDRESS


class Odd(Form):
    """What could go wrong in writing."""

    text = forms.CharField(
        help_text="Why",
        initial='"><script>&',
        widget=forms.TextInput(attrs={"data-x": '"<&', "hidden": True, "a": False}),
    )
    number = forms.IntegerField(initial=1234567, required=False, max_value=9)
    flag = forms.BooleanField(initial=True)
    secret = forms.CharField(widget=forms.PasswordInput(render_value=True), initial="s")
    long = forms.CharField(widget=forms.Textarea, initial="\n<b>a\nb", required=False)
    groups = forms.ChoiceField(choices=[("", "<none>"), ("A & B", [(1, "one"), ('"2"', "<two>")])], initial=1)
    several = forms.MultipleChoiceField(choices=[(1, "one"), (2, "two")], initial=[1, 2])
    radio = forms.ChoiceField(widget=forms.RadioSelect, choices=[("x", "X")])


class Plain(HTMLParser):
    """What a browser reads: tags, attributes and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.read.append(data)


def read(html: str) -> list[Any]:
    plain = Plain()
    plain.feed(html)
    return plain.read


def made(bound: bool) -> list[forms.Form]:
    data: Any = {
        **ADDRESS,
        "country": "XX",
        "email": "<x>",
        "sort": "new",
        "lowest": "-1",
        "text": "'",
        "several": ["2"],
    }
    given = {"data": data} if bound else {}
    return [
        Odd(**given),
        VoucherForm(**given),
        ListForm(**given),
        ContactForm(**given),
        DetailsForm(has_account=True, **given),
        PlaceForm(methods=[PaymentMethod.BANK_TRANSFER], **given),
    ]


@pytest.mark.parametrize("bound", [False, True])
def test_they_are_what_django_writes(db: None, bound: bool) -> None:
    factories.china()
    written = 0
    for ours, djangos in zip(made(bound), made(bound), strict=True):
        assert isinstance(ours.renderer, Renderer)
        djangos.renderer = DjangoTemplates()
        for mine, theirs in zip(ours, djangos, strict=True):
            assert read(str(mine)) == read(str(theirs)), mine.name
            written += 1
    assert written > 20


def test_what_is_shown_is_escaped() -> None:
    assert "<script>" not in str(Odd()["text"])
    assert parse_html(str(Odd()["text"])).attributes
