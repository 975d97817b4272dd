"""What an autoscaler says, read: quantities, what it knows, and what its rule would have it do."""

import json
from pathlib import Path

import pytest
from autoscaler import condition, metrics_of, quantity, target_of, wanted, write_recording

SPEC = {"metrics": [
    {"type": "Pods", "pods": {"metric": {"name": "http_requests_per_second"},
                              "target": {"type": "AverageValue", "averageValue": "50"}}},
    {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "glassbox",
                                                        "target": {"type": "Utilization", "averageUtilization": 70}}}]}
STATUS = {
    "currentMetrics": [
        {"type": "Pods", "pods": {"metric": {"name": "http_requests_per_second"}, "current": {"averageValue": "80500m"}}},
        {"type": "ContainerResource", "containerResource": {
            "name": "cpu", "container": "glassbox", "current": {"averageUtilization": 12, "averageValue": "12m"}}}],
    "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
                   {"type": "ScalingActive", "status": "False", "reason": "FailedGetPodsMetric"}]}


@pytest.mark.parametrize("text, value", [("50", 50), ("12500m", 12.5), ("0", 0), ("1k", 1000), ("250u", 0.00025)])
def test_quantity(text: str, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


def test_what_it_knows() -> None:
    assert metrics_of(STATUS) == {"http_requests_per_second": 80.5, "cpu": 12}
    assert condition(STATUS, "ScalingActive") == ("False", "FailedGetPodsMetric")


def test_what_it_cannot_read_is_not_there() -> None:
    """An unreadable metric has an entry without a type, and at first there is none at all."""
    assert metrics_of({"currentMetrics": [{"type": ""}, STATUS["currentMetrics"][1]]}) == {"cpu": 12}
    assert metrics_of({}) == {} and condition({}, "ScalingActive") == ("", "")


def test_targets() -> None:
    assert (target_of(SPEC, "http_requests_per_second"), target_of(SPEC, "cpu")) == (50, 70)
    with pytest.raises(KeyError):
        target_of(SPEC, "memory")


@pytest.mark.parametrize("current, value, target, replicas", [
    (2, 85, 50, 4),
    (4, 42.5, 50, 4),  # 3.4: a whole pod more
    (2, 54, 50, 2),    # within a tenth
    (4, 5, 50, 1),
])
def test_its_rule(current: int, value: float, target: float, replicas: int) -> None:
    assert wanted(current, value, target) == replicas


def test_a_recording_is_json_with_a_sample_a_line(tmp_path: Path) -> None:
    recording = {"what": "x", "hpa": SPEC, "load": [], "samples": [{"t": 0.0}, {"t": 1.0}]}
    write_recording(tmp_path / "a.json", recording)
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == recording and text.count('{"t"') == len([ln for ln in text.splitlines() if '"t"' in ln])
