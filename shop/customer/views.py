from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import CreateView
from django.views.i18n import set_language as django_set_language

from shop.customer import addresses, orders
from shop.customer.forms import LoginForm, ProfileForm, RegisterForm
from shop.order import kits, lifecycle
from shop.order.models import Order, Status

ORDERS_PER_PAGE = 20


def remember_language(response: HttpResponse, language: str) -> HttpResponse:
    """Show the coming pages in the language the person chose."""
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE or 365 * 24 * 3600,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
        )
    return response


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Django's, remembered beyond this browser session and with the account."""
    language = request.POST.get("language", "")
    response = remember_language(django_set_language(request), language)
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        get_user_model().objects.filter(pk=request.user.pk).update(language=language)
    return response


class LoginView(auth.LoginView):
    template_name = "customer/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: LoginForm) -> HttpResponse:
        return remember_language(super().form_valid(form), form.get_user().language)


class RegisterView(auth.RedirectURLMixin, CreateView):
    template_name = "customer/register.html"
    form_class = RegisterForm
    next_page = reverse_lazy("customer:orders")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: RegisterForm) -> HttpResponse:
        form.instance.language = self.request.LANGUAGE_CODE
        response = super().form_valid(form)
        login(self.request, self.object, backend=settings.AUTHENTICATION_BACKENDS[0])
        messages.success(self.request, _("Welcome! Your account is ready."))
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)


@login_required
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(orders.of_customer(request.user), ORDERS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "customer/orders.html",
        {
            "page": page,
            "numbers": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
            "here": "orders",
        },
    )


@login_required
@never_cache
@require_safe
def order_detail(request: HttpRequest, number: str) -> HttpResponse:
    order = get_object_or_404(orders.with_details(orders.of_customer(request.user)), number=number)
    return _order_page(request, order, reverse("customer:cancel-order", args=[number]))


@never_cache
@require_safe
def guest_order(request: HttpRequest, signed: str) -> HttpResponse:
    """Whoever has the signed link from the mail sees the order, without an account."""
    order = get_object_or_404(orders.with_details(Order.objects.all()), number=orders.by_link(signed))
    return _order_page(request, order, reverse("customer:cancel-guest-order", args=[signed]))


def _order_page(request: HttpRequest, order: Order, cancel_url: str) -> HttpResponse:
    context = {
        "order": order,
        "things": kits.bought(order.lines.all()),
        "awaits_goods": order.is_open,
        "timeline": orders.timeline(order),
        "taxes": orders.taxes(order),
        "country": addresses.country_name(order.shipping_address.country_id) if order.shipping_address else "",
        "goods_before": sum(line.line_price_before_discounts_incl_tax for line in order.lines.all()),
        "discount": sum(
            line.line_price_before_discounts_incl_tax - line.line_price_incl_tax for line in order.lines.all()
        ),
        "may_cancel": order.status == Status.PENDING_PAYMENT,
        "cancel_url": cancel_url,
        "payment": orders.payment(order),
        "signed": order.verification_hash(),
    }
    return render(request, "customer/order.html", context)


@login_required
@require_POST
def cancel_order(request: HttpRequest, number: str) -> HttpResponse:
    order = get_object_or_404(orders.of_customer(request.user), number=number)
    _cancel(request, order, actor=f"customer:{request.user.pk}")
    return redirect("customer:order", number=number)


@require_POST
def cancel_guest_order(request: HttpRequest, signed: str) -> HttpResponse:
    order = get_object_or_404(Order, number=orders.by_link(signed))
    _cancel(request, order, actor="customer")
    return redirect("customer:guest-order", signed=signed)


def _cancel(request: HttpRequest, order: Order, *, actor: str) -> None:
    """Only while unpaid; afterwards it is a matter for staff."""
    if order.status != Status.PENDING_PAYMENT:
        messages.error(request, _("This order cannot be cancelled here any more. Please contact us."))
        return
    try:
        lifecycle.cancel(order.number, actor=actor, reason="cancelled by the customer")
    except lifecycle.IllegalMove:  # it moved on while the page was open
        messages.error(request, _("This order cannot be cancelled here any more. Please contact us."))
        return
    messages.success(request, _("Your order is cancelled."))


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    initial = {"language": request.user.language or request.LANGUAGE_CODE}
    form = ProfileForm(request.POST or None, instance=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        messages.success(request, _("Saved."))
        return remember_language(redirect("customer:profile"), user.language)
    return render(request, "customer/profile.html", {"form": form, "here": "profile"})


@login_required
@require_safe
def address_list(request: HttpRequest) -> HttpResponse:
    known = addresses.UserAddress.objects.filter(user=request.user).order_by("-is_default_for_shipping", "-pk")
    return render(
        request,
        "customer/addresses.html",
        {"addresses": [(a, addresses.parts_of(a)) for a in known], "here": "addresses"},
    )


@login_required
def address_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new address, or one of the user's own."""
    address = get_object_or_404(addresses.UserAddress, pk=pk, user=request.user) if pk else None
    initial = addresses.parts_of(address) if address else {"country": "CN", "name": request.user.name}
    form = addresses.AddressForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        addresses.keep(request.user, form.parts(), address)
        messages.success(request, _("Saved."))
        return redirect("customer:addresses")
    return render(request, "customer/address.html", {"form": form, "address": address, "here": "addresses"})


@login_required
@require_POST
def address_action(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    address = get_object_or_404(addresses.UserAddress, pk=pk, user=request.user)
    if action == "delete":
        address.delete()
    elif action == "default":
        address.is_default_for_shipping = True
        address.save()
    else:
        raise Http404
    return redirect("customer:addresses")
