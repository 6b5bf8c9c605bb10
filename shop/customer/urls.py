from django.contrib.auth import views as auth
from django.urls import path, reverse_lazy

from shop.customer import passwords, views

app_name = "customer"
urlpatterns = [
    path("account/login/", views.LoginView.as_view(), name="login"),
    path("account/logout/", auth.LogoutView.as_view(), name="logout"),
    path("account/register/", views.RegisterView.as_view(), name="register"),
    path("account/password/", passwords.ChangeView.as_view(), name="password-change"),
    path("account/password/forgotten/", passwords.ForgottenView.as_view(), name="password-reset"),
    path(
        "account/password/sent/",
        auth.PasswordResetDoneView.as_view(template_name="customer/password_sent.html"),
        name="password-sent",
    ),
    path(
        "account/password/<uidb64>/<token>/",
        auth.PasswordResetConfirmView.as_view(
            template_name="customer/password_new.html", success_url=reverse_lazy("customer:login")
        ),
        name="password-new",
    ),
    path("account/orders/", views.order_list, name="orders"),
    path("account/orders/<str:number>/", views.order_detail, name="order"),
    path("account/orders/<str:number>/cancel/", views.cancel_order, name="cancel-order"),
    path("account/profile/", views.profile, name="profile"),
    path("account/addresses/", views.address_list, name="addresses"),
    path("account/addresses/new/", views.address_edit, name="address-new"),
    path("account/addresses/<int:pk>/", views.address_edit, name="address"),
    path("account/addresses/<int:pk>/<slug:action>/", views.address_action, name="address-action"),
    path("order/<str:signed>/", views.guest_order, name="guest-order"),
    path("order/<str:signed>/cancel/", views.cancel_guest_order, name="cancel-guest-order"),
]
