from django.urls import path

from shop.checkout import views

app_name = "checkout"
urlpatterns = [
    path("", views.details, name="details"),
    path("review/", views.review, name="review"),
    path("pay/<str:signed>/", views.pay, name="pay"),
    path("pay/<str:signed>/made/", views.transfer_made, name="transfer-made"),
]
