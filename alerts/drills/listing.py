"""`--list`: each alert, the fault that fires it and how long that takes in each profile, or why no fault can.

From the rule files alone, so it needs no stack: with the steady load of the local one, its scrapes and evaluations
each five seconds, windows that are full and nothing wrong before. What a drill says is reckoned from what it finds.
"""

from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from . import due, facts, rules, words
from .alertmanager import routes
from .places import ROOT
from .table import DRILLS, HELLO, OTHERS, RANDOM, Drill
from .table import ROOT as FRONT
from .table import WORK
from .web import Refused

LOAD = {HELLO: 24.0, RANDOM: 8.0, WORK: 8.0, FRONT: 0.05}  # of infra/local/load.py at its default rate
BY_DESIGN = {RANDOM: 0.1}                                  # share that fails without a fault
FILES = {"real": "alertmanager.local.yaml", "fast": "alertmanager.local.fast.yaml"}


@cache
def shipped(profile: str) -> tuple[list[rules.Rule], dict[str, Any]]:
    """A profile's rules and its tree of routes, read once for all drills."""
    tree = yaml.safe_load((ROOT / "alerts/alertmanager" / FILES[profile]).read_text())["route"]
    return rules.from_files(ROOT / "alerts/prometheus" / profile), tree


def told_within(drill: Drill, profile: str) -> str:
    """How long from being seen to being told, at most; or why that cannot be said."""
    try:
        all_rules, tree = shipped(profile)
        given = replace(facts.of_rules(all_rules, drill), rate=LOAD.get(drill.route or HELLO, 24.0),
                        base=BY_DESIGN.get(drill.route or "", 0.0))
        reckoned = facts.reckon(all_rules, drill, given)
        route = routes(tree, {**reckoned.rules[0].labels, "alertname": drill.alert, **drill.match()})[0]
    except (Refused, OSError):
        return "?"
    pace = due.Pace(5.0, reckoned.evaluation, reckoned.hold, reckoned.keep, route.group_wait, route.group_interval)
    return words.span(due.due(reckoned.tree, pace).notified)


def table() -> list[str]:
    """The lines."""
    rows = [("alert", "severity", "route", "told within", "with --fast", "fault")]
    rows += [(drill.alert, drill.severity, drill.route or "", told_within(drill, "real"),
              told_within(drill, "fast"), drill.what) for drill in DRILLS]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[5]]) for row in rows]
    lines += ["", f"{len(DRILLS)} drills. No fault can cause these:"]
    width = max(map(len, OTHERS))
    return lines + [f"  {name:<{width}}  {why}" for name, why in OTHERS.items()]
