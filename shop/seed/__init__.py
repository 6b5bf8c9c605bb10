"""The demo company: its catalogue and the illustrations of its products."""
