from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from oscar.apps.basket.signals import basket_addition

from shop.basket import fill
from shop.basket.forms import MOST, QuantityForm, VoucherForm
from shop.catalogue import facts, listing
from shop.catalogue.models import Product
from shop.checkout.quote import quote
from shop.voucher.models import Voucher


@require_safe
@never_cache
def summary(request: HttpRequest) -> HttpResponse:
    basket = request.basket
    if priced := quote(basket):
        listing.load_pictures(priced.products)
    context = {
        "quote": priced,
        "vouchers": basket.vouchers.all() if basket.pk and basket.has_vouchers else [],
        "voucher_form": VoucherForm(),
        "most": MOST,
    }
    return render(request, "basket/summary.html", context)


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    form = QuantityForm(request.POST)
    products = Product.objects.public().select_related("tax_class", "parent__tax_class").defer("search")
    shown = get_object_or_404(products, pk=pk)
    if not form.is_valid():
        messages.error(request, _("Please give a quantity between 1 and %(most)d.") % {"most": MOST})
        return redirect(shown.get_absolute_url())
    variant = form.cleaned_data["variant"]
    if shown.is_parent and not variant:
        messages.error(request, _("Please choose a variant first."))
        return redirect(shown.get_absolute_url())
    product = get_object_or_404(products, pk=variant, parent=shown) if variant else shown
    listing.load_offers([product])
    facts.name_variants([product])
    try:
        fill.add(request.plain_basket(), product, form.cleaned_data["quantity"])
    except fill.Refused as refused:
        messages.error(request, str(refused))
        return redirect(shown.get_absolute_url())
    basket_addition.send(sender=None, product=product, user=request.user, request=request)
    messages.success(request, _("“%(title)s” is in your basket.") % {"title": product.get_title()})
    return redirect("basket:summary")


@require_POST
def update(request: HttpRequest) -> HttpResponse:
    """All quantities of the basket page at once."""
    changed = False
    basket = request.plain_basket()
    for line in list(basket.all_lines()):
        wanted = request.POST.get(f"quantity-{line.pk}")
        if wanted is None:
            continue
        if not wanted.isdecimal() or int(wanted) > MOST:
            messages.error(request, _("Please give a quantity between 1 and %(most)d.") % {"most": MOST})
            continue
        try:
            changed |= fill.set_quantity(basket, line, int(wanted))
        except fill.Refused as refused:
            messages.error(request, str(refused))
    if changed:
        messages.success(request, _("Your basket has been updated."))
    return redirect("basket:summary")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    basket = request.plain_basket()
    line = next((line for line in basket.all_lines() if line.pk == pk), None)
    if line is not None:
        facts.name_variants([line.product])
        fill.set_quantity(basket, line, 0)
        messages.success(request, _("“%(title)s” was removed.") % {"title": line.product.get_title()})
    return redirect("basket:summary")


@require_POST
def add_voucher(request: HttpRequest) -> HttpResponse:
    form = VoucherForm(request.POST)
    code = form.cleaned_data["code"].strip() if form.is_valid() else ""
    voucher = Voucher.objects.filter(code__iexact=code).first() if code else None
    if voucher is None or not voucher.is_active():
        messages.error(request, _("We do not know this voucher, or it is no longer valid."))
    elif not voucher.is_available_to_user(user=request.user)[0]:
        messages.error(request, _("This voucher has been used already, or is for logged-in customers only."))
    elif (basket := request.plain_basket()).is_empty:
        messages.error(request, _("Put something into your basket first."))
    else:
        basket.vouchers.add(voucher)
        messages.success(request, _("Voucher %(code)s is in your basket.") % {"code": voucher.code})
    return redirect("basket:summary")


@require_POST
def remove_voucher(request: HttpRequest, pk: int) -> HttpResponse:
    basket = request.plain_basket()
    if basket.pk:
        basket.vouchers.remove(pk)
    return redirect("basket:summary")
