"""How many replicas one metric asks for: the controller's replica calculator.

    desired = ceil(ratio x pods),  ratio = usage / target,  nothing within a tenth

The rest of it is about pods that have no figure. Those are reckoned so that they hold back whatever is about to be
done, and if with them it would go the other way, nothing is done:

              going out (ratio > 1)     going in (ratio < 1)
    missing   uses nothing              uses its target; of CPU all it requests
    unready   uses nothing              is left out
    ignored   is left out               is left out

All figures are whole thousandths and whole per cent, cut off, as in the controller.
"""

import math
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

from .spec import PODS, TOLERANCE, Metric

CPU_INITIALIZATION_SECONDS = 300.0   # options of the controller, by default
INITIAL_READINESS_SECONDS = 30.0


class Unreadable(Exception):
    """There is no figure to go by."""


@dataclass(frozen=True)
class Pod:
    """As the API server shows it. Times are seconds on the clock that the metrics have."""

    name: str
    phase: str = "Running"
    ready: bool = True
    started: Optional[float] = None       # the kubelet has taken it up
    transitioned: Optional[float] = None  # the last change of its condition Ready
    deleted: bool = False


@dataclass(frozen=True)
class PodMetric:
    """The figure of one pod, in thousandths."""

    value: int
    timestamp: float = 0.0
    window: float = 0.0


@dataclass(frozen=True)
class Tolerances:
    """How far off a target is as good as on it."""

    up: float = TOLERANCE
    down: float = TOLERANCE

    def is_within(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True)
class Groups:
    """The names of the pods that are counted, and of those that are not."""

    counted: frozenset[str]
    unready: frozenset[str]
    missing: frozenset[str]


def is_unready(pod: Pod, figure: PodMetric, now: float) -> bool:
    """Whether the CPU of a running pod says nothing yet: it is starting, or the figure reaches back to when it was."""
    if pod.started is None or pod.transitioned is None:
        return True
    if pod.started + CPU_INITIALIZATION_SECONDS > now:
        return not pod.ready or figure.timestamp < pod.transitioned + figure.window
    return not pod.ready and pod.started + INITIAL_READINESS_SECONDS > pod.transitioned


def group_of(pod: Pod, figure: Optional[PodMetric], is_cpu: bool, now: float) -> str:
    """ignored, unready, missing or counted."""
    if pod.deleted or pod.phase == "Failed":
        return "ignored"
    if pod.phase == "Pending":
        return "unready"
    if figure is None:
        return "missing"
    return "unready" if is_cpu and is_unready(pod, figure, now) else "counted"


def grouped(pods: Sequence[Pod], values: Mapping[str, PodMetric], is_cpu: bool, now: float) -> Groups:
    """All pods."""
    kinds = {pod.name: group_of(pod, values.get(pod.name), is_cpu, now) for pod in pods}
    return Groups(*(frozenset(name for name, kind in kinds.items() if kind == wanted)
                    for wanted in ("counted", "unready", "missing")))


def ratio_of(metric: Metric, values: Mapping[str, int], requests: Mapping[str, int]) -> tuple[float, int]:
    """(usage over target, usage)."""
    total = sum(values.values())
    if metric.kind == PODS:
        usage = total // len(values)
    else:
        usage = total * 100 // sum(requests[name] for name in values)
    return usage / metric.target, usage


def reckoned(metric: Metric, ratio: float, values: Mapping[str, int], groups: Groups,
             requests: Mapping[str, int]) -> dict[str, int]:
    """With what is supposed of those that have no figure."""
    def full(name: str) -> int:
        return metric.target if metric.kind == PODS else requests[name] * max(100, metric.target) // 100

    supposed = dict(values)
    if ratio < 1.0:
        supposed.update((name, full(name)) for name in groups.missing)
    elif ratio > 1.0:
        supposed.update((name, 0) for name in groups.missing | groups.unready)
    return supposed


def proposal(metric: Metric, current: int, pods: Sequence[Pod], values: Optional[Mapping[str, PodMetric]],
             requests: Mapping[str, int], tolerances: Tolerances, now: float) -> tuple[int, int]:
    """(replicas, usage) by one metric; the usage is of those that have a figure. `requests` is thousandths of a CPU."""
    if not values:
        raise Unreadable(f"{metric.name}: no metrics returned")
    groups = grouped(pods, values, metric.kind != PODS, now)
    # Figures of pods that nobody knows (just gone) stay: they are in an average, not in a utilization.
    out = {pod.name for pod in pods} - groups.counted
    counted = {name: one.value for name, one in values.items()
               if name not in out and (metric.kind == PODS or name in requests)}
    if not counted:
        raise Unreadable(f"{metric.name}: no metrics of pods that are ready")
    ratio, usage = ratio_of(metric, counted, requests)
    if not groups.missing and not (groups.unready and ratio > 1.0):
        return (current if tolerances.is_within(ratio) else math.ceil(ratio * len(groups.counted))), usage
    supposed = reckoned(metric, ratio, counted, groups, requests)
    again, _ = ratio_of(metric, supposed, requests)
    if tolerances.is_within(again) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
        return current, usage
    replicas = math.ceil(again * len(supposed))
    if (again < 1.0 and replicas > current) or (again > 1.0 and replicas < current):
        return current, usage
    return replicas, usage
