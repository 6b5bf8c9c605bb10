"""Returns, credit notes and money adjustments, as staff see them. Nothing is edited here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import display

from integrations.hub.desk.admin_pages import ViewOnlyAdmin
from integrations.hub.files import exports
from shop.pricing.templatetags.prices import money
from shop.returns.models import Adjustment, CreditNote, CreditNoteLine, Return, ReturnLine
from shop.said import who
from shop.stock.admin_links import order_link


class Contents(TabularInline):
    """Lines of a document: shown, never changed."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReturnLineInline(Contents):
    model = ReturnLine
    fields = ("sku", "quantity", "bought_on", "warehouse")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnLine]:
        return super().get_queryset(request).select_related("line__order", "warehouse")

    @display(description=gettext_lazy("SKU"))
    def sku(self, line: ReturnLine) -> str:
        return line.line.partner_sku

    @display(description=gettext_lazy("bought on order"))
    def bought_on(self, line: ReturnLine) -> str:
        return order_link(line.line.order.number)


class CreditNoteLineInline(Contents):
    model = CreditNoteLine
    fields = ("sku", "title", "quantity", "unit", "gross")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditNoteLine]:
        return super().get_queryset(request).select_related("credit_note")

    @display(description=gettext_lazy("unit price (inc. tax)"))
    def unit(self, line: CreditNoteLine) -> str:
        return money(line.unit_price_incl_tax, line.credit_note.currency)

    @display(description=gettext_lazy("price (inc. tax)"))
    def gross(self, line: CreditNoteLine) -> str:
        return money(line.line_price_incl_tax, line.credit_note.currency)


@admin.register(Return)
class ReturnAdmin(ViewOnlyAdmin):
    list_display = ("number", "source_account", "buyer_reference", "contents", "received_at", "by")
    list_filter = ("received_at", "source_account")
    search_fields = ("number", "buyer_reference", "lines__line__partner_sku", "lines__line__order__number")
    search_help_text = gettext_lazy("Return, buyer, order number or SKU")
    fields = ("number", "source_account", "buyer_reference", "received_at", "by", "is_historical", "credited_by")
    readonly_fields = ("credited_by", "by")
    inlines = (ReturnLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Return]:
        return super().get_queryset(request).prefetch_related("lines__line", "credit_notes")

    @display(description=gettext_lazy("by"), ordering="actor")
    def by(self, returned: Return) -> str:
        return who(returned.actor)

    @display(description=gettext_lazy("contents"))
    def contents(self, returned: Return) -> str:
        return format_html_join(", ", "{} × {}", ((one.quantity, one.line.partner_sku) for one in returned.lines.all()))

    @display(description=gettext_lazy("credit notes"))
    def credited_by(self, returned: Return) -> str:
        notes = returned.credit_notes.all()
        return format_html_join(", ", '<a href="{}">{}</a>', ((note_address(note), note.number) for note in notes))


def note_address(note: CreditNote) -> str:
    """Where a credit note is shown."""
    return reverse("admin:returns_creditnote_change", args=[note.pk])


@admin.register(CreditNote)
class CreditNoteAdmin(ViewOnlyAdmin):
    list_display = ("number", "source_account", "buyer_reference", "total", "for_return", "issued_at", "by")
    list_filter = (("returned", admin.EmptyFieldListFilter), "issued_at", "source_account")
    list_select_related = ("returned",)
    search_fields = ("number", "buyer_reference", "=lines__sku")
    search_help_text = gettext_lazy("Credit note, buyer or SKU")
    fields = (
        "number", "source_account", "buyer_reference", "for_return", "total", "net", "issued_at", "by",
        "is_historical",
    )  # fmt: skip
    readonly_fields = ("for_return", "total", "net", "by")
    inlines = (CreditNoteLineInline,)
    exported = (
        exports.text(gettext_lazy("number"), lambda note: note.number),
        exports.text(gettext_lazy("source"), lambda note: note.source_account),
        exports.text(gettext_lazy("buyer at the source"), lambda note: note.buyer_reference),
        exports.text(gettext_lazy("currency"), lambda note: note.currency),
        exports.text(gettext_lazy("gross"), lambda note: note.total_incl_tax),
        exports.text(gettext_lazy("net"), lambda note: note.total_excl_tax),
        exports.text(gettext_lazy("tax"), lambda note: note.total_incl_tax - note.total_excl_tax),
        exports.text(gettext_lazy("return"), lambda note: note.returned.number if note.returned else ""),
        exports.time(gettext_lazy("issued at"), lambda note: note.issued_at),
        exports.text(gettext_lazy("by"), lambda note: who(note.actor)),
    )

    @display(description=gettext_lazy("by"), ordering="actor")
    def by(self, note: CreditNote) -> str:
        return who(note.actor)

    @display(description=gettext_lazy("total (inc. tax)"), ordering="total_incl_tax")
    def total(self, note: CreditNote) -> str:
        return money(note.total_incl_tax, note.currency)

    @display(description=gettext_lazy("total (excl. tax)"))
    def net(self, note: CreditNote) -> str:
        return money(note.total_excl_tax, note.currency)

    @display(description=gettext_lazy("return"), ordering="returned")
    def for_return(self, note: CreditNote) -> str:
        if note.returned is None:
            return "–"
        address = reverse("admin:returns_return_change", args=[note.returned_id])
        return format_html('<a href="{}">{}</a>', address, note.returned.number)


@admin.register(Adjustment)
class AdjustmentAdmin(ViewOnlyAdmin):
    list_display = ("number", "source_account", "buyer_reference", "sku", "shown_amount", "reason", "at")
    list_filter = ("at", "source_account")
    search_fields = ("number", "buyer_reference", "reason", "=sku")
    search_help_text = gettext_lazy("Document, buyer, reason or SKU")
    fields: Any = (
        "number", "source_account", "position", "buyer_reference", "sku", "shown_amount", "reason", "at",
        "is_historical",
    )  # fmt: skip
    readonly_fields = ("shown_amount",)
    exported = (
        exports.text(gettext_lazy("document"), lambda row: row.number),
        exports.text(gettext_lazy("source"), lambda row: row.source_account),
        exports.text(gettext_lazy("position"), lambda row: row.position),
        exports.text(gettext_lazy("buyer at the source"), lambda row: row.buyer_reference),
        exports.text(gettext_lazy("SKU"), lambda row: row.sku),
        exports.text(gettext_lazy("currency"), lambda row: row.currency),
        exports.text(gettext_lazy("amount"), lambda row: row.amount),
        exports.text(gettext_lazy("reason"), lambda row: row.reason),
        exports.time(gettext_lazy("at"), lambda row: row.at),
    )

    @display(description=gettext_lazy("amount"), ordering="amount")
    def shown_amount(self, adjustment: Adjustment) -> str:
        return money(adjustment.amount, adjustment.currency)
