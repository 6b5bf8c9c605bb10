"""Categories in the admin: the list is the tree. Dragged, or moved by its buttons, or in the form of one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from treebeard.forms import movenodeform_factory
from unfold.decorators import display

from integrations.hub.desk.admin_pages import StaffAdmin, badge
from shop.catalogue import moves
from shop.catalogue.admin_forms import CategoryForm
from shop.catalogue.models import Category

_COUNTS = f"""
SELECT left(category.path, {Category.steplen} * level), count(DISTINCT link.product_id)
FROM catalogue_productcategory link
JOIN catalogue_category category ON category.id = link.category_id
CROSS JOIN generate_series(1, category.depth) level
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Branch:
    """One category as the tree shows it. `products`: in it and below; `first`, `last`: among its siblings."""

    category: Category
    products: int
    state: str
    url: str
    first: bool
    last: bool


class MoveForm(forms.Form):
    """A step by a button, or a drop beside or below another category; paths say where the person saw both."""

    node = forms.IntegerField()
    node_path = forms.CharField()
    target = forms.IntegerField(required=False)
    target_path = forms.CharField(required=False)
    position = forms.ChoiceField(choices=[(word, word) for word in (*moves.POSITIONS, *moves.STEPS)])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("position") in moves.POSITIONS and not (data.get("target") and data.get("target_path")):
            raise forms.ValidationError("where to?")
        return data


@admin.register(Category)
class CategoryAdmin(StaffAdmin):
    form = movenodeform_factory(Category, form=CategoryForm)
    compressed_fields = False
    change_list_template = "admin/catalogue/category/tree.html"
    list_display = ("shown_name", "slug", "shown_state")
    list_per_page = 2000
    list_max_show_all = 2000
    ordering = ("path",)
    search_fields = ("name_zh_hans", "name_en", "slug")
    search_help_text = gettext_lazy("Name")
    actions = None
    fieldsets = (
        (gettext_lazy("Name"), {"fields": (("name_zh_hans", "name_en"), ("description_zh_hans", "description_en"))}),
        (
            gettext_lazy("Place and address"),
            {
                "fields": (
                    ("treebeard_position", "treebeard_ref_node"), "slug", ("is_public", "exclude_from_menu"),
                )
            },
        ),
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Category | None = None) -> bool:
        return request.user.has_perm("catalogue.delete_category")

    # --- the tree ---

    @display(description=gettext_lazy("name"))
    def shown_name(self, category: Category) -> str:
        return format_html(
            '{}<span class="weft-second">{}</span>', category.name_zh_hans or category.name, category.name_en or ""
        )

    @display(description=gettext_lazy("state"))
    def shown_state(self, category: Category) -> str:
        return state_badge(category)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            is_tree = not context["cl"].query
            context["branches"] = branches(context["cl"].result_list) if is_tree else None
            context["moving"] = is_tree and self.has_change_permission(request)
        return response

    def get_urls(self) -> list[URLPattern]:
        move = path("move/", self.admin_site.admin_view(self.move_view), name="catalogue_category_move")
        return [move, *super().get_urls()]

    def move_view(self, request: HttpRequest) -> HttpResponse:
        """POST only: one move; back to the tree, where the category stands now."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = MoveForm(_spelled_out(request))
        if not form.is_valid():
            messages.error(request, _("This is not a move. Nothing was changed."))
            return HttpResponseRedirect(reverse("admin:catalogue_category_changelist"))
        self._move(request, form.cleaned_data)
        return HttpResponseRedirect(
            f"{reverse('admin:catalogue_category_changelist')}#category-{form.cleaned_data['node']}"
        )

    def _move(self, request: HttpRequest, data: dict[str, Any]) -> None:
        seen = moves.Seen(data["node"], data["node_path"])
        try:
            if data["position"] in moves.STEPS:
                moved = moves.step(seen, data["position"])
            else:
                moved = moves.move(seen, moves.Seen(data["target"], data["target_path"]), data["position"])
        except tuple(_REFUSALS) as refusal:
            messages.error(request, _REFUSALS[type(refusal)])
            return
        words = _("%(name)s has moved. Its address in the shop is %(url)s now; the old one leads there.")
        said = words % {"name": moved.name, "url": moved.get_absolute_url()}
        self.log_change(request, moved, said)
        messages.success(request, said)

    # --- one category ---

    def _changeform_view(self, request: HttpRequest, *args: Any) -> HttpResponse:
        """In Django's transaction: with POST nobody else changes the tree meanwhile."""
        if request.method == "POST":
            moves.lock()
        return super()._changeform_view(request, *args)

    def _delete_view(self, request: HttpRequest, object_id: str, extra_context: Any) -> HttpResponse:
        """What has categories below it stays: they would go with it."""
        if request.method == "POST":
            moves.lock()
        category = self.get_object(request, unquote(object_id))
        if category is not None and category.numchild:
            messages.error(request, _("There are categories below it. Move or delete them first."))
            return HttpResponseRedirect(self.address(category))
        return super()._delete_view(request, object_id, extra_context)


_REFUSALS: dict[type[Exception], Any] = {
    moves.Elsewhere: gettext_lazy(
        "Somebody moved or deleted one of these categories while you were looking. Nothing was changed. Here is how "
        "the tree stands now: move it again if it is still needed."
    ),
    moves.IntoItself: gettext_lazy("A category cannot be moved below itself. Nothing was changed."),
    moves.TooDeep: gettext_lazy("The tree would get too deep. Nothing was changed."),
    moves.NoStep: gettext_lazy("It cannot go any further in that direction. Nothing was changed."),
}


def _spelled_out(request: HttpRequest) -> dict[str, Any]:
    """A button says everything in its one value: "up:12:0001"."""
    posted = request.POST.dict()
    position, node, node_path = (posted.get("step", "").split(":") + ["", ""])[:3]
    return {"position": position, "node": node, "node_path": node_path} if node else posted


def branches(categories: Iterable[Category]) -> list[Branch]:
    """The tree (in its order) with what it holds, in one query more."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        counts = dict(cursor.fetchall())
    shown = list(categories)
    firsts = {_above(category): category.pk for category in reversed(shown)}
    lasts = {_above(category): category.pk for category in shown}
    products = reverse("admin:catalogue_product_changelist")
    return [
        Branch(
            category,
            counts.get(category.path, 0),
            state_badge(category),
            f"{products}?category={category.pk}",
            first=firsts[_above(category)] == category.pk,
            last=lasts[_above(category)] == category.pk,
        )
        for category in shown
    ]


def _above(category: Category) -> str:
    """The path of its parent; empty for a root."""
    return category.path[: -category.steplen]


def state_badge(category: Category) -> str:
    """Whether customers see it, and if not, why."""
    if not category.is_public:
        return badge(_("hidden"), "warning")
    if not category.ancestors_are_public:
        return badge(_("hidden with the one above"), "warning")
    return badge(_("not in the menu")) if category.exclude_from_menu else badge(_("public"), "success")
