"""One product with a picture and stock, in whatever shop the environment names: `python -m tests.operations.goods`."""

from __future__ import annotations

import django
from PIL import Image

SKU = "CHAIR-1"


def sell() -> str:
    """The page of the product."""
    from shop.catalogue import pictures
    from tests import factories

    made = factories.product(SKU, price="113.00")
    factories.stock(SKU, SZ=10)
    pictures.add(made, Image.new("RGB", (60, 40), "#c8452f"))
    return made.get_absolute_url()


if __name__ == "__main__":
    django.setup()
    print(sell())
