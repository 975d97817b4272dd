"""What is promised and what is worth a page: read from alerts/slo.yaml, by alerts/objectives.py, from
the alerts in alerts/source, and from the windows of burn rates in alerts/windows.

Nothing here is a figure of its own: a line on a dashboard, a rule and a load test's threshold are the
same number.
"""

import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "alerts"))

import objectives  # noqa: E402: where they lie is said above
import profiles  # noqa: E402
import sources  # noqa: E402

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


# What an alert's expression is compared with, at its end.
LIMIT = re.compile(r"[<>]=? *([0-9.]+)\s*\Z")


@functools.cache
def alerts() -> list[dict]:
    """The rows of alerts/source."""
    return [row for path in sorted(sources.SOURCE.glob("*.yaml"))
            for row in sources.read(path.name).get("alerts", ())]


def limit(alert: str) -> float:
    """Above which an alert is due. An alert that has no such figure, or several, has no line."""
    rows = [row for row in alerts() if row["alert"] == alert]
    found = {match.group(1) for row in rows if (match := LIMIT.search(row["expr"]))}
    if len(found) != 1:
        raise ValueError(f"{alert}: {len(rows)} rows in alerts/source, limits {sorted(found)}")
    return float(found.pop())


def percent(alert: str) -> str:
    """The same of a share, for a text."""
    return f"{limit(alert) * 100:g} %"


@dataclass(frozen=True)
class Burn:
    """When an objective's alert is due: both windows burn faster than the factor. A window has a length
    in each profile of the rules, the real one first."""

    severity: str
    factor: float
    long: tuple[str, str]
    short: tuple[str, str]


def burns() -> list[Burn]:
    """The four of alerts/windows, the fastest first."""
    real, fast = (yaml.safe_load((ROOT / f"alerts/windows/{profile}.yaml").read_text())["spec"]
                  for profile in profiles.PROFILES)
    found = []
    for severity in ("page", "ticket"):
        for speed in ("quick", "slow"):
            one, other = real[severity][speed], fast[severity][speed]
            share = one["errorBudgetPercent"] / 100
            factor = share * profiles.seconds(real["sloPeriod"]) / profiles.seconds(
                one["longWindow"])
            found.append(Burn(severity, round(factor, 1),
                              *((one[name], other[name]) for name in ("longWindow", "shortWindow"))))
    return found
