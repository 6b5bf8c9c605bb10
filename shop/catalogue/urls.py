from django.urls import path, re_path

from shop.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.home, name="home"),
    path("products/", views.browse, name="browse"),
    # A title without a Latin letter may leave an empty slug; the key alone finds the product.
    re_path(r"^products/(?P<product_slug>[\w-]*)_(?P<pk>\d+)/$", views.detail, name="detail"),
    re_path(r"^categories/(?P<category_slug>[\w/-]*)_(?P<pk>\d+)/$", views.category, name="category"),
    path("search/", views.found, name="search"),
]
