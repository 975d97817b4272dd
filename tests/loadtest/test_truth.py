"""Faults that somebody armed: which routes are theirs, and what is left of the objectives without them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from glassbox_load import truth
from glassbox_load.metrics import Reading
from glassbox_load.places import Places
from glassbox_load.refused import Refused
from glassbox_load.tally import Written
from glassbox_load.truth import Plan, declared, judge

HELLO, WORK = "/demo/hello", "/demo/work"
PLAN = Plan("outage", frozenset({("error", HELLO), ("latency", WORK)}))


def written(own_errors: int = 0, unstruck: int = 0, slow: int = 0) -> Written:
    """What the log has of HELLO."""
    return Written(own_errors=Counter({HELLO: own_errors}), unstruck=Counter({HELLO: unstruck}),
                   slow=Counter({HELLO: slow}))


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


def judged(errors: int, sent: int, by_faults: int, log: Written, by: str = "objective") -> list[truth.Judged]:
    """Of HELLO: its availability and its latency."""
    return judge([HELLO], by, Counter({HELLO: errors}), Counter({HELLO: sent}), Counter({HELLO: by_faults}), log)


def test_errors_by_faults_are_no_surprise_and_one_more_than_the_budget_is():
    assert judged(301, 1000, 300, written())[0].holds  # its budget is one in a thousand
    broken = judged(302, 1000, 300, written())[0]
    assert not broken.holds and (broken.objective, broken.route) == ("hello-availability", HELLO)
    assert broken.says == "302 of 1000 failed, 300 by faults, so 2 of their own; 1.0 are allowed"


def test_faults_that_struck_what_the_client_never_saw_hide_no_error_of_the_service_s_own():
    assert not judged(300, 1000, 310, written(own_errors=2))[0].holds


def test_latency_is_judged_by_what_no_fault_struck():
    assert judged(0, 1, 0, written(unstruck=100, slow=1))[1].holds
    broken = judged(0, 1, 0, written(unstruck=100, slow=2))[1]
    assert not broken.holds and broken.says == "2 of 100 that no fault struck took longer than 100 ms; 1.0 are allowed"


def test_a_short_test_is_judged_by_symptoms_here_too():
    assert not judged(4, 100, 0, written())[0].holds and judged(4, 100, 0, written(), "symptom")[0].holds
    assert "longer than 500 ms" in judged(0, 1, 0, written(), "symptom")[1].says


def test_a_route_that_was_not_called_is_not_judged():
    assert judge([HELLO, WORK], "objective", Counter(), Counter(), Counter(), written()) == []


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


@pytest.mark.parametrize("text", ["hello", "[]", '{"faults": 3, "plan": null}', '{"faults": [{}]}'])
def test_an_api_that_says_something_else(tmp_path: Path, monkeypatch, text: str):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    monkeypatch.setattr(truth, "get", lambda *words: text)
    with pytest.raises(Refused, match="answers what is no list of faults"):
        truth.known(Places("http://x", faults="http://x/faults", token_file=token), None)
