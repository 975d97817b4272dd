"""Faults that somebody armed: what is known of them before a run, and what they did, by the service's own word.

A plan that is declared (FAULTS) is no surprise: on its routes k6 cannot tell an injected failure from another, so it
leaves them to us. The service counts what its faults did, in metrics and in each line of the log:

    errors seen = errors by faults + errors of the service's own
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import metrics
from .accesslog import Line
from .places import Places
from .refused import Refused
from .settings import HERE
from .web import get

SLO = json.loads((HERE / "slo.json").read_text(encoding="utf-8"))["routes"]
ANY = "*"


@dataclass(frozen=True)
class Plan:
    """In force, or going to be. Without the fault API's token only what is in force now is known."""

    name: str
    faults: frozenset[tuple[str, str]]  # (kind, route); no route: the process's

    @property
    def routes(self) -> list[str]:
        """On which something may fail, or be late, by it: a fault of the process is one of all."""
        named = {route for _, route in self.faults}
        return sorted(SLO) if "" in named else sorted(named & set(SLO))


def of_api(places: Places) -> Plan:
    """As GET /faults has it."""
    try:
        token = places.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Refused(f"the fault API's token {places.token_file}: {error.strerror}") from None
    document: dict[str, Any] = json.loads(get("faults", places.faults, {"Authorization": f"Bearer {token}"}))
    plan = document["plan"] or {}
    faults = {(fault["fault"], route) for fault in document["faults"] if fault["state"] != "over"
              for route in fault.get("routes", [""])}
    return Plan(plan.get("name") or "", frozenset(faults))


def known(places: Places, reading: metrics.Reading | None) -> Plan:
    """The best that can be known."""
    if places.token_file and places.faults:
        return of_api(places)
    return Plan("", reading.in_force if reading else frozenset())


def declared(plan: Plan, name: str) -> list[str]:
    """The routes of the plan that was declared; another than that is refused."""
    if not name:
        return []
    if not plan.faults:
        raise Refused(f"FAULTS={name}: no fault is in force, and none is to come")
    if name not in (ANY, plan.name):
        raise Refused(f"FAULTS={name}: the plan is called {plan.name or 'nothing'}; {ANY} takes whichever it is")
    return plan.routes


@dataclass(frozen=True)
class Judged:
    """An objective of a declared route, and what is left of it without the faults."""

    objective: str
    holds: bool
    says: str


def judge(routes: Iterable[str], errors: Mapping[str, int], sent: Mapping[str, int], reading: metrics.Reading,
          lines: list[Line]) -> list[Judged]:
    """What k6 could not: errors that no fault made, and how long those took that none struck."""
    return [one for route in routes if sent.get(route) for one in
            (availability(route, errors[route], sent[route], reading.by_faults[route]),
             latency(route, [line for line in lines if line.route == route and not line.fault and not line.error]))]


def availability(route: str, errors: int, sent: int, by_faults: int) -> Judged:
    """Errors of the service's own, of all."""
    own = max(0, errors - by_faults)
    budget = SLO[route]["budget"]["availability"]
    return Judged(f"{SLO[route]['name']}-availability", own <= budget * sent,
                  f"{errors} of {sent} failed, {by_faults} by faults, so {own} of their own; {budget * sent:.1f} are allowed")


def latency(route: str, unstruck: list[Line]) -> Judged:
    """By the service's own clock, of requests that were neither struck nor in error."""
    objective, threshold = SLO[route]["latency"]["objective"], SLO[route]["latency"]["threshold"]
    slow = sum(line.seconds > threshold for line in unstruck)
    return Judged(f"{SLO[route]['name']}-latency", slow <= (100 - objective) / 100 * len(unstruck),
                  f"{slow} of {len(unstruck)} that no fault struck took longer than {threshold * 1000:g} ms; "
                  f"{(100 - objective) / 100 * len(unstruck):.1f} are allowed")


def write(folder: Path, plan: Plan) -> None:
    """For who looks later."""
    (folder / "faults.json").write_text(json.dumps({"plan": plan.name, "faults": sorted(plan.faults)}, indent=1) + "\n")
