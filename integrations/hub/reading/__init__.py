"""What is read from remotes: by cursor, by overlapping windows, and the holes that are left."""
