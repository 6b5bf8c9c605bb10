"""The kinds of thing the demo company sells, one drawing function each."""
