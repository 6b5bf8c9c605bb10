"""What stands at the one way out to a remote: its connections, and whether it may be asked now."""
