from django.urls import path

from shop.payments import views

app_name = "payments"
urlpatterns = [
    path("order/<str:signed>/", views.begin, name="begin"),
    path("payer/", views.payer, name="payer"),
    path("<str:number>/<str:token>/", views.page, name="page"),
    path("<str:number>/<str:token>/status/", views.status, name="status"),
    path("<str:number>/<str:token>/return/", views.returned, name="return"),
]
