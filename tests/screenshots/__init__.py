"""`make screenshots`: every page of staff and buyers, in both languages, at two widths, from a company full of life."""
