"""What is kept of a request and its reply, for how long, and how it goes."""
