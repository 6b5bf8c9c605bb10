"""Chinese dates without the zeros of Django's own ("03月5日")."""

MONTH_DAY_FORMAT = "n月j日"
