"""The API against its own description: good and bad requests made from the schema, answers compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from shop.api.access import ByAddress, ByClient
from shop.api.models import Client
from shop.catalogue.models import Product
from tests import crowds, factories
from tests.api.conftest import Partner

pytestmark = pytest.mark.django_db(transaction=True)
TRIES = 500 if settings.WEFT_DEEP else 30


@pytest.fixture
def described(acme: Partner, chair: Product, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The description as partners get it, with things to find, and nobody slowed down."""
    monkeypatch.setattr(ByClient, "rate", "1000000/min", raising=False)
    monkeypatch.setattr(ByAddress, "rate", "1000000/min", raising=False)
    crowds.variants(crowds.products(1, prefix="RUG")[0], 2)
    factories.order({"CHAIR-1": 1}, source_account=acme.client.source)
    Client.objects.filter(pk=acme.client.pk).update(client_id="the-client")
    yield schemathesis.openapi.from_wsgi("/api/v1/schema/", WSGIHandler())


OPERATIONS = [
    ("/api/v1/token/", "POST"),
    ("/api/v1/products/", "GET"),
    ("/api/v1/products/{sku}/", "GET"),
    ("/api/v1/stock/", "GET"),
    ("/api/v1/stock/{sku}/", "GET"),
    ("/api/v1/orders/", "GET"),
    ("/api/v1/orders/", "POST"),
    ("/api/v1/orders/{number}/", "GET"),
]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_as_described(described: Any, acme: Partner, path: str, method: str, mode: GenerationMode) -> None:
    """Not checked: that good data is taken. An order of goods that do not exist is well-formed, and still refused."""
    plain = {"Accept-Encoding": "identity"}  # what tries the API here does not unpack
    headers = plain if path.endswith("/token/") else {**plain, "Authorization": f"Bearer {acme.token}"}

    @given(case=described[path][method].as_strategy(generation_mode=mode))
    @trying(max_examples=TRIES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def call(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    call()


def test_every_operation_is_tried(described: Any) -> None:
    all_of_it = {
        (path, method.upper()) for path, methods in described.raw_schema["paths"].items() for method in methods
    }
    assert all_of_it == set(OPERATIONS)


def test_the_description_is_complete_and_valid() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")
