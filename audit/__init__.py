"""Looking at the shop as buyers do: its pages in order, Lighthouse, axe. Used by `make audit` and by the tests."""
