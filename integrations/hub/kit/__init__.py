"""Writing a new connector: what it starts from, what it offers."""
