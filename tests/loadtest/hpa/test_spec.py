"""What an autoscaler is told: the API's defaults, and what is refused by its name."""

from typing import Any, Callable

import pytest

from glassbox_hpa.spec import DOWN, UP, Metric, Policy, milli, spec_of


def test_demo(demo: dict[str, Any]) -> None:
    spec = spec_of(demo)
    assert (spec.least, spec.most) == (2, 6)
    assert spec.metrics == (Metric("Pods", "http_requests_per_second", 50_000),
                            Metric("ContainerResource", "cpu", 70, "glassbox"))


def test_defaults_of_the_api(demo: dict[str, Any]) -> None:
    behavior = spec_of(demo).behavior
    assert behavior is not None
    assert behavior.up == UP
    assert behavior.up.policies == (Policy("Pods", 4, 15), Policy("Percent", 100, 15))
    assert (behavior.down.window_seconds, behavior.down.policies) == (30, DOWN.policies)
    assert (DOWN.window_seconds, DOWN.select, DOWN.tolerance) == (300, "Max", 0.1)


def test_defaults_of_everything() -> None:
    """One replica, CPU at 80 % of the pod; no behaviour stays none, as the controller has older rules for that."""
    spec = spec_of({"maxReplicas": 3})
    assert (spec.least, spec.behavior) == (1, None)
    assert spec.metrics == (Metric("Resource", "cpu", 80),)


def test_what_is_null_is_left_out(demo: dict[str, Any]) -> None:
    demo["behavior"]["scaleUp"] = {"stabilizationWindowSeconds": None, "policies": None, "selectPolicy": "Min"}
    up = spec_of(demo).behavior.up
    assert (up.window_seconds, up.select, up.policies) == (0, "Min", UP.policies)


def test_tolerance_of_a_direction(demo: dict[str, Any]) -> None:
    demo["behavior"]["scaleUp"] = {"tolerance": "50m"}
    behavior = spec_of(demo).behavior
    assert (behavior.up.tolerance, behavior.down.tolerance) == (0.05, 0.1)


@pytest.mark.parametrize(("text", "thousandths"), [
    ("50", 50_000), (50, 50_000), ("12500m", 12_500), ("1.5", 1_500), ("2k", 2_000_000), ("1u", 1),
    ("1500001u", 1_501)])
def test_quantities(text: Any, thousandths: int) -> None:
    """In thousandths; less than one is rounded up."""
    assert milli("here", text) == thousandths


@pytest.mark.parametrize("text", ["", "m", "ten", "5x", "0", "-1", "1/0", None])
def test_no_quantities(text: Any) -> None:
    with pytest.raises(ValueError, match="^here: .*(is no quantity: a number, with one of n u m k M G|is not above 0)"):
        milli("here", text)


def set_at(*path: Any) -> Callable[[dict[str, Any], Any], None]:
    """Puts a value there."""
    def put(found: Any, value: Any) -> None:
        for key in path[:-1]:
            found = found[key]
        found[path[-1]] = value
    return put


PODS, CPU = ("metrics", 0, "pods"), ("metrics", 1, "containerResource")
POLICY = {"type": "Pods", "value": 1, "periodSeconds": 60}


@pytest.mark.parametrize(("where", "value", "said"), [
    (("metrics", 0, "type"), "External",
     r"spec.metrics\[0\].type: 'External' .* allowed: Pods, Resource, ContainerResource"),
    (("metrics", 1, "type"), "Object", r"spec.metrics\[1\].type: 'Object' .* allowed: Pods"),
    ((*PODS, "target", "type"), "Value", r"pods.target.type: 'Value' .* allowed: AverageValue$"),
    ((*CPU, "target", "type"), "AverageValue",
     r"containerResource.target.type: 'AverageValue' .* allowed: Utilization$"),
    ((*CPU, "name"), "memory", "containerResource.name: 'memory' .* allowed: cpu$"),
    ((*CPU, "target", "averageUtilization"), 0, "averageUtilization: 0 is not a whole number, at least 1"),
    ((*PODS, "metric", "selector"), {"matchLabels": {"a": "b"}}, "pods.metric.selector: .* allowed: none"),
    ((*PODS, "target", "averageValue"), "0", "averageValue: '0' is not above 0"),
    (("metrics", 0, "pods"), {}, "pods: has no target"),
    (("maxReplicas",), "6", "maxReplicas: '6' is not a whole number, at least 1"),
    (("minReplicas",), 7, "minReplicas: 7 is not a whole number, 1 to 6"),
    (("minReplicas",), 0, "minReplicas: 0 is not a whole number, 1 to 6"),
    (("behavior", "scaleDown", "selectPolicy"), "Most",
     "scaleDown.selectPolicy: 'Most' .* allowed: Max, Min, Disabled"),
    (("behavior", "scaleDown", "policies"), [], "scaleDown.policies: is empty; allowed: left out, or at least one"),
    (("behavior", "scaleDown", "policies"), [{**POLICY, "type": "All"}], r"policies\[0\].type: 'All' .* Pods, Percent"),
    (("behavior", "scaleDown", "policies"), [POLICY, {**POLICY, "periodSeconds": 1801}],
     r"policies\[1\].periodSeconds: 1801 is not a whole number, 1 to 1800"),
    (("behavior", "scaleDown", "policies"), [{**POLICY, "value": True}],
     r"value: True is not a whole number, at least 1"),
    (("behavior", "scaleDown", "stabilizationWindowSeconds"), 3601, "Seconds: 3601 is not a whole number, 0 to 3600"),
    (("behavior", "scaleDown", "tolerance"), "-1", "scaleDown.tolerance: -1.0 is below 0"),
])
def test_refused_by_name(demo: dict[str, Any], where: tuple[Any, ...], value: Any, said: str) -> None:
    set_at(*where)(demo, value)
    with pytest.raises(ValueError, match=said):
        spec_of(demo)


def test_without_a_maximum(demo: dict[str, Any]) -> None:
    del demo["maxReplicas"]
    with pytest.raises(ValueError, match="spec: has no maxReplicas"):
        spec_of(demo)
