"""The processes that work: supervised, woken, beating, each task with a trace."""
