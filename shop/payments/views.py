"""The buyer's pages of a payment: begun, paid elsewhere or by a QR code, and told the truth by our own row.

Nothing a browser brings back is believed: the pages show what the provider told us, and say so while it is not known.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from integrations.hub import registry
from integrations.hub.errors import HubError
from integrations.hub.workers import wakeups
from integrations.payments.base import Payments, Scene
from shop.customer import orders
from shop.order.models import Order, Status
from shop.payments import numbers, scenes, starting
from shop.payments.models import OVER, Attempt, AttemptStatus
from shop.payments.starting import CannotPay, Offer

SESSION = "payer"  # what the browser was sent to be recognised for
RETRY = 3  # seconds between two looks of a page at our row
UNPAID = ("waiting", "stale")
RELOAD = 10  # seconds until a page without scripts loads itself again


# --- beginning -------------------------------------------------------------------------------------------------------


@never_cache
@require_POST
def begin(request: HttpRequest, signed: str) -> HttpResponse:
    """Start a payment of the order with the way that was chosen, or learn first who pays."""
    order = get_object_or_404(Order, number=orders.by_link(signed))
    offer = _offer(order, request, request.POST.get("with", ""))
    if offer is None:
        messages.warning(request, _("This way to pay is not offered any more. Choose another one."))
        return redirect("checkout:pay", signed=signed)
    if offer.method.needs_payer:
        return _recognise(request, signed, offer)
    return _begin(request, signed, order, offer)


def _offer(order: Order, request: HttpRequest, chosen: str) -> Offer | None:
    offers = starting.offers(order, scenes.scene(request.headers.get("user-agent", "")))
    return next((one for one in offers if one.code == chosen), None)


def _begin(request: HttpRequest, signed: str, order: Order, offer: Offer, payer: str = "") -> HttpResponse:
    try:
        attempt = starting.begin(order, offer.account, offer.method.code, payer=payer, payer_ip=scenes.address(request))
    except CannotPay as refusal:
        messages.error(request, str(refusal))
        return redirect("checkout:pay", signed=signed)
    wakeups.queue("shop.payments.tasks.look")
    return redirect(attempt.action.get("redirect") or _url("payments:page", attempt))


def _recognise(request: HttpRequest, signed: str, offer: Offer) -> HttpResponse:
    """Send the browser to the provider, which sends it back with a word of who it is."""
    state = secrets.token_urlsafe(24)
    request.session[SESSION] = {"state": state, "signed": signed, "with": offer.code}
    remote: Payments = registry.connect(offer.account)
    return redirect(remote.payer_url(request.build_absolute_uri(reverse("payments:payer")), state))


@never_cache
@require_safe
@sensitive_variables("openid")
def payer(request: HttpRequest) -> HttpResponse:
    """The browser is back. The state is this session's, once; who pays is asked of the provider."""
    asked = request.session.pop(SESSION, None)
    if not asked or not secrets.compare_digest(asked["state"], request.GET.get("state", "")):
        raise Http404
    signed = asked["signed"]
    order = get_object_or_404(Order, number=orders.by_link(signed))
    offer = _offer(order, request, asked["with"])
    if offer is None:
        return redirect("checkout:pay", signed=signed)
    try:
        remote: Payments = registry.connect(offer.account, budget=starting.SECONDS)
        openid = remote.payer(request.GET.dict())
    except HubError:
        messages.error(request, _("The payment provider does not answer. Try again, or choose another way to pay."))
        return redirect("checkout:pay", signed=signed)
    return _begin(request, signed, order, offer, payer=openid)


# --- a payment's pages -----------------------------------------------------------------------------------------------


def _attempt(number: str, token: str) -> Attempt:
    if not numbers.is_page_token(number, token):
        raise Http404
    return get_object_or_404(Attempt.objects.select_related("order", "account"), number=number)


@never_cache
@require_safe
def page(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """What to do now, or how it ended."""
    return _page(request, _attempt(number, token), token)


@never_cache
@require_safe
def returned(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """The browser is back from the provider. Whatever it brings is ignored; the provider is asked."""
    attempt = _attempt(number, token)
    if state(attempt) in UNPAID:
        Attempt.objects.filter(pk=attempt.pk, captured=0).update(look_at=timezone.now(), looks=0)
        wakeups.queue("shop.payments.tasks.look")
    return _page(request, attempt, token, is_back=True)


def _page(request: HttpRequest, attempt: Attempt, token: str, *, is_back: bool = False) -> HttpResponse:
    now, where = state(attempt), scenes.scene(request.headers.get("user-agent", ""))
    context: dict[str, Any] = {
        "attempt": attempt,
        "order": attempt.order,
        "state": now,
        "is_back": is_back,
        "method": starting.label(attempt),
        "signed": attempt.order.verification_hash(),
        "status_url": reverse("payments:status", args=[attempt.number, token]),
        "retry": RETRY,
        "reload": RELOAD,
        "seconds_left": max(0, int((attempt.expires_at - timezone.now()).total_seconds())),
        "is_phone": where is not Scene.DESKTOP,
        "is_wechat": where is Scene.WECHAT,
        "again": f"{attempt.account_id}:{attempt.method}",
        "qr": "",
        "js_params": json.dumps(attempt.action.get("js")),
    }
    if now == "waiting" and (content := attempt.action.get("qr")):
        context["qr"] = _svg(content)
    return render(request, "payments/page.html", context)


def _svg(content: str) -> str:
    code = segno.make(content, error="m", micro=False)
    return mark_safe(
        code.svg_inline(border=2, svgclass="qr", lineclass=None, omitsize=True)
    )  # as wide as there is room


@never_cache
@require_safe
def status(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """By our row only."""
    now = state(_attempt(number, token))
    return JsonResponse({"state": now, "retry_after": RETRY if now in (*UNPAID, "told") else None})


def state(attempt: Attempt) -> str:
    """`waiting` for the buyer or the provider; `stale`: the same, but what the browser was given works no more;
    `told`: paid, and the order hears of it this moment; `paid`; `review`: we have the money, and a person looks;
    `back`: it was given back; `over`."""
    if attempt.was_paid:
        if attempt.captured and attempt.refundable <= 0:
            return "back"
        if attempt.review and not attempt.reviewed_at:
            return "review"
        return "paid" if attempt.advanced_at else "told"
    if attempt.status in OVER or attempt.close_at or attempt.expires_at <= timezone.now():
        return "over"
    if attempt.status == AttemptStatus.STARTING or attempt.order.status != Status.PENDING_PAYMENT:
        return "over"
    return "stale" if starting.is_stale(attempt) else "waiting"


def _url(name: str, attempt: Attempt) -> str:
    return reverse(name, args=[attempt.number, numbers.page_token(attempt.number)])
