"""Real transactions of the past, driven through the system: `make replay FILE=...`. See docs/replay.md."""
