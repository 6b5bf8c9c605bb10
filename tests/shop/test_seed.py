from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client
from PIL import Image

from integrations.hub import accounts
from integrations.hub.models import Account, AccountState
from integrations.sandbox.payments import keys
from shop.catalogue import listing, pictures, search
from shop.catalogue.models import Category, Product, ProductImage
from shop.customer.groups import GROUPS
from shop.customer.models import User
from shop.pricing.models import TaxClass
from shop.seed import drawn, gateways, load
from shop.stock.models import Channel, Movement, Offered, Pool, Share, Supply, Warehouse

SOURCE = load.read()


@pytest.fixture
def var(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `var` of its own, and pictures that cost nothing."""
    settings.VAR = tmp_path
    plain = pictures.prepare(Image.new("RGB", (8, 8), "#7d9273"))
    monkeypatch.setattr(load, "draw_all", lambda specs: ((key, plain) for key in specs))
    return tmp_path


def seed(*args: str) -> str:
    out = io.StringIO()
    call_command("seed", *args, stdout=out)
    return out.getvalue()


def counts() -> list[int]:
    models = (Product, Category, ProductImage, Pool, Movement, Warehouse, User, TaxClass, Account)
    return [model.objects.count() for model in models]


def test_a_second_run_changes_nothing(db: None, var: Path) -> None:
    said = seed()
    before = counts()
    assert before[0] == before[2] == len(load.goods(SOURCE))
    passwords = dict(User.objects.values_list("email", "password"))
    logins = json.loads((var / "secrets" / "logins.json").read_text())
    assert not any(login["password"] in said for login in logins.values()), "passwords are never printed"
    assert "Nothing to do" in seed()
    assert "Nothing to do" not in seed("--again")
    assert counts() == before
    assert dict(User.objects.values_list("email", "password")) == passwords


def test_what_is_sold_and_what_lies_where(db: None, var: Path) -> None:
    seed()
    entry = SOURCE["products"][0]
    product = Product.objects.get(stockrecords__partner_sku=entry["sku"])
    assert (product.title_zh_hans, product.title_en) == (entry["title"]["zh-hans"], entry["title"]["en"])
    assert str(product.stockrecords.get().price) == f"{entry['price']}00"
    assert product.tax_class.code == entry["tax"]
    wanted = {e["sku"]: sum(e["stock"].values()) for e in SOURCE["products"]}
    assert dict(Pool.objects.values_list("sku", "on_hand")) == wanted
    assert Movement.objects.filter(document="seed").aggregate(n=Sum("quantity"))["n"] == sum(wanted.values())
    assert not Warehouse.objects.exclude(erp_account=None).exists()
    page = Client(headers={"accept-language": "en"}).get(product.get_absolute_url()).content.decode()
    assert entry["attributes"]["material"]["en"] in page
    assert entry["attributes"]["material"]["zh-hans"] not in page


def test_a_kit_and_what_is_on_its_way(db: None, var: Path) -> None:
    seed()
    kit = Offered.objects.get(record__partner_sku="KT-TEASET-01")
    assert (kit.is_kit, kit.free) == (True, 28), "as many as there are teapots"
    lantern = Offered.objects.get(record__partner_sku="LT-PAPER-01")
    assert (lantern.free, lantern.room, lantern.kind) == (0, 30, "backorder")
    assert Supply.objects.count() == len(SOURCE["supply"])


def test_logins(db: None, var: Path) -> None:
    seed()
    file = var / "secrets" / "logins.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    logins = json.loads(file.read_text())
    assert set(logins) == {*GROUPS, "admin", "customer"}
    for group, login in logins.items():
        user = User.objects.get(email=login["email"])
        assert user.check_password(login["password"])
        assert user.is_superuser is (group == "admin")
        assert user.is_staff is (group != "customer")
        assert [g.name for g in user.groups.all()] == ([group] if group in GROUPS else [])
    assert User.objects.get(email=logins["customer"]["email"]).may_buy_on_account
    assert Account.objects.get(name="mail").kind == "messages"


def test_a_lost_database_is_seeded_anew_with_the_known_logins(db: None, var: Path) -> None:
    seed()
    kept = (var / "secrets" / "logins.json").read_text()
    User.objects.all().delete()
    ProductImage.objects.all().delete()
    seed("--again")
    assert (var / "secrets" / "logins.json").read_text() == kept
    for login in json.loads(kept).values():
        assert User.objects.get(email=login["email"]).check_password(login["password"])
    assert ProductImage.objects.count() == len(load.goods(SOURCE))


def test_production_gets_no_demo(db: None, var: Path, settings: Any) -> None:
    settings.PRODUCTION = True
    seed()
    assert counts() == [0, 0, 0, 0, 0, 0, 0, len(SOURCE["tax_classes"]), 0]
    assert not (var / "secrets").exists()


def test_seeded_names_are_found_by_a_word_from_their_middle(db: None, var: Path) -> None:
    seed()
    found = {}
    for words in ("靠垫", "提花", "四件", "cushions", "linens", "chairs"):
        found[words] = [p.title_en for p in search.matching(listing.browsable(), words)]
    assert all(found.values()), found
    assert "Linen jacquard cushion cover" in found["靠垫"]
    assert "Linen jacquard cushion cover" in found["cushions"]
    for entry in SOURCE["products"]:
        title = entry["title"]["zh-hans"]
        middle = "".join(search.HAN.findall(title))[1:3]
        skus = search.matching(listing.browsable(), middle).values_list("stockrecords__partner_sku", flat=True)
        assert entry["sku"] in skus, (title, middle)


def test_pictures_are_drawn_by_processes_of_their_own() -> None:
    specs = {entry["sku"]: entry["picture"] for entry in SOURCE["products"][:2]}
    made = dict(drawn.draw_all(specs))
    assert made.keys() == specs.keys()
    picture = made[SOURCE["products"][0]["sku"]]
    for size, data in picture.sizes.items():
        assert Image.open(io.BytesIO(data)).size == (size, size)


Tell = Callable[[int, int], None]


@pytest.fixture
def practice(var: Path, settings: Any) -> Tell:
    """Tells the shop where the practice market and the practice gateways are: two ports."""
    key, folder = var / "market_key", var / "gateways"
    key.write_text("a-market-key-for-tests\n")
    kept = keys.load(folder)

    def tell(market: int, gateways: int) -> None:
        kept.keep(f"http://127.0.0.1:{gateways}")
        settings.WEFT_MARKET_PORT, settings.WEFT_MARKET_KEY_FILE = market, str(key)
        settings.WEFT_GATEWAYS_PORT, settings.WEFT_GATEWAYS_FOLDER = gateways, str(folder)

    return tell


def addresses() -> dict[str, str]:
    """Where the practice accounts lead to, by provider."""
    found = Account.objects.filter(provider__in=["market", "alipay", "wechatpay"])
    return {one.provider: one.settings.get("url") or one.settings["gateway"] for one in found}


def use(*providers: str) -> None:
    """As after a check that succeeded: they are active, and were."""
    for account in Account.objects.filter(provider__in=providers):
        account.state, account.active_since = AccountState.ACTIVE, account.created_at
        account.save()


def test_accounts_follow_the_ports_of_the_market_and_the_gateways(db: None, practice: Tell) -> None:
    practice(8720, 8730)
    seed()
    first = {
        "market": "http://127.0.0.1:8720",
        "alipay": "http://127.0.0.1:8730/alipay/gateway.do",
        "wechatpay": "http://127.0.0.1:8730",
    }
    assert addresses() == first
    use(*first)
    before, known = counts(), dict(Account.objects.values_list("name", "pk"))
    practice(8721, 8731)
    assert "Nothing to do" in seed(), "the goods are there; only the addresses are new"
    assert addresses() == {name: moved(url) for name, url in first.items()}
    assert (counts(), dict(Account.objects.values_list("name", "pk"))) == (before, known)
    states = set(Account.objects.filter(provider__in=first).values_list("state", flat=True))
    assert states == {AccountState.STARTING}, "a new address is checked before anything is sent there"


def moved(url: str) -> str:
    return url.replace(":8720", ":8721").replace(":8730", ":8731")


def test_practice_accounts_that_stay_are_not_touched(db: None, practice: Tell) -> None:
    practice(8720, 8730)
    seed()
    use("market", "alipay", "wechatpay")
    shares = Share.objects.count()
    assert shares
    Share.objects.first().delete()  # type: ignore[union-attr]
    sealed = dict(Account.objects.values_list("name", "sealed"))
    seed()
    assert dict(Account.objects.values_list("name", "sealed")) == sealed
    assert set(Account.objects.exclude(provider="file").values_list("state", flat=True)) == {AccountState.ACTIVE}
    assert (Channel.objects.count(), Share.objects.count()) == (1, shares - 1), "what staff took away stays away"


def test_a_demo_from_before_the_gateways_gains_their_accounts(db: None, practice: Tell, settings: Any) -> None:
    practice(8720, 8730)
    settings.WEFT_GATEWAYS_FOLDER = ""
    seed()
    assert addresses().keys() == {"market"}
    practice(8720, 8730)
    assert "Nothing to do" in seed()
    assert addresses().keys() == {"market", "alipay", "wechatpay"}


def test_gateways_with_other_keys_leave_accounts_in_use_alone(db: None, practice: Tell, settings: Any) -> None:
    practice(8720, 8730)
    seed()
    use("alipay", "wechatpay")
    known = dict(Account.objects.values_list("name", "sealed"))
    keys.load(Path(settings.VAR) / "other gateways").keep("http://127.0.0.1:8730")
    settings.WEFT_GATEWAYS_FOLDER = str(Path(settings.VAR) / "other gateways")
    assert "stay as they are" in seed()
    assert dict(Account.objects.values_list("name", "sealed")) == known
    with pytest.raises(accounts.IdentityFixed):
        gateways.connect(Path(settings.WEFT_GATEWAYS_FOLDER))
