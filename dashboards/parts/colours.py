"""What a colour means; the same on every dashboard.

Green, orange and red are verdicts: well, a ticket's worth, a page's worth. Purple is what a fault plan
really does, beside what is observed. Grey is a limit, yellow what was predicted. Nothing else has these
colours, so routes, quantiles and all that is only one of several have others.
"""

GOOD, WARN, BAD = "green", "orange", "red"
TRUTH = "purple"
LIMIT = "#8e8e8e"
PREDICTED = "yellow"
OBSERVED = "blue"
QUIET = "text"  # a figure without a verdict

QUANTILES = {"p50": "super-light-blue", "p90": "light-blue", "p95": "light-blue", "p99": "blue",
             "max": "dark-blue"}

# Of things that are told apart and mean nothing more.
APART = ("#5794f2", "#00a3a3", "#b7a92a", "#a1785c", "#7eb2dd", "#c15c9e")

# A class of statuses, by the legend's first figure.
STATUSES = {"1..": LIMIT, "2..": GOOD, "3..": OBSERVED, "4..": WARN, "5..": BAD, "none.*": LIMIT}


def apart(names: list[str]) -> dict[str, str]:
    """A colour for each name, by its place."""
    return {name: APART[place % len(APART)] for place, name in enumerate(names)}
