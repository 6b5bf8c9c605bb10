"""What every page of the storefront shows around its content."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from shop.catalogue import tree


def storefront(request: HttpRequest) -> dict[str, Any]:
    """Nothing here is computed before a template asks for it: the admin's pages use this too."""
    return {
        "shop_name": settings.OSCAR_SHOP_NAME,
        "shop_url": settings.WEFT_SHOP_URL,
        "categories": tree.roots,
        "units_in_basket": getattr(request, "units_in_basket", int),
        "show_net_prices": settings.WEFT_SHOW_NET_PRICES,
    }
