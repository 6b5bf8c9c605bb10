"""Our forks of Oscar's apps have migrations of their own, written against Oscar's models as these migrations left them.

When this fails, Oscar was updated and changed its tables. Then: read the new files in `oscar/apps/<app>/migrations`,
run `makemigrations`, compare what it writes with what Oscar's new migrations do (data migrations are not written by
themselves), and put the new digest here in the same commit.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import oscar
import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

UPSTREAM = Path(oscar.__file__).parent / "apps"
DIGESTS = {
    "address": (7, "52276829eb9606293965977f5326a5f132068372f5175bcdd44cb095558c5c5f"),
    "basket": (12, "21d957e6576fc4019295657aafd72a40cec63bcf49212c0e4d38795a5922aec0"),
    "catalogue": (32, "9f8aff3aca2a63b299f16161713c48ca8fe4077200a09052dfa105809a80301d"),
    "communication": (4, "27d32f70f969a4b9933ed076333766e2829419f65ee7bf9cd065235b5bdcc436"),
    "customer": (8, "c14f30f02deb363dac56a1ab853255467ec0272b80268006a0e3a6e11182920d"),
    "offer": (13, "84bc057bf0bcb98cb55fa86856bc58674281aa6e9d711c552e406d9653e7a3de"),
    "order": (21, "dfd595cdb904ed9fd42bde005f7fb3eabf13402c02d0cd7958675886db15af0f"),
    "partner": (7, "1ddbd6350b2711c604c47d8cd28f247d9e2dc9896ae2341e508f6bb110a480ac"),
    "payment": (5, "57278a34c9b6a7b984e80e4ce7f548b3cd2a9bffdcdc252516d2ce76ea78207a"),
    "shipping": (3, "f3bbdcea60f6379c141a9b00d4309b323484f4d90439e8b4630439378570f806"),
    "voucher": (10, "0cddc2ac2187c7c7f6bcc30e6244ac3b0d1164a5ce66a01b162518272bcf08bd"),
}


def upstream(label: str) -> tuple[int, str]:
    """How many migrations Oscar has for an app, and a digest over their names and contents."""
    files = sorted(path for path in (UPSTREAM / label / "migrations").glob("*.py") if path.name != "__init__.py")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return len(files), digest.hexdigest()


def forked() -> list[str]:
    """Labels of Oscar's apps with tables of which we have a fork."""
    ours = [config.label for config in apps.get_app_configs() if config.name.startswith("shop.")]
    return sorted(label for label in ours if (UPSTREAM / label / "migrations").is_dir())


def test_every_fork_is_pinned() -> None:
    assert forked() == sorted(DIGESTS)


@pytest.mark.parametrize("label", sorted(DIGESTS))
def test_oscar_has_not_changed_its_tables(label: str) -> None:
    assert upstream(label) == DIGESTS[label], __doc__


def test_forks_use_migrations_of_their_own_only() -> None:
    """None of Oscar's runs for a fork, and none of ours stands in for one of Oscar's."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    foreign = [
        f"{label}.{name} is {migration.__module__}"
        for (label, name), migration in loader.disk_migrations.items()
        if label in DIGESTS and not migration.__module__.startswith("shop.")
    ]
    assert foreign == []


def test_no_app_of_oscar_is_installed_beside_its_fork() -> None:
    installed = [config.name for config in apps.get_app_configs() if config.name.startswith("oscar.")]
    assert [name for name in installed if (UPSTREAM / name.rpartition(".")[2] / "migrations").is_dir()] == []
