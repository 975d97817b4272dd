"""One look of the controller, which it takes each 15 s: from what it knows to the replicas it sets.

    each metric's proposal -> the highest -> stabilized -> within the policies and the bounds
      an unreadable one:       never in      over the       so many
      out, at the most                       windows        a period

Pure: it remembers (recommendations, changes of scale) in a State that is given and handed back. Rules and names are
those of kubernetes' pkg/controller/podautoscaler/horizontal.go.
"""

import math
from dataclasses import dataclass, replace
from typing import Mapping, Optional, Sequence

from .calculator import Pod, PodMetric, Tolerances, Unreadable, proposal
from .spec import DOWN, Rules, Spec

SYNC_SECONDS = 15.0
SCALE_UP_FACTOR, SCALE_UP_MINIMUM = 2, 4  # without a behaviour
VALID = "ValidMetricFound"

Timed = tuple[float, int]  # when, and replicas
Values = Optional[Mapping[str, PodMetric]]


@dataclass(frozen=True)
class State:
    """What it remembers."""

    recommendations: tuple[Timed, ...] = ()
    ups: tuple[Timed, ...] = ()
    downs: tuple[Timed, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What it did, and why: `active` is the reason of its condition ScalingActive."""

    desired: int
    reason: str
    active: str
    usages: tuple[Optional[int], ...]
    state: State


def change(timed: Sequence[Timed], now: float, seconds: float) -> int:
    """Replicas, of what happened within the last seconds; just so long ago is outside."""
    return sum(replicas for at, replicas in timed if at > now - seconds)


def limit(rules: Rules, state: State, now: float, current: int, sign: int) -> int:
    """How far the policies let it go; sign is 1 for out, -1 for in."""
    if rules.select == "Disabled":
        return current
    reached = []
    for policy in rules.policies:
        began = (current - change(state.ups, now, policy.period_seconds)
                 + change(state.downs, now, policy.period_seconds))
        if policy.kind == "Pods":
            reached.append(began + sign * policy.value)
        else:  # up is rounded up, or one pod would never become two; down is cut off
            part = began * (1 + sign * policy.value / 100)
            reached.append(math.ceil(part) if sign > 0 else int(part))
    far, near = (max, min) if sign > 0 else (min, max)
    return (near if rules.select == "Min" else far)(reached)


def stabilized(spec: Spec, state: State, now: float, current: int, wanted: int) -> int:
    """No further out than the lowest, no further in than the highest of what was recommended of late."""
    def of_late(seconds: float) -> list[int]:
        return [replicas for at, replicas in state.recommendations if at > now - seconds]

    if spec.behavior is None:
        return max([wanted, *of_late(DOWN.window_seconds)])
    lowest = min([wanted, *of_late(spec.behavior.up.window_seconds)])
    highest = max([wanted, *of_late(spec.behavior.down.window_seconds)])
    return min(max(current, lowest), highest)


def bounded(spec: Spec, state: State, now: float, current: int, wanted: int) -> tuple[int, str]:
    """Within the policies and the bounds, with the reason of its condition ScalingLimited."""
    if spec.behavior is None:
        fastest = max(SCALE_UP_FACTOR * current, SCALE_UP_MINIMUM)
        lowest, highest, short = spec.least, min(spec.most, fastest), "TooFewReplicas"
        above = "ScaleUpLimit" if spec.most > fastest else "TooManyReplicas"
    elif wanted > current:
        fastest = max(limit(spec.behavior.up, state, now, current, 1), current)
        lowest, highest, short = wanted, min(spec.most, fastest), ""
        above = "ScaleUpLimit" if spec.most > fastest else "TooManyReplicas"
    else:
        fastest = min(limit(spec.behavior.down, state, now, current, -1), current)
        lowest, highest, above = max(spec.least, fastest), wanted, ""
        short = "ScaleDownLimit" if spec.least < fastest else "TooFewReplicas"
    if wanted < lowest:
        return lowest, short
    return (highest, above) if wanted > highest else (wanted, "DesiredWithinRange")


def remembered(spec: Spec, state: State, now: float, current: int, desired: int) -> State:
    """With the change of scale; what no policy asks for any more is forgotten."""
    if spec.behavior is None or desired == current:
        return state
    up = desired > current
    rules = spec.behavior.up if up else spec.behavior.down
    longest = max(policy.period_seconds for policy in rules.policies)
    kept = [one for one in (state.ups if up else state.downs) if one[0] >= now - longest]
    events = (*kept, (now, abs(desired - current)))
    return replace(state, ups=events) if up else replace(state, downs=events)


def recommended(spec: Spec, state: State, now: float, wanted: int) -> State:
    """With the newest, not yet stabilized; what no window reaches any more is forgotten."""
    windows = [DOWN.window_seconds] if spec.behavior is None else [
        spec.behavior.up.window_seconds, spec.behavior.down.window_seconds]
    kept = [one for one in state.recommendations if one[0] >= now - max(windows)]
    return replace(state, recommendations=(*kept, (now, wanted)))


def of_metrics(spec: Spec, now: float, current: int, pods: Sequence[Pod], values: Sequence[Values],
               requests: Mapping[str, int]) -> tuple[Optional[int], str, tuple[Optional[int], ...]]:
    """(the highest proposal or None, the reason of ScalingActive, each metric's usage or None)."""
    tolerances = Tolerances() if spec.behavior is None else Tolerances(
        spec.behavior.up.tolerance, spec.behavior.down.tolerance)
    proposals, usages, failed = list[int](), list[Optional[int]](), list[str]()
    for metric, found in zip(spec.metrics, values, strict=True):
        try:
            replicas, usage = proposal(metric, current, pods, found, requests, tolerances, now)
            proposals.append(replicas)
            usages.append(usage)
        except Unreadable:
            failed.append(metric.failed)
            usages.append(None)
    highest = max(proposals, default=0)
    if not proposals or (failed and highest < current):
        return None, failed[0], tuple(usages)
    return highest, VALID, tuple(usages)


def reconcile(spec: Spec, state: State, now: float, current: int, pods: Sequence[Pod], values: Sequence[Values],
              requests: Mapping[str, int]) -> Decision:
    """One look. `values` has each metric's figures by pod, in the order of the spec; None where it is unreadable."""
    if not state.recommendations:
        state = replace(state, recommendations=((now, current),))
    blank: tuple[Optional[int], ...] = (None,) * len(spec.metrics)
    if current == 0:
        return Decision(0, "ScalingDisabled", "ScalingDisabled", blank, state)
    if not spec.least <= current <= spec.most:
        desired = min(max(current, spec.least), spec.most)
        reason = "above maxReplicas" if current > spec.most else "below minReplicas"
        return Decision(desired, reason, "", blank, remembered(spec, state, now, current, desired))
    wanted, active, usages = of_metrics(spec, now, current, pods, values, requests)
    if wanted is None:
        return Decision(current, active, active, usages, state)
    steady = stabilized(spec, state, now, current, wanted)
    desired, reason = bounded(spec, state, now, current, steady)
    if steady != wanted:
        reason = "ScaleUpStabilized" if wanted >= current else "ScaleDownStabilized"
    state = recommended(spec, state, now, wanted)
    return Decision(desired, reason, active, usages, remembered(spec, state, now, current, desired))
