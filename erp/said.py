"""What the ERP's connectors write into rows, in the reader's language: sentences for `integrations.hub.said`.

The connectors themselves know no Django.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = (
    gettext_noop("%(operation)s: Tryton's answer makes no sense (%(what)s)."),
    gettext_noop("An order without goods cannot be sent to Tryton."),
    gettext_noop("Tryton has sales of this order for other warehouses: %(warehouses)s."),
    gettext_noop("Sale %(sale)s was cancelled in Tryton."),
    gettext_noop("Sale %(sale)s in Tryton has other lines: %(lines)s."),
    gettext_noop("The customer %(customer)s is not in Tryton yet; send it first."),
    gettext_noop("Tryton has no product %(products)s."),
    gettext_noop("Tryton has no tax named '%(tax)s'."),
    gettext_noop("Tax %(tax)s is %(there)s in Tryton and %(here)s here."),
    gettext_noop("Tryton has no currency %(currency)s."),
    gettext_noop("Somebody changed this order in Tryton meanwhile: %(states)s."),
    gettext_noop(
        "Tryton makes %(there)s %(currency)s of this order, we have %(ours)s %(our_currency)s (%(sales)s). "
        "Nothing more was confirmed."
    ),
    gettext_noop("The order in Tryton keeps changing while it is being cancelled."),
    gettext_noop("Tryton does not show the customer %(customer)s it has just made."),
    gettext_noop("The web shop '%(shop)s' in Tryton has no warehouse with code '%(warehouse)s'."),
    gettext_noop("Tryton has no web shop '%(shop)s', or this user may not see its company."),
    gettext_noop(
        "Shipment %(shipment)s left %(warehouses)s, which is no warehouse of %(account)s here. "
        "Add the warehouse, or correct its code, under Stock > Warehouses."
    ),
    # the line to it
    gettext_noop("%(operation)s: Tryton's answer is not a list."),
    gettext_noop("%(operation)s: the answer is not JSON-RPC."),
    gettext_noop("%(operation)s: Tryton does not accept the application key."),
    gettext_noop("%(operation)s: the record is gone from Tryton."),
    gettext_noop("%(operation)s: Tryton did not say what it wrote."),
    gettext_noop("This address does not answer like a Tryton server (HTTP %(status)s)."),
    gettext_noop("Tryton does not accept the user name or the password."),
    gettext_noop("%(operation)s: Tryton does not accept the session of user '%(user)s'."),
    gettext_noop("%(operation)s: the answer (HTTP %(status)s) is not JSON."),
    gettext_noop("%(operation)s: refused (HTTP %(status)s)."),
    gettext_noop("%(operation)s: Tryton is busy with the same records."),
    gettext_noop("%(operation)s: Tryton failed (HTTP %(status)s): %(words)s"),
    gettext_noop("%(operation)s: Tryton failed: %(words)s"),
    gettext_noop("%(operation)s: Tryton refuses the request (HTTP %(status)s). %(words)s"),
    gettext_noop("%(operation)s: Tryton refuses the request (HTTP %(status)s)."),
    gettext_noop("%(operation)s: somebody else changed the same records in Tryton just now."),
    gettext_noop("%(operation)s: Tryton asks for another way to log in."),
    # health
    gettext_noop("Tryton %(version)s is too old; 8.0 or later is needed."),
    gettext_noop("The user may not do what is needed with: %(models)s."),
    gettext_noop("Currency %(currency)s; warehouses %(warehouses)s."),
    gettext_noop("The web shop in Tryton has no warehouse with a code: no order can be sent."),
    gettext_noop("Prices have %(digits)s decimals there; set [product] price_decimal = 8, or totals may differ."),
    gettext_noop("Tax is not rounded per line in Tryton's accounting configuration: totals may differ."),
    gettext_noop("Tryton has no taxes; each of our tax codes must be the name of one."),
    gettext_noop("Tryton has no product '%(sku)s' for shipping costs."),
    gettext_noop("The user is in the group Stock Cancellation: take it out, so that Tryton protects shipped goods."),
    # operations, as they stand before the colon
    gettext_noop("check groups"),
    gettext_noop("check rights"),
    gettext_noop("check shipping product"),
    gettext_noop("check tax rounding"),
    gettext_noop("check taxes"),
    gettext_noop("create address"),
    gettext_noop("create contact"),
    gettext_noop("create customer"),
    gettext_noop("create order"),
    gettext_noop("find country"),
    gettext_noop("find currency"),
    gettext_noop("find customer"),
    gettext_noop("find language"),
    gettext_noop("find order"),
    gettext_noop("find products"),
    gettext_noop("find taxes"),
    gettext_noop("find web shop"),
    gettext_noop("log in"),
    gettext_noop("read foreign demand"),
    gettext_noop("read price decimals"),
    gettext_noop("read shipments"),
    gettext_noop("read shipped goods"),
    gettext_noop("read shipped orders"),
    gettext_noop("read stock"),
    gettext_noop("update contact"),
    gettext_noop("update customer"),
    gettext_noop("version"),
)
