"""Finding customers by what people know of them. Each way has its index (`User.Meta`); none reads the whole table."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from shop import phones
from shop.customer.models import User


def users(text: str) -> QuerySet[User]:
    """Accounts whose e-mail or name begins with `text`, or whose phone number ends with it."""
    lower = text.lower()
    found = Q(email__startswith=lower) | Q(name_lower__startswith=lower)
    if ending := phones.ending(text):
        found |= Q(phone_backwards__startswith=ending[::-1])
    return User.objects.alias(name_lower=Lower("name"), phone_backwards=phones.backwards("phone")).filter(found)
