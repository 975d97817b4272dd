"""What is promised and what is worth a page: read from alerts/slo.yaml, by alerts/objectives.py.

Nothing here is a figure of its own: a line on a dashboard, a rule and a load test's threshold are the
same number.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "alerts"))

import objectives  # noqa: E402: where it lies is said above

OBJECTIVES = objectives.load()
SERVICE = OBJECTIVES.service
ROUTES = {route.path: route for route in OBJECTIVES.routes}
USER = "|".join(ROUTES)                         # a regular expression: what users call
USER_ROUTES = f'http_route=~"{USER}"'
RUNBOOKS = OBJECTIVES.links.runbooks


def loosest(figure) -> float:
    """The largest of a figure over all routes: above it, one of them is off for certain."""
    return max(figure(route) for route in ROUTES.values())


def tightest(figure) -> float:
    """The smallest of a figure over all routes: below it, all of them are well."""
    return min(figure(route) for route in ROUTES.values())
