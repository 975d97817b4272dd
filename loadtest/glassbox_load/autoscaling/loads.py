"""The load of a demonstration: a little that goes on all the time, and a push that has a price.

The push is reckoned from the autoscaler's targets, so that it asks for as many replicas more as MORE says: by the
number of its requests, which cost nothing, by their CPU, which are few, or by both.
"""

from dataclasses import dataclass
from typing import Any

from glassbox_hpa.model import Profile
from glassbox_hpa.profile import together
from glassbox_hpa.recording import CHEAP_MS
from glassbox_hpa.spec import PODS, Spec

from ..refused import Refused
from ..settings import Settings

HEAVY_RATE = 5.0  # requests a second that burn CPU: so few that their number does not count
ROOM = 0.6        # of a replica: a push is to be well within the last one, on both sides of what is rounded up
CALM = 30.0       # seconds before the push
AFTER = 120.0     # and after it, besides what scaling in has to wait for


@dataclass(frozen=True)
class Load:
    """Requests at a constant rate, from a second to another."""

    name: str
    begin: float
    seconds: float
    rate: float
    cpu_ms: float

    def as_json(self) -> dict[str, Any]:
        """As k6/workloads/hpa.js takes it."""
        return {"name": self.name, "begin": self.begin, "seconds": self.seconds,
                "rate": self.rate, "cpu_ms": self.cpu_ms}


@dataclass(frozen=True)
class Demonstration:
    """All loads, and how many replicas they are to bring."""

    loads: tuple[Load, ...]
    goal: int
    seconds: float

    def profile(self) -> Profile:
        """As the predictor takes it; what does not say its price still has one."""
        return Profile(together([(one.begin, one.begin + one.seconds, one.rate, one.cpu_ms + CHEAP_MS)
                                 for one in self.loads], self.seconds))


def target(spec: Spec, kind: str) -> float:
    """Of the metric: requests a second of a pod, or per cent of what it asks for."""
    for metric in spec.metrics:
        if (metric.kind == PODS) == (kind == "requests"):
            return metric.target / 1000 if metric.kind == PODS else float(metric.target)
    raise Refused(f"BY={kind}: the autoscaler does not scale on that")


def reckon(spec: Spec, settings: Settings, request_millicores: int) -> Demonstration:
    """From the targets, or as it was asked for."""
    goal = spec.least + round(settings["MORE"])
    if goal > spec.most:
        raise Refused(f"MORE={settings['MORE']:g}: the autoscaler has {spec.least} to {spec.most} replicas")
    steady, push = settings["STEADY_RATE"], settings["PUSH"]
    kinds = ("requests", "cpu") if settings["BY"] == "both" else (settings["BY"],)
    wait = spec.behavior.down.window_seconds if spec.behavior else 300
    whole = CALM + push + wait + AFTER
    loads = [Load("steady", 0, whole, steady, 0)]
    for kind in kinds:
        if kind == "requests":
            rate = settings["PUSH_RATE"] or target(spec, kind) * (goal - ROOM) - steady
            if rate <= 0:
                raise Refused(f"STEADY_RATE={steady:g}: that alone is what {goal} replicas are for")
            loads.append(Load("requests", CALM, push, round(rate), 0))
        else:
            # What costs nothing, does cost a little: together they are to be within the last replica, too.
            cheap = sum(one.rate for one in loads) * CHEAP_MS
            whole_cost = request_millicores * target(spec, kind) / 100 * (goal - ROOM) - cheap
            if whole_cost <= 0 and not settings["PUSH_CPU_MS"]:
                raise Refused(f"what costs nothing costs {cheap:.0f} ms of CPU a second by itself: for {goal} replicas that "
                              "is too much")
            cost = settings["PUSH_CPU_MS"] or max(1.0, whole_cost / HEAVY_RATE)
            loads.append(Load("cpu", CALM, push, HEAVY_RATE, round(cost)))
    return Demonstration(tuple(loads), goal, whole)
