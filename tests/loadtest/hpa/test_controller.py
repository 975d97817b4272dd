"""One look of the controller: the highest metric, the windows, the policies, the bounds."""

from dataclasses import replace
from typing import Any, Optional

import pytest

from glassbox_hpa.calculator import Pod, PodMetric
from glassbox_hpa.controller import Decision, State, reconcile
from glassbox_hpa.spec import Spec, spec_of

NOW = 10_000.0


def pods_of(count: int) -> list[Pod]:
    return [Pod(f"pod-{at}", started=0.0, transitioned=5.0) for at in range(count)]


def look(spec: Spec, state: State, now: float, current: int, rate: Optional[float],
         cpu: Optional[float] = 10.0) -> Decision:
    """With these averages of all pods; None is unreadable."""
    pods = pods_of(current)
    values = [None if figure is None else {pod.name: PodMetric(round(figure * factor), now, 10) for pod in pods}
              for figure, factor in ((rate, 1000), (cpu, 1))]
    return reconcile(spec, state, now, current, pods, values, {pod.name: 100 for pod in pods})


@pytest.fixture
def spec(demo: dict[str, Any]) -> Spec:
    """2 to 6 pods, 50 requests a second, 70 % of CPU, the API's policies, 30 s before it goes in."""
    return spec_of(demo)


def behaving(demo: dict[str, Any], most: int = 100, **behavior: Any) -> Spec:
    return spec_of({**demo, "maxReplicas": most, "behavior": behavior})


# ---- metrics ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "cpu", "desired"), [
    (85, 10, 4),      # 1.7 x 2 by requests
    (5, 122, 4),      # 1.74 x 2 by CPU
    (110, 80, 5),     # 2.2 x 2 by requests is more than 1.14 x 2 by CPU
    (5, 10, 2),       # one would do; never under the least
    (500, 10, 6),     # twenty; never over the most
])
def test_the_highest_wins(spec: Spec, rate: float, cpu: float, desired: int) -> None:
    found = look(spec, State(), NOW, 2, rate, cpu)
    assert (found.desired, found.active, found.usages) == (desired, "ValidMetricFound", (rate * 1000, cpu))


@pytest.mark.parametrize(("rate", "cpu", "desired", "active"), [
    (None, 110, 5, "ValidMetricFound"),                # 1.57 x 3: out by the one that can be read
    (None, 70, 3, "ValidMetricFound"),                 # nothing to do is not going in
    (None, 10, 3, "FailedGetPodsMetric"),              # never in
    (10, None, 3, "FailedGetContainerResourceMetric"),
    (None, None, 3, "FailedGetPodsMetric"),            # the first is told
])
def test_unreadable(spec: Spec, rate: Optional[float], cpu: Optional[float], desired: int, active: str) -> None:
    found = look(spec, State(), NOW, 3, rate, cpu)
    assert (found.desired, found.active) == (desired, active)


def test_what_fails_is_no_recommendation(spec: Spec) -> None:
    """So when it can be read again, after longer than the window, it goes in at once."""
    state = look(spec, State(), NOW, 4, 50).state
    for after in (15, 30, 45):
        found = look(spec, state, NOW + after, 4, None)
        assert found.desired == 4 and found.state.recommendations == state.recommendations
        state = found.state
    assert look(spec, state, NOW + 60, 4, 1).desired == 2


def test_outside_the_bounds_no_metric_is_asked(spec: Spec) -> None:
    assert look(spec, State(), NOW, 9, 50).desired == 6
    assert look(spec, State(), NOW, 1, 50).desired == 2
    assert look(spec, State(), NOW, 9, 50).usages == (None, None)


def test_no_replicas_is_off(spec: Spec) -> None:
    assert look(spec, State(), NOW, 0, 50).reason == "ScalingDisabled"
    assert look(spec, State(), NOW, 0, 50).desired == 0


# ---- windows ------------------------------------------------------------------------------------


def test_in_only_after_the_window(spec: Spec) -> None:
    """The highest of the last 30 s; just 30 s ago is outside."""
    state, seen = State(), []
    for after, rate in ((0, 50), (15, 30), (30, 10), (45, 10), (60, 10)):
        found = look(spec, state, NOW + after, 4, rate)   # 4, 3 (2.4), 1, 1, 1
        seen.append(found.desired)
        state = found.state
    assert seen == [4, 4, 3, 2, 2]


def test_the_first_look_remembers_what_is_there(spec: Spec) -> None:
    """So a new autoscaler does not go in at once."""
    first = look(spec, State(), NOW, 4, 1)
    assert (first.desired, first.reason) == (4, "ScaleDownStabilized")
    assert first.state.recommendations == ((NOW, 4), (NOW, 1))


def test_out_only_after_a_window(demo: dict[str, Any]) -> None:
    """The lowest of the last 60 s."""
    slow = behaving(demo, scaleUp={"stabilizationWindowSeconds": 60})
    state, seen = State(), []
    for after, rate in ((0, 50), (15, 100), (30, 75), (45, 100), (60, 100), (75, 100), (90, 100)):
        found = look(slow, state, NOW + after, 2, rate)   # 2, 4, 3, 4, 4, 4, 4
        seen.append((found.desired, found.reason))
        state = found.state
    assert [desired for desired, _ in seen] == [2, 2, 2, 2, 3, 3, 4]
    assert seen[1][1] == "ScaleUpStabilized"


# ---- policies -----------------------------------------------------------------------------------


def test_default_policies_going_out(demo: dict[str, Any]) -> None:
    """Four pods or twice as many, whichever is more, in 15 s."""
    free = behaving(demo)
    assert look(free, State(), NOW, 2, 500).desired == 6
    assert look(free, State(), NOW, 2, 500).reason == "ScaleUpLimit"
    assert look(free, State(), NOW, 5, 500).desired == 10


def test_what_was_added_in_the_period_counts(demo: dict[str, Any]) -> None:
    """From 2 to 6; 10 s later from 2 still no more than 6; 15 s later from 6 to 12."""
    free = behaving(demo)
    state = look(free, State(), NOW, 2, 500).state
    assert state.ups == ((NOW, 4),)
    assert look(free, state, NOW + 10, 6, 500).desired == 6
    assert look(free, state, NOW + 15, 6, 500).desired == 12


def test_what_was_removed_in_the_period_counts_back(demo: dict[str, Any]) -> None:
    """Two went: the period began with five, and five and four are nine."""
    free = behaving(demo, scaleUp={"policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]})
    state = State(recommendations=((NOW - 900, 3),), downs=((NOW - 30, 2),))
    assert look(free, state, NOW, 3, 500).desired == 9


def test_what_was_too_much_is_not_taken_back(demo: dict[str, Any]) -> None:
    """One pod a minute, and three came, or went, when the policy was another: it waits, and does not turn round."""
    one = {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}
    slow = behaving(demo, scaleUp=one, scaleDown=one)
    assert look(slow, State(ups=((NOW - 10, 3),)), NOW, 5, 500).desired == 5
    assert look(slow, State(downs=((NOW - 10, 3),)), NOW, 5, 1).desired == 5


@pytest.mark.parametrize(("select", "out", "into"), [
    ("Max", 15, 5),        # 10 + 5 pods, 10 x 1.1; 10 x 0.5, 10 - 1
    ("Min", 11, 9),
    ("Disabled", 10, 10),
])
def test_select_policy(demo: dict[str, Any], select: str, out: int, into: int) -> None:
    picky = behaving(
        demo,
        scaleUp={"selectPolicy": select, "policies": [{"type": "Pods", "value": 5, "periodSeconds": 60},
                                                      {"type": "Percent", "value": 10, "periodSeconds": 60}]},
        scaleDown={"selectPolicy": select, "stabilizationWindowSeconds": 0,
                   "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60},
                                {"type": "Pods", "value": 1, "periodSeconds": 60}]})
    assert look(picky, State(), NOW, 10, 500).desired == out
    assert look(picky, State(), NOW, 10, 1).desired == into


def test_production_goes_in_by_a_tenth_a_minute(demo: dict[str, Any]) -> None:
    """What is left is cut off: of 10 nine, of 9 (8.1) eight; and within the minute no more."""
    slow = behaving(demo, scaleDown={"stabilizationWindowSeconds": 0,
                                     "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]})
    first = look(slow, State(), NOW, 10, 1)
    assert (first.desired, first.reason) == (9, "ScaleDownLimit")
    assert look(slow, first.state, NOW + 15, 9, 1).desired == 9
    later = look(slow, first.state, NOW + 60, 9, 1)
    assert (later.desired, later.state.downs) == (8, ((NOW, 1), (NOW + 60, 1)))


def test_a_small_part_still_adds_one(demo: dict[str, Any]) -> None:
    """1.1 x 2 is rounded up, or it would never leave two."""
    small = behaving(demo, scaleUp={"policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]})
    assert look(small, State(), NOW, 2, 500).desired == 3


# ---- without a behaviour ------------------------------------------------------------------------


def test_no_behaviour_is_not_the_default_behaviour(demo: dict[str, Any]) -> None:
    """Out to four, or twice as many; in after five minutes; no change is remembered."""
    plain = replace(behaving(demo), behavior=None)
    assert look(plain, State(), NOW, 1, 500).desired == 2  # under the least
    assert look(plain, State(), NOW, 2, 500).desired == 4
    assert look(plain, State(), NOW, 5, 500).desired == 10
    assert look(plain, State(), NOW, 2, 500).state.ups == ()
    calm = State(recommendations=((NOW - 299, 4),))
    assert look(plain, calm, NOW, 5, 1).desired == 4
    assert look(plain, calm, NOW + 1, 5, 1).desired == 2


# ---- what it remembers --------------------------------------------------------------------------


def test_memory_is_bounded(demo: dict[str, Any]) -> None:
    """Whatever no window or period reaches any more is forgotten."""
    state = State()
    spec = behaving(demo, scaleDown={"stabilizationWindowSeconds": 60})
    for at in range(400):
        current = 2 + at % 2
        state = look(spec, state, NOW + 15 * at, current, 100 if current == 2 else 20).state
    assert len(state.recommendations) <= 6 and len(state.ups) <= 3 and len(state.downs) <= 3


def test_metrics_as_in_the_spec(spec: Spec) -> None:
    with pytest.raises(ValueError, match="zip"):
        reconcile(spec, State(), NOW, 2, pods_of(2), [None], {})
