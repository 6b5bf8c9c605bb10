from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from integrations.hub.incoming import hooks
from shop.crawlers import robots, sitemap, sitemap_section
from shop.customer.views import set_language
from shop.mail.views import letter_box
from shop.media import media

urlpatterns = [
    path("", include("shop.catalogue.urls")),
    path("basket/", include("shop.basket.urls")),
    path("checkout/", include("shop.checkout.urls")),
    path("pay/", include("shop.payments.urls")),
    path("", include("shop.customer.urls")),
    path("language/", set_language, name="set_language"),
    path("robots.txt", robots, name="robots"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("sitemap-<slug:section>.xml", sitemap_section, name="sitemap-section"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("shop.api.urls")),
    path("hooks/<str:kind>/<str:provider>/<str:token>/", hooks.receive, name="hook"),
]
handler400 = "shop.errors.bad_request"
handler404 = "shop.errors.not_found"
handler500 = "shop.errors.server_error"

if settings.WEFT_MODE != "production":
    urlpatterns += [
        path(f"{settings.MEDIA_URL.strip('/')}/<path:path>", media),
        path("demo/mail/", letter_box, name="letter-box"),
    ]
