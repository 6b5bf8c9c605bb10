from django.urls import include, path

from bench.bare_api.views import BareProducts, BareStock

urlpatterns = [
    path("bare/products/", BareProducts.as_view()),
    path("bare/stock/", BareStock.as_view()),
    path("", include("shop.urls")),
]
