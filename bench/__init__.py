"""How fast Weft is, as ratios against baselines measured in the same run. `make bench`; see docs/bench.md."""
