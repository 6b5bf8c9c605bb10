"""What remotes send: proven, kept, answered; then heeded and settled."""
