"""One archive with everything a shop must not lose, and the way back. `manage.py backup`, `manage.py restore`."""
