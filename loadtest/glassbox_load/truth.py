"""Faults that somebody armed: what is known of them before a run, and what they did, by the service's own word.

A plan that is declared (FAULTS) is no surprise: on its routes k6 cannot tell an injected failure from another, so it
leaves them to us. The service counts what its faults did, in metrics and in each line of the log:

    errors seen = errors by faults + errors of the service's own
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import metrics
from .places import Places
from .refused import Refused
from .settings import HERE
from .tally import Written
from .web import get

SLO = json.loads((HERE / "slo.json").read_text(encoding="utf-8"))["routes"]
ANY = "*"


@dataclass(frozen=True)
class Plan:
    """In force, or going to be. Without the fault API's token only what is in force now is known."""

    name: str
    faults: frozenset[tuple[str, str]]  # (kind, route); no route: the process's

    @property
    def resets(self) -> bool:
        """Whether a connection may be reset in place of an answer."""
        return any(kind == "reset" for kind, _ in self.faults)

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
    text = get("faults", places.faults, {"Authorization": f"Bearer {token}"})
    try:
        document: dict[str, Any] = json.loads(text)
        faults = {(fault["fault"], route) for fault in document["faults"] if fault["state"] != "over"
                  for route in fault.get("routes", [""])}
        return Plan((document["plan"] or {}).get("name") or "", frozenset(faults))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{places.faults} answers what is no list of faults: {text[:120]!r}") from None


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
class Bounds:
    """What a route may do: as k6/lib/judge.js has it."""

    errors: float      # a share
    quantile: float    # per cent of those without an error
    seconds: float     # that they may take


def bounds(route: str, by: str) -> Bounds:
    """By `objective`, or by `symptom`."""
    row = SLO[route]
    if by == "symptom":
        return Bounds(row["symptom"]["error_ratio"], 99, row["symptom"]["p99"])
    return Bounds(row["budget"]["availability"], row["latency"]["objective"], row["latency"]["threshold"])


@dataclass(frozen=True)
class Judged:
    """An objective of a declared route, and what is left of it without the faults."""

    objective: str
    route: str
    holds: bool
    says: str


def judge(routes: Iterable[str], by: str, errors: Mapping[str, int], sent: Mapping[str, int],
          by_faults: Mapping[str, int], written: Written) -> list[Judged]:
    """What k6 could not: errors that no fault made, and how long those took that none struck."""
    return [one for route in routes if sent.get(route) for one in
            (availability(route, bounds(route, by), errors[route], sent[route], by_faults[route],
                          written.own_errors[route]),
             latency(route, bounds(route, by), written.unstruck[route], written.slow[route]))]


def availability(route: str, allowed: Bounds, errors: int, sent: int, by_faults: int, unstruck: int) -> Judged:
    """Errors of the service's own, of all: what is left of the client's, or what the log has that no fault struck,
    whichever is more."""
    own, most = max(errors - by_faults, unstruck), allowed.errors * sent
    return Judged(f"{SLO[route]['name']}-availability", route, own <= most,
                  f"{errors} of {sent} failed, {by_faults} by faults, so {own} of their own; {most:.1f} are allowed")


def latency(route: str, allowed: Bounds, unstruck: int, slow: int) -> Judged:
    """By the service's own clock, of requests that were neither struck nor in error."""
    most = (100 - allowed.quantile) / 100 * unstruck
    return Judged(f"{SLO[route]['name']}-latency", route, slow <= most,
                  f"{slow} of {unstruck} that no fault struck took longer than {allowed.seconds * 1000:g} ms; "
                  f"{most:.1f} are allowed")
