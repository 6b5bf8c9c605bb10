"""What must be in the database before a shop can sell: groups, people, places of stock, a way to write to customers."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from integrations.hub.doctor import Finding, note, ok, todo
from integrations.hub.models import Account, AccountState
from shop.address.models import Country
from shop.customer.groups import GROUPS
from shop.customer.models import User
from shop.pricing.models import TaxClass
from shop.stock.models import Warehouse


def groups() -> Iterator[Finding]:
    """Are the staff groups there, with the rights this code gives them?"""
    has = {
        group.name: {f"{right.content_type.app_label}.{right.codename}" for right in group.permissions.all()}
        for group in Group.objects.prefetch_related("permissions__content_type")
    }
    lacking = [name for name, rights in GROUPS.items() if not set(rights) <= has.get(name, set())]
    if lacking or not Country.objects.exists() or not TaxClass.objects.exists():
        yield todo(
            _("Staff groups, their rights, countries or tax classes are missing: %(names)s.")
            % {"names": ", ".join(lacking) or "-"},
            _("Staff cannot do their work, or nobody can check out. New versions may bring new rights."),
            "manage.py seed",
        )
    else:
        yield ok(_("%(count)s staff groups have their rights.") % {"count": len(GROUPS)})


def people() -> Iterator[Finding]:
    """Can anybody log in to the admin?"""
    staff = User.objects.filter(is_staff=True, is_active=True)
    if not staff.filter(is_superuser=True).exists():
        yield todo(_("There is no superuser."), _("Nobody can give staff their rights."), "manage.py createsuperuser")
    else:
        yield ok(_("%(count)s people may log in to the admin.") % {"count": staff.count()})


def trade() -> Iterator[Finding]:
    """What a shop sells from, and where its money goes."""
    if not Warehouse.objects.exists():
        yield note(
            _("There is no warehouse."),
            _("Nothing can be in stock, so nothing can be sold."),
            f"{settings.WEFT_SHOP_URL}/admin/stock/warehouse/add/",
        )
    if not settings.WEFT_BANK_DETAILS and settings.PRODUCTION:
        yield todo(
            _("WEFT_BANK_DETAILS is empty."),
            _("Customers who pay by bank transfer are not told where to."),
            _("Write it into .env, then restart web and workers."),
        )
    elif settings.WEFT_BANK_DETAILS:
        yield ok(_("Customers are told where to transfer money."))


def mail() -> Iterator[Finding]:
    """Can customers be written to?"""
    account = Account.objects.filter(kind="messages").exclude(state=AccountState.RETIRED).first()  # as letters do
    add = f"{settings.WEFT_SHOP_URL}/admin/hub/account/add/"
    if account is None:
        yield todo(
            _("There is no account for mail."),
            _("Customers get no confirmation and cannot set a new password."),
            _("Add one, an SMTP server: ") + add,
        )
    elif account.provider == "file" and settings.PRODUCTION:
        yield todo(
            _("Mail goes into the folder %(folder)s.") % {"folder": account.settings.get("folder", "")},
            _("That is for trying out: nobody receives it."),
            _("Add an SMTP server, and retire this account: ") + add,
        )
    else:
        yield ok(_("Mail is sent by the account %(name)s.") % {"name": account.name})
