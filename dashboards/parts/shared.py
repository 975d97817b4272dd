"""Figures that more than one dashboard begins with.

Both must be able to tell "all is well" from "nobody looks": a process that is gone has no series of its
own, so processes are counted by `up`; and no alert fires where no rule is judged, so that there are none
counts as well only beside a series which the same rules record.
"""

from . import colours, links, thresholds
from .goals import SERVICE
from .panels import figure
from .queries import NAMESPACE, Query, now, series, some, total

OBJECTIVE = series("slo:objective:ratio", f'sloth_service="{SERVICE}"', target=NAMESPACE)


def processes():
    """How many are down, and how many are there and not ready."""
    up = series("up")
    return figure(
        "Processes", "Down: cannot be scraped. Not ready: answers /readyz with 503. Good: 0 of each. "
        "What to do: the runbook; a drain, a slow start or a fault stands in the incident dashboard, "
        "a start is a mark over the graphs.",
        "none",
        [now(total("", f"1 - {up}"), "down"),
         now(f"{total('', up)} - {some('', series('glassbox_ready'), up)}", "not ready"),
         now(f"count({up})", "of")],
        single={"down": thresholds.rising(bad=1), "not ready": thresholds.rising(warn=1),
                "of": [(0, colours.LIMIT)]},
        nothing="no target", alert="GlassboxNotReady",
        more=[links.runbook(f"Glassbox{name}") for name in ("NoneReady", "TargetDown", "Absent", "Restarting")])


def firing(severity: str, legend: str) -> Query:
    """How many alerts fire; nothing at all if no rules are judged."""
    alerts = series("ALERTS", 'alertstate="firing"', f'service="{SERVICE}"',
                    f'severity=~"{severity}"', target=NAMESPACE)
    return now(f"count({alerts}) or 0 * count({OBJECTIVE})", legend)
