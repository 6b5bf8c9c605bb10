"""Types of products, their attributes and the lists of options: in both languages, and what is used stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from shop.catalogue.models import AttributeOption, AttributeOptionGroup, ProductAttribute, ProductClass
from tests import factories
from tests.admin import goods
from tests.admin.conftest import Login
from tests.admin.pages import filled

pytestmark = pytest.mark.django_db


def edit(client: Client, model: str, pk: int, **values: Any) -> HttpResponse:
    address = reverse(f"admin:catalogue_{model}_change", args=[pk])
    return client.post(address, {**filled(client.get(address), f"{model}_form"), **values})


def test_a_type_with_attributes_in_both_languages(login: Login) -> None:
    client = login("catalogue")
    assert client.get(reverse("admin:catalogue_productclass_add")).status_code == 200
    row = {"name_zh_hans": "页数", "name_en": "Pages", "code": "pages", "type": "integer", "option_group": ""}
    answer = client.post(
        reverse("admin:catalogue_productclass_add"),
        {
            "name_zh_hans": "书", "name_en": "Book", "requires_shipping": "on", "track_stock": "on",
            "attributes-TOTAL_FORMS": "1", "attributes-INITIAL_FORMS": "0",
            **{f"attributes-0-{name}": value for name, value in row.items()},
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    made = ProductClass.objects.get()
    assert (made.name_zh_hans, made.name_en) == ("书", "Book")
    asked = made.attributes.get()
    assert (asked.code, asked.type, asked.name_zh_hans, asked.name_en) == ("pages", "integer", "页数", "Pages")
    page = client.get(reverse("admin:catalogue_productclass_changelist")).content.decode()
    assert "书" in page
    assert "Book" in page


def test_lists_of_options_in_both_languages(login: Login) -> None:
    client, kind = login("catalogue"), goods.shirts()
    colours = kind.attributes.get(code="colour").option_group
    total = {"options-TOTAL_FORMS": "4", "options-3-option_zh_hans": "墨绿", "options-3-option_en": "Bottle green"}
    assert edit(client, "attributeoptiongroup", colours.pk, **total, **{"options-3-id": ""}).status_code == 302
    assert AttributeOption.objects.get(option_en="Bottle green").option_zh_hans == "墨绿"
    page = edit(client, "attributeoptiongroup", colours.pk, **{"options-0-option_zh_hans": "红|蓝"})
    assert "stands between values in files" in page.content.decode()
    page = edit(client, "attributeoptiongroup", colours.pk, **{"options-0-option_zh_hans": ""})
    assert "This field is required" in page.content.decode()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "text", "option_group": ""}, "1 product has a value of it. Make a new attribute instead"),
        ({"code": "color"}, "1 product has a value of it. Make a new attribute instead"),
        ({"DELETE": "on"}, "It cannot be deleted; empty these values first"),
        ({"name_zh_hans": ""}, "This field is required"),
    ],
)
def test_an_attribute_in_use_stays_as_it_is(login: Login, values: dict[str, str], words: str) -> None:
    goods.shirt(("Indigo", "S"))
    kind = goods.shirts()
    place = list(kind.attributes.order_by("code").values_list("code", flat=True)).index("colour")
    said = {f"attributes-{place}-{name}": value for name, value in values.items()}
    page = edit(login("catalogue"), "productclass", kind.pk, **said)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert kind.attributes.get(code="colour").type == "option"


def test_what_nobody_uses_is_deleted_and_changed(login: Login) -> None:
    kind = goods.shirts()
    codes = list(kind.attributes.order_by("code").values_list("code", flat=True))
    place, other = codes.index("gsm"), codes.index("organic")
    said = {f"attributes-{place}-DELETE": "on", f"attributes-{other}-type": "text"}
    assert edit(login("catalogue"), "productclass", kind.pk, **said).status_code == 302
    assert not kind.attributes.filter(code="gsm").exists()
    assert kind.attributes.get(code="organic").type == "text"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "option", "option_group": ""}, "Choose the list its values are chosen from"),
        ({"type": "file"}, "Select a valid choice"),
        ({"type": "richtext"}, "Select a valid choice"),
        ({"code": "1st"}, "can&#x27;t start with a digit"),
        ({"code": "size"}, "already exists"),
    ],
)
def test_an_attribute_that_does_not_fit_is_refused(login: Login, values: dict[str, str], words: str) -> None:
    kind = goods.shirts()
    place = list(kind.attributes.order_by("code").values_list("code", flat=True)).index("gsm")
    page = edit(
        login("catalogue"), "productclass", kind.pk,
        **{f"attributes-{place}-{name}": value for name, value in values.items()},
    )  # fmt: skip
    assert page.status_code == 200
    assert words in page.content.decode() or "correct the duplicate" in page.content.decode()


def test_an_option_in_use_is_not_deleted(login: Login) -> None:
    tee = goods.shirt(("Indigo", "S"))
    goods.attribute("fits").save_value(tee, [goods.option("L")])
    client = login("catalogue")
    colours, sizes = AttributeOptionGroup.objects.order_by("pk")
    page = edit(client, "attributeoptiongroup", colours.pk, **{"options-0-DELETE": "on"}).content.decode()
    assert "1 product has a value of it. It cannot be deleted" in page
    page = edit(client, "attributeoptiongroup", sizes.pk, **{"options-2-DELETE": "on"}).content.decode()
    assert "1 product has a value of it. It cannot be deleted" in page  # one of several options of a value
    assert edit(client, "attributeoptiongroup", colours.pk, **{"options-1-DELETE": "on"}).status_code == 302
    assert not AttributeOption.objects.filter(option_en="Ochre").exists()


def test_renaming_a_used_option_is_no_harm(login: Login) -> None:
    tee = goods.shirt(("Indigo", "S"))
    colours = goods.attribute("colour").option_group
    assert (
        edit(login("catalogue"), "attributeoptiongroup", colours.pk, **{"options-0-option_en": "Blue"}).status_code
        == 302
    )
    factories.stock("TEE-INDIGO-S", SZ=3)
    shop = Client(headers={"accept-language": "en"}).get(tee.get_absolute_url()).content.decode()
    assert "Colour: Blue" in shop


def test_customers_read_names_in_their_language() -> None:
    tee = goods.shirt(("Indigo", "S"))
    factories.stock("TEE-INDIGO-S", SZ=3)
    chinese = Client(headers={"accept-language": "zh-hans"}).get(tee.get_absolute_url()).content.decode()
    english = Client(headers={"accept-language": "en"}).get(tee.get_absolute_url()).content.decode()
    assert "颜色：靛蓝" in chinese
    assert "Colour: Indigo" in english


def test_a_type_is_not_deleted(login: Login) -> None:
    kind = goods.shirts()
    address = reverse("admin:catalogue_productclass_delete", args=[kind.pk])
    assert login("superuser").post(address, {"post": "yes"}).status_code == 403
    assert ProductAttribute.objects.exists()
