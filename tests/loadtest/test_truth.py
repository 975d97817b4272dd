"""Faults that somebody armed: which routes are theirs, and what is left of the objectives without them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from glassbox_load import truth
from glassbox_load.accesslog import Line
from glassbox_load.metrics import Reading
from glassbox_load.places import Places
from glassbox_load.refused import Refused
from glassbox_load.truth import Plan, declared, judge

HELLO, WORK = "/demo/hello", "/demo/work"
PLAN = Plan("outage", frozenset({("error", HELLO), ("latency", WORK)}))


def reading(by_faults: int = 0) -> Reading:
    """What the service counted on HELLO."""
    return Reading(Counter(), Counter({HELLO: by_faults}), Counter(), frozenset(), (1.0,))


def lines(count: int, seconds: float, fault: str = "", error: str = "") -> list[Line]:
    """So many of HELLO."""
    return [Line("", f"{n:032x}", HELLO, 200, seconds, fault, error, "k6") for n in range(count)]


def test_only_what_is_declared_is_left_out_of_k6s_judgement():
    assert declared(PLAN, "") == []
    assert declared(PLAN, "outage") == declared(PLAN, "*") == [HELLO, WORK]


def test_a_fault_of_the_process_is_one_of_every_route():
    assert declared(Plan("busy", frozenset({("background_cpu", "")})), "busy") == sorted(truth.SLO)


@pytest.mark.parametrize("plan, name, told", [
    (PLAN, "slow-burn", "FAULTS=slow-burn: the plan is called outage"),
    (Plan("", frozenset({("error", HELLO)})), "outage", "the plan is called nothing; .* takes whichever"),
    (Plan("", frozenset()), "outage", "no fault is in force, and none is to come"),
])
def test_another_plan_than_the_declared_one_is_refused(plan: Plan, name: str, told: str):
    with pytest.raises(Refused, match=told):
        declared(plan, name)


def test_errors_by_faults_are_no_surprise_and_one_more_than_the_budget_is():
    sent = {HELLO: 1000}  # its budget is one in a thousand
    assert judge([HELLO], {HELLO: 301}, sent, reading(300), [])[0].holds
    broken = judge([HELLO], {HELLO: 302}, sent, reading(300), [])[0]
    assert not broken.holds and broken.objective == "hello-availability"
    assert broken.says == "302 of 1000 failed, 300 by faults, so 2 of their own; 1.0 are allowed"


def test_latency_is_judged_by_what_no_fault_struck():
    struck = lines(500, 2.0, fault="latency") + lines(10, 2.0, error="500")
    assert judge([HELLO], {HELLO: 0}, {HELLO: 1}, reading(), lines(99, 0.1) + lines(1, 0.2) + struck)[1].holds
    broken = judge([HELLO], {HELLO: 0}, {HELLO: 1}, reading(), lines(98, 0.1) + lines(2, 0.2) + struck)[1]
    assert not broken.holds and broken.says.startswith("2 of 100 that no fault struck took longer than 100 ms")


def test_a_route_that_was_not_called_is_not_judged():
    assert judge([HELLO, WORK], Counter(), {HELLO: 0}, reading(), []) == []


ANSWER = {"source": "api", "plan": {"name": "checkout"}, "faults": [
    {"fault": "error", "route": "/demo/*", "routes": [HELLO, WORK], "state": "in_force"},
    {"fault": "latency", "route": "/", "routes": ["/"], "state": "scheduled"},
    {"fault": "reset", "route": WORK, "routes": [WORK], "state": "over"},
    {"fault": "memory", "bytes": 4096, "state": "in_force"}]}


def test_the_api_says_what_is_to_come_too(tmp_path: Path, monkeypatch):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    asked = []
    monkeypatch.setattr(truth, "get", lambda *words: asked.append(words) or json.dumps(ANSWER))
    plan = truth.known(Places("http://x", faults="http://x/faults", token_file=token), None)
    assert plan == Plan("checkout", frozenset({("error", HELLO), ("error", WORK), ("latency", "/"), ("memory", "")}))
    assert asked == [("faults", "http://x/faults", {"Authorization": "Bearer 0123456789abcdef"})]


def test_without_the_api_metrics_say_what_is_in_force():
    seen = Reading(Counter(), Counter(), Counter(), frozenset({("error", HELLO)}), (1.0,))
    assert truth.known(Places("http://x"), seen) == Plan("", frozenset({("error", HELLO)}))
    assert truth.known(Places("http://x"), None).faults == frozenset()
