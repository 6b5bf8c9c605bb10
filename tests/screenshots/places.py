"""Every page there is to photograph: its name, its address and who looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.db.models import Count, Model, QuerySet
from django.test import RequestFactory
from django.urls import reverse

from integrations.hub.models import Account, Incoming, Outgoing
from shop.api.models import Client
from shop.catalogue.models import Category, ImportRun, Product
from shop.customer.models import User
from shop.desk.models import SavedList
from shop.order.models import SAID_TO_BE_PAID, Intake, Order, Status
from shop.partner.models import StockRecord
from shop.payments import numbers
from shop.payments.models import OPEN_PART, OPEN_REVIEW, STUCK_PART, AttemptStatus, Dispute, Refund, RefundPart
from shop.payments.models import Attempt as Payment
from shop.stock.models import (
    BrokenPromise,
    CountSheet,
    KitPart,
    Pool,
    Presale,
    Proposal,
    Share,
    Shortage,
    Supply,
    Warehouse,
)
from tests.screenshots import ahead, paying, wares
from tests.screenshots.company import Company

STAFF, BUYER, NOBODY = "staff", "buyer", "nobody"


@dataclass(frozen=True)
class Place:
    """`press` are CSS selectors to click before the picture is taken; `type_` is typed into the first of them.

    `awaits` must stand there first, on a page that is drawn by a script."""

    name: str
    address: str
    who: str = STAFF
    press: tuple[str, ...] = ()
    type_: str = ""
    awaits: str = "body"


def staff(company: Company) -> Iterator[Place]:
    """The desk: home, every list, one of each kind, every action's page, search and saved lists."""
    yield Place("login", reverse("admin:login"), NOBODY)
    yield Place("home", reverse("admin:index"))
    yield Place("home-auditor", reverse("admin:index"), "auditor@weijian.example")
    for model in admin.site._registry:
        yield from _of(model, company)
    yield from _orders()
    yield from _wares()
    yield from _ahead()
    yield from _searches()
    yield from _stock()
    yield from _work()
    yield from _payments()
    orders = reverse("admin:order_order_changelist")
    yield Place("order-list-filters", orders, press=("a:has(> .material-symbols-outlined:text('filter_list'))",))
    yield Place("order-list-said", f"{orders}?said=open")
    yield Place("order-list-export", orders, press=(".weft-menu summary",))
    yield Place("order-list-selected", f"{orders}?status__exact=pending_payment&older=24h")
    yield Place("order-list-empty", f"{orders}?q=nothing-like-this")
    yield Place("stock-of-one", _sum_list())
    yield Place("stock-receive-new", reverse("admin:stock_pool_receive_sku"))
    yield Place("flows", reverse("admin:hub_account_flows"))
    yield Place("alarm-unseen", reverse("admin:hub_alarm_changelist") + "?state=unseen")
    yield Place("account-new", reverse("admin:hub_account_add"))
    yield Place("account-new-form", reverse("admin:hub_account_add") + "?connector=messages:smtp")
    yield Place(
        "saved-new", reverse("admin:desk_savedlist_add") + "?list=order.order&query=status__exact%3Dpaid&name=Paid"
    )
    client = reverse("admin:api_client_new_secret", args=[Client.objects.earliest("pk").pk])
    yield Place("api-client-secret", client, press=("#content button[type=submit]",))
    yield Place("password", reverse("admin:password_change"))


def _name(model: type[Model]) -> str:
    return f"{model._meta.app_label}-{model._meta.model_name}"


def _of(model: type[Model], company: Company) -> Iterator[Place]:
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    yield Place(f"{_name(model)}-list", reverse(f"admin:{name}_changelist"))
    page = admin.site._registry[model]
    request = RequestFactory().get("/")
    request.user = company.boss
    shown = _of_interest(model)
    if shown is not None:
        yield Place(f"{_name(model)}-page", reverse(f"admin:{name}_change", args=[quote(shown.pk)]))
        yield Place(f"{_name(model)}-history", reverse(f"admin:{name}_history", args=[quote(shown.pk)]))
    if page.has_add_permission(request):
        yield Place(f"{_name(model)}-add", reverse(f"admin:{name}_add"))
    for action in page._extract_action_names(page.actions_detail):
        if (offered := _offered(model, page, action)) is not None:
            yield Place(f"{_name(model)}-{action}", reverse(f"admin:{name}_{action}", args=[quote(offered.pk)]))


INTERESTING: dict[type[Model], Any] = {
    Order: lambda: Order.objects.annotate(n=Count("lines")).filter(status="partly_shipped").order_by("-n"),
    Pool: lambda: Pool.objects.filter(sku__in=Shortage.objects.values("pool")).order_by("-reserved"),
    Supply: lambda: Supply.objects.filter(presales__promised__gt=0).order_by("pk"),
    Presale: lambda: Presale.objects.filter(promised__gt=0).order_by("pk"),
    Intake: lambda: Intake.objects.exclude(refused={}).filter(closed_at=None).order_by("pk"),
    Outgoing: lambda: Outgoing.objects.filter(parked_at__isnull=False).order_by("pk"),
    Incoming: lambda: Incoming.objects.filter(parked_at__isnull=False).order_by("-pk"),
    Account: lambda: Account.objects.order_by("pk"),
    User: lambda: User.objects.filter(is_staff=False).annotate(n=Count("orders")).order_by("-n"),
    Product: lambda: Product.objects.filter(is_featured=True).order_by("pk"),
    Group: lambda: Group.objects.filter(name="sales"),
    SavedList: lambda: SavedList.objects.order_by("pk"),
}


def _of_interest(model: type[Model]) -> Any:
    rows: QuerySet[Any] = INTERESTING[model]() if model in INTERESTING else model._default_manager.all()  # type: ignore[attr-defined]
    return rows.first()


def _offered(model: type[Model], page: Any, action: str) -> Any:
    """A row whose moment for this action has come."""
    rows = model._default_manager.order_by("-pk")[:400]  # type: ignore[attr-defined]
    return next((row for row in rows if page.offers(action, row)), None)


def _orders() -> Iterator[Place]:
    for status in Status.values:
        if order := Order.objects.filter(status=status).order_by("-date_placed").first():
            yield Place(f"order-page-{status}", reverse("admin:order_order_change", args=[order.pk]))
    said = Order.objects.filter(SAID_TO_BE_PAID).latest("payment_said_at")
    yield Place("order-page-said", reverse("admin:order_order_change", args=[said.pk]))
    from_outside = Order.objects.exclude(source_account="web").first()
    if from_outside:
        yield Place("order-page-from-outside", reverse("admin:order_order_change", args=[from_outside.pk]))


def _wares() -> Iterator[Place]:
    product = Product.objects.get(code=wares.CODE)
    yield Place("product-with-variants", reverse("admin:catalogue_product_change", args=[product.pk]))
    yield Place("product-variant", reverse("admin:catalogue_product_change", args=[product.children.earliest("pk").pk]))
    yield Place("product-file", reverse("admin:catalogue_importrun_upload"))
    for run in ImportRun.objects.order_by("pk"):
        yield Place(f"product-file-{run.pk}", reverse("admin:catalogue_importrun_change", args=[run.pk]))


def _stock() -> Iterator[Place]:
    yield Place("sheet-new", reverse("admin:stock_countsheet_new_sheet"))
    for proposal in Proposal.objects.order_by("pk"):
        yield Place(
            f"proposal-{proposal.pk}-{proposal.state}", reverse("admin:stock_proposal_change", args=[proposal.pk])
        )
    for sheet in CountSheet.objects.order_by("pk"):
        yield Place(f"sheet-{sheet.pk}-{sheet.state}", reverse("admin:stock_countsheet_change", args=[sheet.pk]))
    closed = Warehouse.objects.filter(kind="shelf", is_sellable=False).earliest("pk")
    yield Place("warehouse-closed", reverse("admin:stock_warehouse_change", args=[closed.pk]))
    sold = Share.objects.filter(escrow__gt=0).earliest("pk")
    yield Place("stock-shared", reverse("admin:stock_pool_change", args=[quote(sold.pool_id)]))
    aside = Pool.objects.filter(levels__warehouse__kind="quality", levels__on_hand__gt=0).earliest("sku")
    yield Place("stock-set-apart", reverse("admin:stock_pool_change", args=[aside.sku]))


def _ahead() -> Iterator[Place]:
    yield Place("stock-ahead", reverse("admin:stock_pool_change", args=[quote(ahead.NEW)]))
    yield Place("supply-overdue", reverse("admin:stock_supply_changelist") + "?state=overdue")
    short = BrokenPromise.objects.filter(shortage__isnull=False).earliest("pk").shortage_id
    yield Place("shortage-ended", reverse("admin:stock_shortage_change", args=[short]))
    yield Place("promise-without-cost", reverse("admin:stock_brokenpromise_changelist") + "?cost=unknown&days=30")
    yield Place("presale-short", reverse("admin:stock_presale_changelist") + "?state=short")
    waiting = Order.objects.filter(lines__waiting__open__gt=0).latest("pk")
    yield Place("order-page-waiting", reverse("admin:order_order_change", args=[waiting.pk]))
    kit = Order.objects.filter(lines__kit_number=1).latest("pk")
    yield Place("order-page-kit", reverse("admin:order_order_change", args=[kit.pk]))
    yield Place("product-kit", reverse("admin:catalogue_product_change", args=[KitPart.objects.earliest("pk").kit_id]))


def _work() -> Iterator[Place]:
    yield Place("work-by-cause", reverse("admin:hub_outgoing_by_cause"))
    yield Place("work-parked", reverse("admin:hub_outgoing_changelist") + "?state=parked")
    yield Place("work-replay", reverse("admin:hub_outgoing_replay") + "?state=parked")
    tried = Outgoing.objects.exclude(attempts__exchanges=[]).filter(attempts__isnull=False).earliest("pk")
    yield Place("work-tried", reverse("admin:hub_outgoing_change", args=[tried.pk]), press=("details summary",))
    taken = Outgoing.objects.filter(taken__isnull=False).earliest("pk")
    yield Place("work-tick", reverse("admin:hub_outgoing_tick", args=[taken.pk]))


def _payments() -> Iterator[Place]:
    """Each order with something about its payments, and the form that gives money back."""
    of_refunds = Refund.objects.order_by("pk")
    names = dict(zip(("back", "failed", "stuck", "waiting"), of_refunds, strict=False))
    for name, refund in names.items():
        yield Place(f"payments-order-{name}", reverse("admin:order_order_change", args=[refund.order_id]))
        yield Place(f"payments-refund-{name}", reverse("admin:payments_refund_change", args=[refund.pk]))
    for part in RefundPart.objects.filter(OPEN_PART | STUCK_PART).order_by("pk"):
        shown = "stuck" if part.is_stuck else "failed"
        yield Place(f"payments-part-{shown}", reverse("admin:payments_refundpart_change", args=[part.pk]))
    disputed = Dispute.objects.earliest("pk").attempt
    yield Place("payments-order-disputed", reverse("admin:order_order_change", args=[disputed.order_id]))
    odd = Payment.objects.filter(OPEN_REVIEW).earliest("pk")
    yield Place("payments-order-review", reverse("admin:order_order_change", args=[odd.order_id]))
    yield Place("payments-review", reverse("admin:payments_attempt_change", args=[odd.pk]))
    form = reverse("admin:order_order_refund", args=[names["back"].order_id])
    yield Place("payments-refund-form", form)
    yield Place("payments-refund-wrong", form, press=("#refund button[type=submit]",))
    yield Place("payments-search", reverse("admin:search") + f"?s={odd.order.number}")


def _till() -> Iterator[Place]:
    """Buyers' pages of payments, in every state."""
    paid = Payment.objects.filter(advanced_at__isnull=False).exclude(OPEN_REVIEW)
    seen = {
        **{name: Payment.objects.get(action=action) for name, (_, action) in paying.TILL.items()},
        "paid": paid.filter(refunded=0).earliest("pk"),
        "paid-part-back": paid.filter(refunded__gt=0).earliest("pk"),
        "review": Payment.objects.filter(OPEN_REVIEW).earliest("pk"),
        "over": Payment.objects.filter(status=AttemptStatus.CLOSED).earliest("pk"),
    }
    for name, attempt in seen.items():
        yield Place(f"shop-pay-{name}", _of_buyer("page", attempt), NOBODY)
    yield Place("shop-pay-is-back", _of_buyer("return", seen["way"]), NOBODY)
    choose = reverse("checkout:pay", args=[seen["way"].order.verification_hash()])
    yield Place("shop-pay-choose", choose, NOBODY)


def _of_buyer(page: str, attempt: Payment) -> str:
    return reverse(f"payments:{page}", args=[attempt.number, numbers.page_token(attempt.number)])


def _searches() -> Iterator[Place]:
    search = reverse("admin:search")
    yield Place("search-empty", search)
    yield Place("search-name", f"{search}?s=张伟")
    yield Place("search-phone", f"{search}?s=%2B86+138+0013+8001")
    yield Place("search-sku", f"{search}?s=PA-")
    yield Place("search-nothing", f"{search}?s=zzzz")
    yield Place("search-while-typing", reverse("admin:index"), press=(".weft-find input",), type_="KT-")


def _sum_list() -> str:
    pool = Pool.objects.filter(reserved__gt=0).order_by("-reserved")[0]
    return f"{reverse('admin:stock_movement_changelist')}?sku={pool.sku}&warehouse__is_sellable__exact=1"


def shop(company: Company) -> Iterator[Place]:
    """What buyers see."""
    product = Product.objects.filter(is_featured=True).order_by("pk")[0]
    category = Category.objects.filter(depth=1).order_by("path")[0]
    order = Order.objects.filter(user=company.customer).order_by("-date_placed")[0]
    yield Place("shop-home", reverse("catalogue:home"), NOBODY)
    yield Place("shop-browse", reverse("catalogue:browse"), NOBODY)
    yield Place("shop-category", category.get_absolute_url(), NOBODY)
    yield Place("shop-product", product.get_absolute_url(), NOBODY)
    variants = Product.objects.get(code=wares.CODE)
    yield Place("shop-product-variants", variants.get_absolute_url(), NOBODY)
    yield Place("shop-variant", variants.children.earliest("pk").get_absolute_url(), NOBODY)
    yield Place("shop-product-kit", KitPart.objects.earliest("pk").kit.get_absolute_url(), NOBODY)
    sold_ahead = Presale.objects.filter(closed_at=None, kind="backorder").earliest("pk").pool_id
    record = StockRecord.objects.get(partner_sku=sold_ahead)
    yield Place("shop-product-ahead", (record.product.parent or record.product).get_absolute_url(), NOBODY)
    yield Place("shop-search", reverse("catalogue:search") + "?q=亚麻", NOBODY)
    yield Place("shop-search-nothing", reverse("catalogue:search") + "?q=zzzz", NOBODY)
    yield Place("shop-login", reverse("customer:login"), NOBODY)
    yield Place("shop-register", reverse("customer:register"), NOBODY)
    yield Place("shop-password-forgotten", reverse("customer:password-reset"), NOBODY)
    yield Place("shop-basket-empty", reverse("basket:summary"), NOBODY)
    yield Place("shop-404", "/no-such-page/", NOBODY)
    yield Place("shop-basket", reverse("basket:summary"), BUYER)
    yield Place("shop-checkout-details", reverse("checkout:details"), BUYER)
    yield Place("shop-checkout-review", reverse("checkout:review"), BUYER)
    unpaid = Order.objects.filter(user=company.customer, status="pending_payment").latest("date_placed")
    yield Place("shop-checkout-pay", reverse("checkout:pay", args=[unpaid.verification_hash()]), BUYER)
    said = Order.objects.filter(SAID_TO_BE_PAID, user=company.customer).latest("pk")
    yield Place("shop-checkout-pay-said", reverse("checkout:pay", args=[said.verification_hash()]), BUYER)
    yield Place("shop-order-said", reverse("customer:order", args=[said.number]), BUYER)
    over = Order.objects.filter(status=Status.EXPIRED, paid_at=None).latest("pk")
    yield Place("shop-checkout-pay-over", reverse("checkout:pay", args=[over.verification_hash()]), NOBODY)
    yield from _till()
    yield Place("shop-orders", reverse("customer:orders"), BUYER)
    yield Place("shop-order", reverse("customer:order", args=[order.number]), BUYER)
    yield Place("shop-order-unpaid", reverse("customer:order", args=[unpaid.number]), BUYER)
    waits = Order.objects.filter(user=company.customer, lines__waiting__open__gt=0).latest("pk")
    yield Place("shop-order-waiting", reverse("customer:order", args=[waits.number]), BUYER)
    kit = Order.objects.filter(user=company.customer, lines__kit_number=1).latest("pk")
    yield Place("shop-order-kit", reverse("customer:order", args=[kit.number]), BUYER)
    yield Place("shop-profile", reverse("customer:profile"), BUYER)
    yield Place("shop-addresses", reverse("customer:addresses"), BUYER)
    yield Place("shop-address-new", reverse("customer:address-new"), BUYER)
    yield Place("shop-password", reverse("customer:password-change"), BUYER)
    yield Place("shop-letters", reverse("letter-box"), NOBODY)
    yield Place("api-reference", reverse("api:reference"), NOBODY, awaits="h1")
    yield Place("api-problems", reverse("api:problems"), NOBODY)
