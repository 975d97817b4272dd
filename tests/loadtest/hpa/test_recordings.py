"""Held against real autoscalers: the recordings of tests/e2e.

First the controller's step alone, fed with the metrics that a recording shows; then the whole prediction, from nothing
but the spec, what was sent and how the stack is set up.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Sequence

import pytest

from glassbox_hpa.__main__ import main
from glassbox_hpa.calculator import Pod, PodMetric
from glassbox_hpa.compare import DEMO_LIMITS, compare
from glassbox_hpa.controller import SYNC_SECONDS, Decision, State, reconcile
from glassbox_hpa.model import predict, simulate, steps
from glassbox_hpa.recording import WORLD, Recording, Sample, read
from glassbox_hpa.spec import PODS

FOLDER = Path(__file__).parents[2] / "e2e/recordings"
REQUESTS, CPU = FOLDER / "hpa-requests.json", FOLDER / "hpa-cpu.json"
LONG = 1.75 * SYNC_SECONDS  # without a change: it has looked in between, and seen the same


@pytest.fixture(params=[REQUESTS, CPU], ids=["requests", "cpu"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return read(request.param)


# ---- the controller's step ----------------------------------------------------------------------


def looks_of(samples: Sequence[Sample]) -> list[Sample]:
    """Where the status shows that it has looked: something in it is another. Where nothing is for long, each 15 s."""
    found: list[Sample] = []
    for before, now in zip(samples, samples[1:]):
        if (before.metrics, before.current, before.desired, before.active) == (
                now.metrics, now.current, now.desired, now.active):
            continue
        while found and now.t - found[-1].t > LONG:
            found.append(replace(found[-1], t=found[-1].t + SYNC_SECONDS, current=found[-1].desired))
        found.append(now)
    return found


def figures(value: Optional[float], factor: float, known: int) -> Optional[dict[str, PodMetric]]:
    """By pod: so many have one."""
    return None if value is None else {
        f"pod-{at}": PodMetric(round(value * factor), 0.0, 0.0) for at in range(known)}


def outcomes(recording: Recording, state: State, now: Sample, known: int) -> list[Decision]:
    """What the controller may have done at this look. How many pods had a figure is not recorded: at the least those
    that were ready at the look before, at the most those that are there."""
    pods = [Pod(f"pod-{at}", started=-3600.0, transitioned=-3590.0) for at in range(now.current)]
    found = []
    for figured in range(min(known, now.current), now.current + 1):
        values = [figures(now.metrics[metric.name], 1000 if metric.kind == PODS else 1, figured)
                  for metric in recording.spec.metrics]
        found.append(reconcile(recording.spec, state, now.t, now.current, pods, values,
                               {pod.name: 100 for pod in pods}))
    return found


def test_step(recording: Recording) -> None:
    """At each look it wants what the real one wanted. All but a few looks leave it no choice."""
    state, known, wanted, choices = State(), recording.samples[0].ready, [], 0
    looks = looks_of(recording.samples)
    for now in looks:
        found = outcomes(recording, state, now, known)
        made = next((one for one in found if one.desired == now.desired and one.active == now.active), found[0])
        wanted.append((now.t, made.desired, made.active))
        choices += len({(one.desired, one.active) for one in found}) > 1
        state, known = made.state, now.ready
    assert wanted == [(now.t, now.desired, now.active) for now in looks]
    assert len({desired for _, desired, _ in wanted}) > 1, "nothing ever happened"
    assert choices <= 2


# ---- all of it ----------------------------------------------------------------------------------


def test_prediction(recording: Recording) -> None:
    """Within one replica and a minute, and half a minute going out."""
    moments = predict(recording.spec, recording.profile, WORLD, recording.samples[0].current)
    found = compare(moments, recording.samples, DEMO_LIMITS)
    assert found.passed, found.faults
    assert (min(row.before for row in found.rows), max(row.after for row in found.rows)) == (2, 4)
    assert all(row.off is not None for row in found.rows)


@pytest.mark.parametrize("change", [
    {"base_millicores": 5.0}, {"base_millicores": 15.0}, {"ready_seconds": 8.0, "serving_seconds": 9.0},
    {"housekeeping_seconds": 10.0}, {"discovery_seconds": 10.0}], ids=str)
def test_prediction_hangs_on_no_constant(recording: Recording, change: dict[str, Any]) -> None:
    """What was measured or estimated may be well off."""
    moments = predict(recording.spec, recording.profile, replace(WORLD, **change), recording.samples[0].current)
    assert compare(moments, recording.samples, DEMO_LIMITS).passed


def test_the_verdict_is_no_matter_of_luck(recording: Recording) -> None:
    """Whenever the controller looks and metrics-server asks, what then happens is within the limits of what was
    told."""
    told = predict(recording.spec, recording.profile, WORLD, 2)
    for phase in range(0, 15, 2):
        for metrics_phase in range(0, 10, 3):
            world = replace(WORLD, phase=phase, metrics_phase=metrics_phase)
            found = compare(told, simulate(recording.spec, recording.profile, world, 2), DEMO_LIMITS)
            assert found.passed, (phase, metrics_phase, found.faults)


def test_the_recording_lies_in_the_band_of_what_may_be(recording: Recording) -> None:
    """Or beside it for less than a minute: the machine was busy, and looks came late."""
    moments = predict(recording.spec, recording.profile, WORLD, recording.samples[0].current)
    beside = [one.t for one in recording.samples
              if not moments[min(round(one.t), len(moments) - 1)].low <= one.current
              <= moments[min(round(one.t), len(moments) - 1)].high]
    assert len(beside) < 60, beside


@pytest.mark.parametrize(("file", "rate"), [(REQUESTS, 40.0), (REQUESTS, 280.0), (CPU, 8.0)])
def test_another_load_is_told_from_it(file: Path, rate: float) -> None:
    """The comparison sees it when something else was sent than was foretold."""
    recording = read(file)
    busy = max(recording.profile.stages, key=lambda stage: stage.rate * (1 + stage.cpu_ms))
    stages = tuple(replace(stage, rate=rate) if stage is busy else stage for stage in recording.profile.stages)
    if file == CPU:
        stages = tuple(replace(stage, cpu_ms=1.0) for stage in stages)
    moments = predict(recording.spec, replace(recording.profile, stages=stages), WORLD, 2)
    assert compare(moments, recording.samples, DEMO_LIMITS).faults


def test_without_the_blindness_it_would_have_gone_in_earlier() -> None:
    """It is what held the replicas: two minutes' worth."""
    recording = read(CPU)
    (blind,) = recording.profile.blind
    seeing = steps(predict(recording.spec, replace(recording.profile, blind=()), WORLD, 2))
    assert seeing[-1].after == 2 and seeing[-1].t < blind.end - 30
    held = steps(predict(recording.spec, recording.profile, WORLD, 2))
    assert held[-1].after == 2 and held[-1].t > blind.end


# ---- reading ------------------------------------------------------------------------------------


def test_read_requests() -> None:
    """20 a second from the third second on, 150 from the tenth, for a minute; a moment without CPU is not blind."""
    recording = read(REQUESTS)
    assert [(round(stage.seconds), stage.rate) for stage in recording.profile.stages] == [
        (3, 0), (7, 20), (60, 170), (113, 20), (3, 0)]
    assert recording.profile.blind == ()
    assert (recording.spec.least, recording.spec.most, len(recording.samples)) == (2, 6, 126)


def test_read_cpu() -> None:
    """46 ms each, five a second; blind from the first look without the metric, long before it is told."""
    recording = read(CPU)
    assert [(round(stage.seconds), stage.rate) for stage in recording.profile.stages] == [
        (2, 0), (5, 5), (90, 10), (205, 5), (7, 0)]
    busy = max(recording.profile.stages, key=lambda stage: stage.cpu_ms)
    assert busy.rate == 10 and busy.rate * busy.cpu_ms == pytest.approx(5 * 46 + 10 * 0.35)
    (blind,) = recording.profile.blind
    assert (blind.metric, blind.begin, blind.end) == ("http_requests_per_second", 37.9, 190.3)


def test_a_metric_that_is_missing_for_a_moment_is_no_blindness(tmp_path: Path) -> None:
    """As of new pods: nobody says that it cannot be read."""
    found = json.loads(REQUESTS.read_text())
    for one in found["samples"][40:44]:
        one["metrics"]["http_requests_per_second"] = None
    file = tmp_path / "hpa.json"
    file.write_text(json.dumps(found))
    assert read(file).profile.blind == ()


@pytest.mark.parametrize(("change", "said"), [
    ({"samples": []}, "recording: no samples"),
    ({"hpa": {"minReplicas": 1}}, "spec: has no maxReplicas"),
    ({"samples": [{"t": 0}]}, "missing .* required positional arguments"),
    ({"load": [{"rate": 9999, "seconds": 9, "rows": []}]}, "load of 9999 a second: never sent"),
])
def test_what_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture, change: dict[str, Any], said: str) -> None:
    file = tmp_path / "hpa.json"
    file.write_text(json.dumps({**json.loads(REQUESTS.read_text()), **change}))
    with pytest.raises(ValueError, match=f"{file}: .*{said}"):
        read(file)
    assert main([str(file)]) == 2 and str(file) in capsys.readouterr().err


def test_command(capsys: pytest.CaptureFixture) -> None:
    """Side by side, the table, and the verdict."""
    assert main([str(CPU)]) == 0
    told = capsys.readouterr().out
    assert "| 4 → 2 |" in told and told.endswith("as foretold\n")


def test_command_tells_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A recording in which nothing ever happened."""
    found = json.loads(CPU.read_text())
    for one in found["samples"]:
        one["current"] = 2
    file = tmp_path / "hpa.json"
    file.write_text(json.dumps(found))
    assert main([str(file)]) == 1
    assert "and never came" in capsys.readouterr().out
    assert main([str(tmp_path / "none.json")]) == 2
