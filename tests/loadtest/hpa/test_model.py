"""The whole of it: loads whose outcome can be worked out by hand, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from glassbox_hpa.model import (
    DEMO, PRODUCTION, Blind, Moment, Profile, Simulation, Stage, World, predict, steps)
from glassbox_hpa.profile import together
from glassbox_hpa.spec import Spec, spec_of

REQUESTS, CPU = "http_requests_per_second", "cpu"
WATCHED = replace(DEMO, phase=5, metrics_phase=0)  # 5, 20, 35, ...; 0, 10, 20, ...


@pytest.fixture
def spec(demo: dict[str, Any]) -> Spec:
    return spec_of(demo)


def at(moments: list[Moment], second: int) -> Moment:
    return next(one for one in moments if one.t == second)


def changes(moments: list[Moment]) -> list[tuple[float, int, int]]:
    return [(step.t, step.before, step.after) for step in steps(moments)]


def test_nothing_happens_without_load(spec: Spec) -> None:
    moments = predict(spec, Profile((Stage(120, 0),)), DEMO, 2)
    assert [one.t for one in moments] == list(range(121))
    assert {(one.wanted, one.current, one.ready, one.low, one.high) for one in moments} == {(2, 2, 2, 2, 2)}
    assert at(moments, 100).metrics == {REQUESTS: 0.0, CPU: 10.0}


def test_out_and_in_on_requests(spec: Spec) -> None:
    """160 a second from 30 on: at 35 a quarter of the window at most, 20 by each; at 50 all of it, 80 by each of two,
    3.2. What the status calls current follows a look later. It ends at 150: at 155 three quarters of
    a window are seen, 30 by each of four, 2.4; at 170 nothing. The windows let the 3 in at 170, and the rest at 185."""
    moments = predict(spec, Profile((Stage(30, 0), Stage(120, 160), Stage(90, 0))), WATCHED, 2)
    assert at(moments, 49).wanted == 2 and at(moments, 49).metrics[REQUESTS] <= 25
    assert at(moments, 50).metrics[REQUESTS] == pytest.approx(80, abs=1)
    assert (at(moments, 50).wanted, at(moments, 50).current, at(moments, 50).ready) == (4, 2, 2)
    assert at(moments, 53).ready == 4
    assert changes(moments)[0] == (65, 2, 4)
    assert [one.wanted for one in moments if 50 <= one.t < 190] == [4] * 120 + [3] * 15 + [2] * 5
    assert changes(moments) == [(65, 2, 4), (185, 4, 3), (200, 3, 2)]


def test_out_on_cpu(spec: Spec) -> None:
    """4 a second of 60 ms, and a base of 10 m each: 130 m of 100 m by two, 1.857 x 2 = 3.7; then 70 % by four."""
    moments = predict(spec, Profile((Stage(30, 0), Stage(120, 4, 60))), WATCHED, 2)
    assert at(moments, 50).metrics[CPU] == 130
    assert max(one.wanted for one in moments) == 4
    assert at(moments, 140).metrics[CPU] == 70
    assert at(moments, 140).metrics[REQUESTS] == pytest.approx(1, abs=0.1)


def test_what_the_machine_cannot_give_is_not_seen(spec: Spec) -> None:
    """620 m are asked for, and 0.3 cores is all there is: 150 % of two, the same 300 m of more."""
    moments = predict(spec, Profile((Stage(30, 0), Stage(150, 10, 60))), replace(WATCHED, cores=0.3), 2)
    assert at(moments, 50).metrics[CPU] == 150
    assert at(moments, 175).ready > 2
    assert at(moments, 175).metrics[CPU] * at(moments, 175).ready == pytest.approx(300, abs=at(moments, 175).ready)


def test_a_new_pod_takes_its_share_once_it_serves(spec: Spec) -> None:
    """10 a second of 6 ms. It runs from 1 on, and burns its base; from 4 on a third of the requests are its own."""
    simulation = Simulation(spec, Profile((Stage(30, 10, 6),)), WATCHED, 2)
    simulation.make(1, 0.0)
    old, new = simulation.pods[0], simulation.pods[2]
    told = []
    for now in range(1, 6):
        before = old.requests
        simulation.serve(now)
        told.append((old.requests - before, new.requests, new.cpu_ms))
    third = pytest.approx(10 / 3)
    assert told == [(5, 0, 0), (5, 0, 10), (5, 0, 20), (5, 0, 30), (third, third, 60)]


def test_never_in_while_it_cannot_see(spec: Spec) -> None:
    """Without the requests' metric from 100 to 200, and no load from 120 on: at 200 it can see again."""
    profile = Profile((Stage(120, 160), Stage(120, 0)), (Blind(REQUESTS, 100, 200),))
    moments = predict(spec, profile, WATCHED, 2)
    blind = [one for one in moments if 110 <= one.t < 200]
    assert {(one.wanted, one.metrics[REQUESTS]) for one in blind} == {(4, None)}
    assert at(moments, 160).reason == "FailedGetPodsMetric"
    assert at(moments, 200).wanted == 2


def test_a_ramp_goes_out_one_by_one(demo: dict[str, Any]) -> None:
    """From 0 to 300 in 300 s: it is over 1.1 x 100 at 110, over 1.1 x 150 at 165, and so on, each seen later."""
    moments = predict(spec_of(demo), Profile((Stage(300, 300, shape="ramp"), Stage(30, 300))), DEMO, 2)
    assert [(step.before, step.after) for step in steps(moments)] == [(2, 3), (3, 4), (4, 5), (5, 6)]
    for step, over in zip(steps(moments), (110, 165, 220, 275)):
        assert over < step.t <= over + 60


def test_band_holds_each_outcome(spec: Spec) -> None:
    """Whatever the phases are, what comes out lies between; and they make a difference."""
    profile = Profile((Stage(30, 0), Stage(90, 170), Stage(90, 0)))
    foretold = predict(spec, profile, DEMO, 2)
    for phase in (1.5, 7.5, 13.5):
        for metrics_phase in (5 / 3, 25 / 3):
            one = predict(spec, profile, replace(DEMO, phase=phase, metrics_phase=metrics_phase), 2)
            assert all(told.low <= real.current <= told.high for told, real in zip(foretold, one))
            assert all(real.low == real.current == real.high for real in one)
    assert all(told.low <= told.current <= told.high for told in foretold)
    assert any(told.low < told.high for told in foretold)


def test_production_is_slower_in_every_way(demo: dict[str, Any]) -> None:
    """With two minutes in its window, 190 a second are over 1.1 x 100 only after 69 s; in it goes one at a time."""
    demo["behavior"]["scaleDown"] = {"stabilizationWindowSeconds": 300,
                                     "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}
    moments = predict(spec_of(demo), Profile((Stage(240, 190), Stage(660, 0))), PRODUCTION, 2)
    found = steps(moments)
    assert found[0].t > 69
    goes_in = [step for step in found if step.after < step.before]
    assert [(step.before, step.after) for step in goes_in] == [(4, 3), (3, 2)]
    assert goes_in[0].t > 240 + 300 and goes_in[1].t - goes_in[0].t >= 60


def test_outside_its_bounds_at_the_beginning(spec: Spec) -> None:
    assert {one.wanted for one in predict(spec, Profile((Stage(30, 0),)), WATCHED, 9) if one.t >= 5} <= {6}


def test_the_same_again(spec: Spec) -> None:
    profile = Profile((Stage(60, 160),))
    assert predict(spec, profile, DEMO, 2) == predict(spec, profile, DEMO, 2)


# ---- the load -----------------------------------------------------------------------------------


def test_profile_at() -> None:
    profile = Profile((Stage(10, 20, 5), Stage(10, 40, 7, "ramp"), Stage(10, 0, shape="ramp")))
    assert profile.seconds == 30
    assert [profile.at(second) for second in (-1, 0, 9.9, 10, 15, 25, 30)] == [
        (0, 0), (20, 5), (20, 5), (20, 7), (30, 7), (20, 0), (0, 0)]


def test_loads_beside_each_other() -> None:
    """20 a second of 1 ms from 5 to 25, and 60 of 3 ms from 10 to 20: 80 of 2.5 ms."""
    assert together([(5, 25, 20, 1), (10, 20, 60, 3)], 30) == (
        Stage(5, 0), Stage(5, 20, 1), Stage(10, 80, 2.5), Stage(5, 20, 1), Stage(5, 0))


@pytest.mark.parametrize(("make", "said"), [
    (lambda: Stage(10, 1, shape="curve"), "shape of a stage: 'curve'; allowed: ramp, step"),
    (lambda: Stage(0, 1), "seconds of a stage: 0; allowed: above 0"),
    (lambda: Stage(1, -1), "rate of a stage: -1; allowed: 0 or above"),
    (lambda: Stage(1, 1, -1), "cpu_ms of a stage: -1; allowed: 0 or above"),
    (lambda: Profile(()), "stages of a profile: none"),
    (lambda: Blind("cpu", 5, 5), "blind for cpu: from 5 to 5; allowed: an end after"),
    (lambda: World(0, 20, 10), "scrape_seconds: 0; allowed: 1 or above"),
    (lambda: World(15, 20, 10), "rate_window_seconds: 20; allowed: two scrapes or above, 30"),
    (lambda: World(5, 20, 10, ready_seconds=9), "running_seconds, ready_seconds, serving_seconds: allowed"),
    (lambda: World(5, 20, 10, cores=-1), "cores: -1; allowed: 0 or above"),
    (lambda: World(5, 20, 10, request_millicores=0), "request_millicores: 0; allowed: 1 or above"),
])
def test_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_what_does_not_fit_together(spec: Spec) -> None:
    profile = Profile((Stage(10, 0),))
    with pytest.raises(ValueError, match="begin_replicas: 0; allowed: 1 or above"):
        predict(spec, profile, DEMO, 0)
    with pytest.raises(ValueError, match="metric 'http_requests_per_second' cannot be foretold; allowed: rps"):
        predict(spec, profile, replace(DEMO, requests_metric="rps"), 2)
    with pytest.raises(ValueError, match="blind for 'memory', .* allowed: http_requests_per_second, cpu"):
        predict(spec, replace(profile, blind=(Blind("memory", 0, 1),)), DEMO, 2)
