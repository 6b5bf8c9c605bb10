"""Sales channels: how they are given stock, and what each may sell of each SKU."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import action, display

from integrations.hub import outgoing
from integrations.hub.desk.admin_pages import Refused, StaffAdmin, act, badge
from integrations.hub.files import exports
from integrations.hub.models import Account, AccountState
from shop.channels.figures import may_guarantee
from shop.stock import escrow, finding
from shop.stock.admin_ledgers import SkuFilter
from shop.stock.admin_links import pool_link, rows_link
from shop.stock.models import Channel, Closure, Mode, Pool, Push, Share
from shop.stock.reasons import mode_of, why

OPERATE = ["stock.change_channel"]


class ChannelForm(forms.ModelForm):
    class Meta:
        model = Channel
        fields = ("account", "mode", "weight", "buffer")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "account" in self.fields:
            free = Account.objects.filter(kind="channel", channel=None).exclude(state=AccountState.RETIRED)
            self.fields["account"].queryset = free  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        account = data.get("account") or (self.instance.account if self.instance.pk else None)
        if account is not None and data.get("mode") == Mode.GUARANTEED and not may_guarantee(account):
            words = _(
                "This channel does not say when a figure is live, so nothing can be guaranteed: choose shared mode."
            )
            self.add_error("mode", words)
        return data


class ClosureInline(TabularInline):
    model = Closure
    extra = 0
    fields = ("warehouse",)
    verbose_name = gettext_lazy("warehouse that does not sell for it")
    verbose_name_plural = gettext_lazy("warehouses that do not sell for it")


class OfferForm(forms.Form):
    skus = forms.CharField(
        label=gettext_lazy("SKUs, one on each line; empty: all that have stock"),
        required=False, widget=forms.Textarea(attrs={"rows": 8, "class": "weft-lines"}),
    )  # fmt: skip

    def clean_skus(self) -> list[str]:
        wanted = sorted({line.strip() for line in self.cleaned_data["skus"].splitlines() if line.strip()})
        known = set(Pool.objects.filter(sku__in=wanted).values_list("sku", flat=True))
        if unknown := [sku for sku in wanted if sku not in known]:
            raise forms.ValidationError(_("Not in stock here: %(skus)s") % {"skus": ", ".join(unknown[:10])})
        return wanted


@admin.register(Channel)
class ChannelAdmin(StaffAdmin):
    form = ChannelForm
    inlines = (ClosureInline,)
    list_display = ("account", "mode", "weight", "buffer", "offered", "set_aside", "watermark")
    list_select_related = ("account",)
    readonly_fields = ("watermark",)
    actions_detail = ("offer", "let_go")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        mine = Share.objects.filter(channel=OuterRef("pk")).order_by().values("channel")
        return super().get_queryset(request).annotate(units=Subquery(mine.annotate(n=Sum("escrow")).values("n")))

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        return ("account", *self.readonly_fields) if obj else self.readonly_fields

    @display(description=gettext_lazy("SKUs"))
    def offered(self, channel: Channel) -> str:
        return rows_link("share", _("see"), channel__exact=channel.pk)

    @display(description=gettext_lazy("set aside"))
    def set_aside(self, channel: Any) -> str:
        return str(channel.units or 0)

    def offers(self, action: str, obj: Channel) -> bool:
        return action == "offer" or obj.account.state in (AccountState.PAUSED, AccountState.RETIRED)

    @action(description=gettext_lazy("Offer SKUs there"), url_path="offer", icon="add", permissions=OPERATE)
    def offer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        channel = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            pools = Pool.objects.filter(sku__in=data["skus"]) if data["skus"] else Pool.objects.filter(on_hand__gt=0)
            made = Share.objects.bulk_create(
                [Share(channel=channel, pool=pool) for pool in pools], ignore_conflicts=True
            )
            return _("Offered there: %(n)d SKUs") % {"n": len(made)}

        explain = [_("The channel is told 0 of each first; it is given units once all it has sold before is known.")]
        return act(self, request, channel, do, form=OfferForm, explain=explain, title=_("Offer SKUs there"),
                   button=_("Offer"))  # fmt: skip

    @action(description=gettext_lazy("Free what is set aside"), url_path="let-go", icon="lock_open",
            permissions=OPERATE)  # fmt: skip
    def let_go(self, request: HttpRequest, object_id: str) -> HttpResponse:
        channel = self.wanted(request, object_id)

        def do(data: dict[str, Any]) -> str:
            if not self.offers("let_go", channel):
                raise Refused(_("Pause the account first: it must not be sent anything meanwhile."), final=True)
            with outgoing.recording():
                freed = escrow.abandon(channel.pk)
            return _("Free again: %(n)d units") % {"n": sum(freed.values())}

        explain = [
            _("Only when the channel sells nothing any more and all its orders are in."),
            _("What it sells after this may be sold twice."),
        ]
        return act(self, request, channel, do, explain=explain, title=_("Free what is set aside"),
                   button=_("It sells nothing any more"), danger=True)  # fmt: skip


@admin.register(Share)
class ShareAdmin(StaffAdmin):
    list_display = ("sku", "channel", "shown_mode", "is_offered", "shown", "escrow", "target", "reason")
    list_filter = (SkuFilter, "channel", "is_offered", "mode")
    list_select_related = ("channel__account",)
    search_fields = ("=pool__sku",)
    search_help_text = gettext_lazy("SKU")
    fields = ("sku", "channel", "mode", "is_offered", "shown", "shown_at", "escrow", "target", "reason", "sent")
    readonly_fields = ("sku", "channel", "shown", "shown_at", "escrow", "target", "reason", "sent")
    exported = (
        exports.text(gettext_lazy("SKU"), lambda share: share.pool_id),
        exports.text(gettext_lazy("sales channel"), lambda share: str(share.channel)),
        exports.text(gettext_lazy("sent last"), lambda share: share.shown),
        exports.text(gettext_lazy("escrow"), lambda share: share.escrow),
        exports.text(gettext_lazy("should show"), lambda share: share.target),
        exports.text(gettext_lazy("why"), why),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Share]:
        newest = Push.objects.filter(share=OuterRef("share")).order_by("-pk").values("pk")[:1]
        last = Push.objects.filter(pk=Subquery(newest))
        return super().get_queryset(request).prefetch_related(Prefetch("pushes", last, to_attr="newest"))

    def found(self, text: str) -> QuerySet[Share]:
        return Share.objects.filter(pool__in=list(finding.spelled(text)))

    @display(description=gettext_lazy("SKU"), ordering="pool")
    def sku(self, share: Share) -> str:
        return pool_link(share.pool_id)

    @display(description=gettext_lazy("mode"))
    def shown_mode(self, share: Share) -> str:
        mode = mode_of(share)
        return badge(mode.label, "success" if mode == Mode.GUARANTEED else "warning")

    @display(description=gettext_lazy("why"))
    def reason(self, share: Any) -> str:
        share.last = share.newest[0] if getattr(share, "newest", None) else None
        return why(share)

    @display(description=gettext_lazy("figures sent"))
    def sent(self, share: Share) -> str:
        newest = share.pushes.order_by("-pk")[:10]
        return ", ".join(f"{push.figure}{'' if push.acknowledged_at else ' ?'}" for push in newest) or "–"
