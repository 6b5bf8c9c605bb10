"""The hub's pages in the admin. Importing them registers them."""

from integrations.hub.desk import account_admin, outgoing_admin, worksheet_admin
from integrations.hub.health import alarm_admin
from integrations.hub.incoming import admin as incoming_admin

__all__ = ["account_admin", "alarm_admin", "incoming_admin", "outgoing_admin", "worksheet_admin"]
