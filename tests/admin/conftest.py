"""Staff of each group, logged in to the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from shop.customer.groups import ensure_groups
from shop.customer.models import User

Login = Callable[[str], Client]


@pytest.fixture
def login(db: None) -> Login:
    """A client for one group's member; '' is a member of none, 'superuser' may do everything. Pages are in English."""
    groups = ensure_groups()

    def make(group: str) -> Client:
        user = User.objects.filter(email=f"{group or 'nobody'}@weft.test").first() or User.objects.create_user(
            f"{group or 'nobody'}@weft.test", None, is_staff=True, is_superuser=group == "superuser"
        )
        if group in groups:
            user.groups.set([groups[group]])
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return make
