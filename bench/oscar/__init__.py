"""Stock Oscar, the baseline: the installed package without our forks, set up as its documentation says."""
