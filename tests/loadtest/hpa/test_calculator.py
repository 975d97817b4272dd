"""How many replicas one metric asks for, with numbers that can be worked out by hand.

Requests: 50 a second and pod are the target. CPU: 70 % of 100 m.
"""

from typing import Optional

import pytest

from glassbox_hpa.calculator import Pod, PodMetric, Tolerances, Unreadable, proposal
from glassbox_hpa.spec import Metric

RATE = Metric("Pods", "http_requests_per_second", 50_000)
CPU = Metric("ContainerResource", "cpu", 70, "glassbox")
NOW = 10_000.0


def old(name: str, **other: object) -> Pod:
    """There for an hour, and ready."""
    return Pod(name, **{"started": NOW - 3600, "transitioned": NOW - 3590, **other})


def asked(metric: Metric, *figures: Optional[int], current: Optional[int] = None, pods: Optional[list[Pod]] = None,
          tolerances: Tolerances = Tolerances(), request: int = 100) -> tuple[int, int]:
    """(replicas, usage), of pods a, b, c, ... with these figures (requests, or thousandths of a CPU); None has none."""
    pods = pods or [old(name) for name, _ in zip("abcdefghij", figures)]
    factor = 1000 if metric is RATE else 1
    values = {pod.name: PodMetric(int(figure * factor), NOW, 10)
              for pod, figure in zip(pods, figures) if figure is not None}
    return proposal(metric, len(pods) if current is None else current, pods, values,
                    {pod.name: request for pod in pods}, tolerances, NOW)


@pytest.mark.parametrize(("figures", "replicas"), [
    ((50, 50), 2),        # on it
    ((55, 55), 2),        # 1.1: within a tenth
    ((56, 56), 3),        # 1.12 x 2 = 2.24
    ((45, 45), 2),        # 0.9: within
    ((45,) * 10, 10),     # of ten, too, where 0.9 x 10 would be nine
    ((44, 44), 2),        # 0.88 x 2 = 1.76, rounded up
    ((25, 25), 1),        # 0.5 x 2
    ((85, 85), 4),        # 1.7 x 2 = 3.4
    ((170, 0), 4),        # the average is what counts
    ((0, 0), 0),          # the bounds are not its business
])
def test_requests(figures: tuple[int, ...], replicas: int) -> None:
    assert asked(RATE, *figures) == (replicas, sum(figures) * 1000 // len(figures))


@pytest.mark.parametrize(("figures", "replicas", "percent"), [
    ((70, 70), 2, 70),
    ((77, 77), 2, 77),    # 1.1
    ((122, 122), 4, 122),  # 1.742 x 2 = 3.49
    ((77, 78), 2, 77),    # 155 / 200 is cut off to 77 %, which is within a tenth; 77.5 % would not be
    ((13, 13), 1, 13),    # 0.186 x 2
])
def test_cpu(figures: tuple[int, ...], replicas: int, percent: int) -> None:
    assert asked(CPU, *figures) == (replicas, percent)


def test_tolerances_are_two() -> None:
    narrow = Tolerances(up=0.05, down=0.2)
    assert asked(RATE, 53, 53, tolerances=narrow)[0] == 3   # 1.06 x 2
    assert asked(RATE, 20, 62, tolerances=narrow)[0] == 2   # 0.82: within a fifth


@pytest.mark.parametrize(("figures", "replicas", "why"), [
    ((94, 94, None), 4, "188 / 3 = 62.7; 1.253 x 3 = 3.76: the new pod is taken to do nothing"),
    ((80, 80, None), 3, "160 / 3 = 53.3: within a tenth, though 80 alone is far above"),
    ((60, 60, None, None, None), 5, "120 / 5 = 24 would be below: it does not turn round"),
    ((20, 20, None, None), 3, "(40 + 100) / 4 = 35; 0.7 x 4 = 2.8: those missing are taken to be on target"),
    ((40, None), 2, "(40 + 50) / 2 = 45: within a tenth"),
    ((50, None), 2, "on target, whoever is missing"),
])
def test_requests_of_new_pods(figures: tuple[Optional[int], ...], replicas: int, why: str) -> None:
    assert asked(RATE, *figures)[0] == replicas, why


@pytest.mark.parametrize(("figures", "replicas", "why"), [
    ((119, 119, None, None), 4, "238 / 400 = 59 % would be below: it does not turn round"),
    ((180, 180, None), 6, "360 / 300 = 120 %; 1.714 x 3 = 5.14"),
    ((13, 13, None), 2, "(26 + 100) / 300 = 42 %: going in, those missing burn all they ask for; 0.6 x 3 = 1.8"),
    ((60, None), 2, "(60 + 100) / 200 = 80 % would be above: it does not turn round"),
])
def test_cpu_of_missing_pods(figures: tuple[Optional[int], ...], replicas: int, why: str) -> None:
    assert asked(CPU, *figures)[0] == replicas, why


def test_target_above_all_that_is_asked_for() -> None:
    """Then those missing are at the target, not at all they ask for: (4 x 50 + 150) / 500 = 70 %, 0.467 x 5 = 2.3."""
    assert asked(Metric("Resource", "cpu", 150), 50, 50, 50, 50, None) == (3, 50)


@pytest.mark.parametrize(("figures", "current", "replicas", "why"), [
    ((20, 20, None), 2, 2, "(20 + 20 + 50) / 3 = 30; 0.6 x 3 = 1.8"),
    ((30, 30, None), 2, 2, "110 / 3 = 36.7; 0.733 x 3 = 2.2 are three, which is not going in"),
    ((94, 94, None), 9, 9, "1.253 x 3 = 3.76 are four, which is not going out"),
    ((170, 170, None), 2, 7, "340 / 3 = 113; 2.267 x 3 = 6.8: by the pods that are there, not those that should be"),
    ((85, 85), 4, 4, "1.7 x 2 = 3.4, likewise"),
])
def test_pods_that_are_not_the_replicas(figures: tuple[Optional[int], ...], current: int, replicas: int,
                                        why: str) -> None:
    """There are more while it rolls out, and fewer while they are made."""
    assert asked(RATE, *figures, current=current)[0] == replicas, why


STARTING = {"started": NOW - 20, "transitioned": NOW - 17}


@pytest.mark.parametrize(("pod", "figure", "counted", "why"), [
    (Pod("c"), PodMetric(200, NOW, 10), False, "the kubelet has not taken it up"),
    (Pod("c", ready=False, **STARTING), PodMetric(200, NOW, 10), False, "not ready"),
    (Pod("c", **STARTING), PodMetric(200, NOW - 8, 10), False, "the figure is from NOW - 18 on: it became ready later"),
    (Pod("c", **STARTING), PodMetric(200, NOW - 7, 10), True, "the figure begins when it became ready"),
    (old("c", ready=False, transitioned=NOW - 10), PodMetric(200, NOW, 10), True, "old, and was ready until now"),
    (old("c", ready=False, transitioned=NOW - 3571), PodMetric(200, NOW, 10), False, "old, and never was ready"),
    (old("c", ready=False, transitioned=NOW - 3570), PodMetric(200, NOW, 10), True, "its 30 s were over"),
])
def test_cpu_of_young_pods(pod: Pod, figure: PodMetric, counted: bool, why: str) -> None:
    """Two burn 140 m. With the third 480 / 300 = 160 %, 2.286 x 3 = 6.9; else 280 / 300 = 93 %, 1.329 x 3 = 3.99."""
    pods = [old("a"), old("b"), pod]
    values = {"a": PodMetric(140, NOW, 10), "b": PodMetric(140, NOW, 10), "c": figure}
    found = proposal(CPU, 3, pods, values, dict.fromkeys("abc", 100), Tolerances(), NOW)
    assert found == ((7, 160) if counted else (4, 140)), why


def test_requests_of_a_pod_that_is_not_ready_count() -> None:
    """Readiness is looked at for CPU only: (90 + 90 + 0) / 3 = 60, 1.2 x 3 = 3.6."""
    young = Pod("c", ready=False, **STARTING)
    assert asked(RATE, 90, 90, 0, pods=[old("a"), old("b"), young]) == (4, 60_000)


def test_going_in_leaves_young_pods_out() -> None:
    """Two at 20 m, one of no account: 0.286 x 2 = 0.57."""
    assert asked(CPU, 20, 20, 99, pods=[old("a"), old("b"), Pod("c", ready=False, **STARTING)]) == (1, 20)


@pytest.mark.parametrize("metric", [RATE, CPU])
@pytest.mark.parametrize("gone", [old("c", deleted=True), old("c", phase="Failed")])
def test_who_goes_is_ignored(metric: Metric, gone: Pod) -> None:
    """Its figure and itself: 100 of 50, or of 70, by two pods."""
    assert asked(metric, 100, 100, 900, pods=[old("a"), old("b"), gone], current=2)[0] == (4 if metric is RATE else 3)


@pytest.mark.parametrize(("metric", "figure", "why"), [
    (RATE, 80, "160 / 3 = 53.3: within a tenth; 80 by two would be 3.2"),
    (CPU, 110, "220 / 300 = 73 %: within a tenth; 110 % by two would be 3.1"),
])
def test_pending_pods_do_nothing_going_out(metric: Metric, figure: int, why: str) -> None:
    pods = [old("a"), old("b"), Pod("c", phase="Pending")]
    assert asked(metric, figure, figure, None, pods=pods)[0] == 3, why


def test_unknown_pods_are_not_in_a_utilization() -> None:
    """Metrics of two that nobody knows: of the known, (140 + 140) / 200 = 140 %, 2 x 2."""
    values = {name: PodMetric(140 if name in "ab" else 900, NOW, 10) for name in "abxy"}
    found = proposal(CPU, 2, [old("a"), old("b")], values, dict.fromkeys("ab", 100), Tolerances(), NOW)
    assert found == (4, 140)


def test_nothing_to_go_by() -> None:
    with pytest.raises(Unreadable, match="http_requests_per_second: no metrics returned"):
        asked(RATE, None, None)
    with pytest.raises(Unreadable, match="cpu: no metrics of pods that are ready"):
        asked(CPU, 100, pods=[Pod("a", ready=False, **STARTING)])
