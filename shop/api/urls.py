from django.urls import path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView

from shop.api import problems, schema
from shop.api.orders import OrderDetail, OrderList
from shop.api.products import ProductDetail, ProductList
from shop.api.stock import StockDetail, StockList
from shop.api.tokens import TokenView

app_name = "api"


class Sku:
    """A SKU may hold slashes; no text of the database holds NUL."""

    regex = r"[^\x00]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Sku, "sku")

urlpatterns = [
    path("token/", TokenView.as_view(), name="token"),
    path("products/", ProductList.as_view(), name="products"),
    path("products/<sku:sku>/", ProductDetail.as_view(), name="product"),
    path("stock/", StockList.as_view(), name="stock-list"),
    path("stock/<sku:sku>/", StockDetail.as_view(), name="stock"),
    path("orders/", OrderList.as_view(), name="orders"),
    path("orders/<sku:number>/", OrderDetail.as_view(), name="order"),
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", schema.reference, name="reference"),
    path("problems/", problems.kinds, name="problems"),
]
