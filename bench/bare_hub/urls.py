from django.urls import include, path

from bench.bare_hub.views import keep

urlpatterns = [
    path("hooks/bare/", keep),
    path("", include("shop.urls")),
]
