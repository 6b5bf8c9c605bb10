"""Logins of the demo: one for each staff group, one superuser, one customer who may buy on account."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import get_hashers, make_password
from django.contrib.auth.models import Group

from shop.customer.groups import GROUPS
from shop.customer.models import User


def logins_file() -> Path:
    return settings.VAR / "secrets" / "logins.json"


def make_people(domain: str) -> None:
    """Make the logins. Their passwords are drawn once and stand in `logins_file()` only: {group: {email, password}}."""
    file = logins_file()
    if is_new := not file.exists():
        names = [*GROUPS, "admin", "customer"]
        _write(file, {n: {"email": f"{n}@{domain}", "password": secrets.token_urlsafe(12)} for n in names})
    logins = json.loads(file.read_text(encoding="utf-8"))
    for group in GROUPS:
        user = _user(logins[group], is_new, is_staff=True, name=group.capitalize())
        user.groups.set([Group.objects.get(name=group)])
    _user(logins["admin"], is_new, is_staff=True, is_superuser=True, name="Admin")
    _user(logins["customer"], is_new, may_buy_on_account=True, name="林晓")


def _write(file: Path, logins: dict[str, dict[str, str]]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(logins, stream, indent=1)


def _user(login: dict[str, str], is_new: bool, **fields: Any) -> User:
    """The account of that address, with the file's password where either of them is new."""
    user = User.objects.filter(email__iexact=login["email"]).first()
    if user is None:
        user = User(email=login["email"], **fields)
    elif not is_new:
        return user
    user.password = _hashed(login["password"])
    user.save()
    return user


def _hashed(password: str) -> str:
    """With scrypt where it is set up: as hard to break as a million rounds of PBKDF2, and much quicker, eight times."""
    known = {hasher.algorithm for hasher in get_hashers()}
    return make_password(password, hasher="scrypt" if "scrypt" in known else "default")
