"""The drills: which fault fires which alert; and of the alerts that no fault can cause, why not.

A row's plan is made for the service as it is: as many errors as lie between the rule's factor and the next one's, as
much latency as fills its connections at the present rate, as much CPU as its workers have. What it is made from is in
`Facts`; both the plan and its effect on the rule come from the same numbers.

`wave` names those that are drilled together by `--all`: their faults are armed as one plan. That is sound where no
fault touches what another's rule reads, which `disturbs` judges; the tests hold the table to it.
"""

import difflib
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional

from .effects import Effect, fault_ratio
from .web import Refused

HELLO, WORK, RANDOM, ROOT = "/demo/hello", "/demo/work", "/demo/random-error", "/"
ROUTES = (ROOT, HELLO, RANDOM, WORK)
Entry = dict[str, Any]
PREFIX = "Glassbox"
# Draws are the seed's: with this one the share of the first 200 to 1500 requests of a route that are struck is
# within 13 % of a ratio of 0.3, on each of the routes; with some it is 26 % off, and so is when a drill is due.
SEED = 14
QUEUED = 10.0  # seconds: what waits for a busy worker when its fault is taken away is still burnt


@dataclass(frozen=True)
class Facts:
    """Of the service and the rule, as they are."""

    route: Optional[str]
    rate: float = 24.0                    # requests a second on the route
    base: float = 0.0                     # share of them that fails, or is slow, already
    thresholds: tuple[float, ...] = ()    # that the rule compares with
    ceiling: float = 1.0                  # the lowest threshold of the alert that would inhibit this one
    le: float = 0.1                       # the bucket that divides fast from slow, seconds
    workers: float = 2.0
    limit: float = 100.0                  # of connections
    connections: float = 10.0             # open now


@dataclass(frozen=True)
class Drill:
    """One alert, and the fault that fires it."""

    alert: str
    severity: str
    what: str                                    # the fault in words, for --list
    make: Callable[[Facts], tuple[list[Entry], Effect]]
    route: Optional[str] = None                  # it needs load on this one
    routed: bool = True                          # and the alert has it as a label
    labels: dict[str, str] = field(default_factory=dict)  # besides
    wave: str = "routes"
    floods: bool = False                         # whole process: nothing else is drilled beside it
    broken: str = ""                             # in place of a plan: what the plan's file is to hold
    seen: str = ""                               # what shows it, where glassbox_fault_in_force does not
    caveat: str = ""                             # what else than a defect may make it late
    floor: Optional[float] = 0.1                 # requests a second that the route needs at least

    def match(self) -> dict[str, str]:
        """Labels that the alert has."""
        route = {"http_route": self.route} if self.route and self.routed else {}
        return {"severity": self.severity, **route, **self.labels}

    def __str__(self) -> str:
        return " ".join(filter(None, [self.alert, self.severity, self.match().get("http_route")]))


def percent(ratio: float) -> str:
    return f"{100 * ratio:.3g} %"


# ---- faults -------------------------------------------------------------------------------------

def errors_page(facts: Facts) -> tuple[list[Entry], Effect]:
    """Many; where the budget is so wide that these are few, half of what is left above the lowest factor."""
    reachable = [threshold for threshold in facts.thresholds if threshold < 1] or [0.0]
    wanted = 0.3 if max(reachable) < 0.2 else (1 + min(reachable)) / 2
    return failing(facts, fault_ratio(facts.base, wanted))


def errors_ticket(facts: Facts) -> tuple[list[Entry], Effect]:
    """Between the ticket's highest factor and the page's lowest, in the geometric middle."""
    return failing(facts, fault_ratio(facts.base, between(facts)))


def between(facts: Facts) -> float:
    reachable = [threshold for threshold in facts.thresholds if threshold < facts.ceiling]
    return (max(reachable, default=facts.ceiling / 4) * facts.ceiling) ** 0.5


def failing(facts: Facts, ratio: float) -> tuple[list[Entry], Effect]:
    ratio = round(ratio, 5)
    return ([{"route": facts.route, "error": {"ratio": ratio, "status": 503}, "seed": SEED}],
            Effect(errors=ratio, rate=facts.rate))


def all_fail(facts: Facts) -> tuple[list[Entry], Effect]:
    return failing(facts, 1.0)


def milliseconds(value: float) -> str:
    return f"{max(1, round(value * 1000))}ms"


def delayed(route: Optional[str], p50: float, p90: float, p99: float) -> tuple[list[Entry], Effect]:
    times = tuple(round(value, 3) for value in (p50, p90, p99))
    texts = ["0" if not value else milliseconds(value) for value in times]
    return ([{"route": route, "latency": dict(zip(("p50", "p90", "p99"), texts)), "seed": SEED}],
            Effect(latency=times))  # type: ignore[arg-type]


def slow_page(facts: Facts) -> tuple[list[Entry], Effect]:
    """Seven of eight requests are slower than the objective allows."""
    return delayed(facts.route, 4 * facts.le, 4 * facts.le, 4 * facts.le)


def slow_ticket(facts: Facts) -> tuple[list[Entry], Effect]:
    """A share of slow ones between the factors: the tail from the 90th percentile on is bent to cross there."""
    share = between(facts)
    if share >= 0.1:
        return delayed(facts.route, *[facts.le / (1 - share) * 0.5] * 3)
    return delayed(facts.route, 0, 0, facts.le * 0.09 / (0.1 - share))


def slow_quantile(facts: Facts) -> tuple[list[Entry], Effect]:
    """Most are twice as slow as the 99th percentile may be."""
    slow = 2 * max(facts.thresholds, default=0.5)
    return delayed(facts.route, slow, slow, slow)


def overfull(facts: Facts) -> tuple[list[Entry], Effect]:
    """Requests that wait hold their connections: rate x latency of them. Fewer than there may be would go up and down
    with chance, now over the threshold and now not. As many as fill them, all waiting as long, would come and go in
    step, all or half of them: measured, 40 to 100 of 100. So the waits are spread evenly from nothing to the longest,
    and a connection that is free is taken at once."""
    wanted = max(1.0, 1.6 * facts.limit - facts.connections)
    latency = min(60.0, 2 * wanted / max(facts.rate, 0.01))
    entries, _ = delayed(facts.route, 0.5 * latency, 0.9 * latency, 0.99 * latency)
    have = min(1.0, (facts.connections + facts.rate * 0.5 * latency) / facts.limit)
    full = {"glassbox_connections": have}
    return entries, Effect(reads={**full, "glassbox_connections_refused_total": facts.rate}, ramp=latency)


def busy(facts: Facts) -> tuple[list[Entry], Effect]:
    """Half as much again as all workers have."""
    seconds = 1.5 * facts.workers / max(facts.rate, 0.01)
    return ([{"route": facts.route, "cpu": {"per_request": milliseconds(min(60.0, seconds))}}],
            Effect(reads={"glassbox_worker_busy_seconds_total": 1.0}, ramp=QUEUED))


def unready(_: Facts) -> tuple[list[Entry], Effect]:
    return [{"not_ready": True}], Effect(reads={"glassbox_ready": 0.0})


def harmless(_: Facts) -> tuple[list[Entry], Effect]:
    return [{"memory": {"bytes": "1MiB"}}], Effect(reads={"glassbox_fault_in_force": 1.0})


def nonsense(_: Facts) -> tuple[list[Entry], Effect]:
    return [], Effect(reads={"glassbox_fault_plan_last_load_successful": 0.0})


# ---- the table ----------------------------------------------------------------------------------

DRILLS = (
    Drill("GlassboxErrorBudgetBurn", "page", "errors on the route: 30 %", errors_page, HELLO),
    Drill("GlassboxErrorBudgetBurn", "ticket", "errors on the route: more than the ticket's factor, fewer than the "
          "page's", errors_ticket, RANDOM),
    Drill("GlassboxLatencyBudgetBurn", "page", "latency on the route: four times the objective's", slow_page, WORK),
    Drill("GlassboxLatencyBudgetBurn", "ticket", "latency on the route: a tail between ticket's factor and page's",
          slow_ticket, HELLO),
    Drill("GlassboxLowTrafficBurn", "ticket", "each request of the route fails", all_fail, ROOT,
          labels={"sli": "availability"}, floor=None),
    Drill("GlassboxErrorRatioHigh", "page", "errors on the route: 30 %", errors_page, HELLO),
    Drill("GlassboxLatencyHigh", "ticket", "latency on the route: twice the threshold", slow_quantile, RANDOM),
    Drill("GlassboxNotReady", "ticket", "not ready", unready),
    Drill("GlassboxNoneReady", "page", "not ready", unready),
    Drill("GlassboxWorkersBusy", "ticket", "CPU for each request: half as much again as the workers have", busy,
          HELLO, routed=False, wave="workers", floods=True,
          caveat="workers that do not get the CPUs, as other things use them, are not busy"),
    Drill("GlassboxConnectionsNearLimit", "ticket", "latency that piles up more connections than there may be",
          overfull, HELLO, routed=False, wave="connections", floods=True),
    Drill("GlassboxConnectionsRefused", "page", "latency that piles up more connections than there may be", overfull,
          HELLO, False, {"reason": "limit"}, wave="connections", floods=True),
    Drill("GlassboxFaultPlanRefused", "ticket", "a plan's file that is no plan", nonsense, wave="file",
          broken='{"faults": "a drill: this is no plan"}\n',
          seen="glassbox_fault_plan_last_load_successful{%s} == 0"),
    Drill("GlassboxFaultInForce", "info", "one MiB of memory", harmless, labels={"fault": "memory"}),
)

# Why no fault can cause the others, and what would.
OTHERS = {
    "GlassboxTargetDown": "a fault leaves the process answering scrapes. Stop the process, or cut Prometheus off.",
    "GlassboxAbsent": "a fault does not take a target out of Prometheus. Remove the job, or break its discovery.",
    "GlassboxRestarting": "no fault ends the process. Kill it three times in a quarter of an hour.",
    "GlassboxDescriptorsNearLimit": "connections are refused at their own limit, long before descriptors run out. "
                                    "Lower the limit of open files below that of connections.",
    "GlassboxEventLoopLag": "threads that burn CPU made loops late by half a second on 2 crowded CPUs, and by 24 ms on 2 "
                            "quiet ones: no fault does it everywhere. Stop and continue the process, again and again.",
    "GlassboxMemoryNearLimit": "needs a container's limit, and the memory fault that comes within a tenth of it comes "
                               "within a tenth of the OOM killer. Lower the container's limit.",
    "GlassboxCpuThrottled": "needs a container's CPU limit; without one the CPU faults throttle nothing. Set one, "
                            "and arm background_cpu.",
    "GlassboxSpansDropped": "faults strike requests, not the exporter. Stop the Collector under load.",
    "GlassboxLogLinesDropped": "faults strike requests, not the log. Fill the disk, or stop the pipe's reader.",
    "GlassboxLogStalled": "faults strike requests, not the log. Stop the reader of the log's pipe.",
    "GlassboxQueueNearlyFull": "queues fill when nobody takes from them, not by faults. Stop the Collector.",
    "GlassboxExporterFailing": "faults strike requests, not the exporter. Stop the Collector, or have it refuse.",
    "GlassboxSignalsDoNotAddUp": "faults are counted in all signals alike. It would take a defect of the service.",
    "GlassboxMetricOverflow": "faults add no label values. Send requests with hundreds of distinct label sets.",
    "GlassboxHpaAtMaximum": "needs a cluster's autoscaler. Arm WorkersBusy's fault in all replicas and wait.",
    "GlassboxHpaMetricUnreadable": "needs a cluster's autoscaler. Stop the metrics adapter.",
    "GlassboxDeadMansSwitch": "it fires always; its absence is the alarm. Stop Prometheus, and the webhook tells.",
}


# ---- which of them -------------------------------------------------------------------------------

def full_name(typed: str) -> str:
    """An alert's name, however its prefix and capitals were typed."""
    names = sorted({drill.alert for drill in DRILLS} | set(OTHERS))
    plain = {name.removeprefix(PREFIX).lower(): name for name in names}
    found = plain.get(typed.lower().removeprefix(PREFIX.lower()))
    if found is None:
        near = difflib.get_close_matches(typed.lower().removeprefix(PREFIX.lower()), plain, 1, 0.6)
        meant = f"; did you mean {plain[near[0]]}?" if near else ""
        raise Refused(f"no alert `{typed}`{meant}\n  with a drill: "
                      + ", ".join(dict.fromkeys(drill.alert for drill in DRILLS))
                      + "\n  without, --list says why: " + ", ".join(OTHERS))
    return found


def by_name(typed: str, severity: Optional[str] = None, route: Optional[str] = None) -> Drill:
    """The row for a name; of two severities the page, unless told otherwise."""
    name = full_name(typed)
    if name in OTHERS:
        raise Refused(f"no fault can cause {name}: {OTHERS[name]}")
    rows = [drill for drill in DRILLS if drill.alert == name]
    if severity:
        rows = [drill for drill in rows if drill.severity == severity]
        if not rows:
            have = " and ".join(drill.severity for drill in DRILLS if drill.alert == name)
            raise Refused(f"{name} is no {severity}: there is {have}")
    drill = rows[0]
    if route:
        if drill.route is None:
            raise Refused(f"{name} is not of a route: leave --route out")
        if route not in ROUTES:
            raise Refused(f"`{route}` is no route that users call: {', '.join(ROUTES)}")
        drill = replace(drill, route=route)
    return drill


def waves() -> list[list[Drill]]:
    """All of them, those of a wave together, in the order of the table."""
    names = dict.fromkeys(drill.wave for drill in DRILLS)
    return [[drill for drill in DRILLS if drill.wave == name] for name in names]


# ---- together -----------------------------------------------------------------------------------

def touches(entries: list[Entry]) -> dict[tuple[Optional[str], str], Any]:
    """(route, kind) -> its keys, of all that entries put in force."""
    return {(entry.get("route"), kind): value for entry in entries for kind, value in entry.items()
            if kind not in ("route", "seed", "duration", "start", "end")}


def disturbs(one: Drill, entries: list[Entry], other: Drill, others: list[Entry]) -> Optional[str]:
    """Why two faults must not be in force together; None if neither touches what the other's rule reads.

    Errors and latency of different routes do not meet; those of one route are drawn independently (docs/faults.md),
    and an objective of availability counts errors alone, one of latency the requests without. What takes the
    process as a whole (its CPU, its connections) meets everything but what is the same fault.
    """
    if entries == others and one.broken == other.broken:
        return None
    if one.floods or other.floods:
        return f"{one if one.floods else other} takes the whole process"
    if bool(one.broken) != bool(other.broken):
        return "one is a plan, the other a file that is none"
    mine, theirs = touches(entries), touches(others)
    for key in mine.keys() & theirs.keys():
        if mine[key] != theirs[key]:
            return f"both set {key[1]} on {key[0] or 'the process'}, differently"
    return None
