"""Outgoing work on its way: claimed, built, attempted, settled; parked, or done by hand."""
