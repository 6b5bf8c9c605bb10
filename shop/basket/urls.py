from django.urls import path

from shop.basket import views

app_name = "basket"
urlpatterns = [
    path("", views.summary, name="summary"),
    path("add/<int:pk>/", views.add, name="add"),
    path("update/", views.update, name="update"),
    path("remove/<int:pk>/", views.remove, name="remove"),
    path("vouchers/add/", views.add_voucher, name="add-voucher"),
    path("vouchers/<int:pk>/remove/", views.remove_voucher, name="remove-voucher"),
]
