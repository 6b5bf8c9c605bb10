"""The pages and acts of staff about accounts and outgoing work, and what the admin pages of all floors share."""
