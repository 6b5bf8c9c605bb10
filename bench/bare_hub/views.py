"""The least that could keep a message: a view that inserts one row, as Django's tutorial would."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from integrations.hub.models import Cursor


@csrf_exempt
def keep(request: HttpRequest) -> HttpResponse:
    account, _, name = request.headers["Bench-Id"].partition("-")
    Cursor.objects.create(account_id=int(account), name=name, value=request.body.decode())
    return HttpResponse("success")
