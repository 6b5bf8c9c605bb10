"""Saved lists, each person's own, and the log of what staff did."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from integrations.hub.desk.admin_pages import StaffAdmin, ViewOnlyAdmin
from shop.customer.admin_groups import group_name
from shop.desk import saved
from shop.desk.models import SavedList

SHARE = "desk.share_savedlist"


class GroupField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return group_name(obj)


class SavedListForm(forms.ModelForm):
    """`owner` and `may_see` (names of lists) are set by the admin."""

    owner: Any
    may_see: frozenset[str]

    class Meta:
        model = SavedList
        fields = ("name", "list", "query", "group", "is_default")
        widgets = {"list": forms.HiddenInput(), "query": forms.HiddenInput()}

    def clean_list(self) -> str:
        if self.instance.pk:
            return str(self.instance.list)
        if self.cleaned_data["list"] not in self.may_see:
            raise ValidationError(_("There is no such list."))
        return str(self.cleaned_data["list"])

    def clean_query(self) -> str:
        if self.instance.pk:
            return str(self.instance.query)
        try:
            return saved.cleaned(self.cleaned_data["query"])
        except ValueError:
            raise ValidationError(_("These are too many filters to keep.")) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        same = SavedList.objects.filter(owner=self.owner, list=data.get("list"), name=data.get("name"))
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("name", _("You have kept this list under this name before."))
        return data


@admin.register(SavedList)
class SavedListAdmin(StaffAdmin):
    """Everybody's own business: no right is needed to keep a list, and nobody sees or changes another's here."""

    form = SavedListForm
    list_display = ("name", "shown_list", "shown_group", "is_default", "open")
    show_add_link = False
    list_select_related = ("group",)
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name")
    readonly_fields = ("shown_list", "shown_query")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedList]:
        return super().get_queryset(request).filter(owner=request.user.pk)

    def get_fields(self, request: HttpRequest, obj: SavedList | None = None) -> Any:
        sharing = ("group",) if request.user.has_perm(SHARE) else ()
        known = ("shown_list", "shown_query") if obj else ("list", "query")
        return ("name", *known, *sharing, "is_default")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change, **kwargs)
        pages = saved.lists().items()
        may_see = frozenset(label for label, page in pages if page.has_view_permission(request))
        return type("OwnSavedListForm", (made,), {"owner": request.user, "may_see": may_see})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "group":
            everybody = Group.objects.order_by("name")
            theirs = everybody if request.user.is_superuser else everybody.filter(user=request.user.pk)
            kwargs |= {"form_class": GroupField, "queryset": theirs}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: SavedList, form: Any, change: bool) -> None:
        """One list opens by itself: the newest choice."""
        obj.owner_id = request.user.pk  # type: ignore[assignment]
        if obj.is_default:
            others = SavedList.objects.filter(owner=obj.owner_id, list=obj.list, is_default=True)
            others.exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One after the other: there is nothing to add another to. A new one says what is kept."""
        page = saved.lists().get(request.GET.get("list", ""))
        about = {"subtitle": str(page.opts.verbose_name_plural)} if page and not object_id else {}
        words = {"show_save_and_add_another": False, "show_save_and_continue": False, **about, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, words)

    def response_add(self, request: HttpRequest, obj: SavedList, post_url_continue: Any = None) -> HttpResponse:
        """Back to the list, as it was kept."""
        self.message_user(request, _("Kept as %(name)s.") % {"name": obj.name})
        return HttpResponseRedirect(obj.link)

    # --- rights ---

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: SavedList | None = None) -> bool:
        return bool(request.user.is_staff) and (obj is None or obj.owner_id == request.user.pk)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Lists are kept from where they are shown; there is no empty form to begin with."""
        return bool(request.user.is_staff) and ("list" in request.GET or request.method == "POST")

    # --- columns ---

    @display(description=gettext_lazy("list"), ordering="list")
    def shown_list(self, row: SavedList) -> str:
        page = saved.lists().get(row.list)
        return str(page.opts.verbose_name_plural) if page else row.list

    @display(description=gettext_lazy("filters"))
    def shown_query(self, row: SavedList) -> str:
        return row.query or "–"

    @display(description=gettext_lazy("shared with"), ordering="group")
    def shown_group(self, row: SavedList) -> str:
        return group_name(row.group) if row.group else "–"

    @display(description="")
    def open(self, row: SavedList) -> str:
        return format_html('<a href="{}">{}</a>', row.link, _("open the list")) if row.list in saved.lists() else ""


ACTIONS: dict[int, Any] = {
    ADDITION: gettext_lazy("added"),
    CHANGE: gettext_lazy("changed"),
    DELETION: gettext_lazy("deleted"),
}


@admin.register(LogEntry)
class LogEntryAdmin(ViewOnlyAdmin):
    """What staff did in the admin, and which lists they took out as files."""

    list_display = ("action_time", "user", "what", "about", "words")
    list_display_links = None
    list_filter = ("action_time", ("user", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__email")
    search_help_text = gettext_lazy("Words, or the person's e-mail")
    ordering = ("-pk",)
    export_permission = "customer.export_personal"
    fields = ("action_time", "user", "what", "about", "words")
    readonly_fields = fields

    @display(description=gettext_lazy("what"), ordering="action_flag")
    def what(self, entry: LogEntry) -> str:
        return str(ACTIONS.get(entry.action_flag, ""))

    @display(description=gettext_lazy("on"))
    def about(self, entry: LogEntry) -> str:
        model = entry.content_type.model_class() if entry.content_type else None
        kind = str(model._meta.verbose_name) if model else ""
        link = entry.get_admin_url() if entry.object_id else None
        shown = format_html('<a href="{}">{}</a>', link, entry.object_repr) if link else entry.object_repr
        return format_html('{}<span class="weft-second">{}</span>', shown, kind)

    @display(description=gettext_lazy("what was said"))
    def words(self, entry: LogEntry) -> str:
        return entry.get_change_message()
