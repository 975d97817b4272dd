"""The scripts, as k6 reads them: without running them, and with nothing but k6."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from glassbox_load.settings import HERE, TABLE, defaults
from glassbox_load.truth import SLO

WORKLOADS = sorted(TABLE["workloads"])
SUITE = [name for name in WORKLOADS if name != "hpa"]
EXECUTORS = {"constant-arrival-rate", "ramping-arrival-rate"}


def inspected(k6: str, workload: str, **environment: str) -> dict[str, Any]:
    """What k6 makes of a workload."""
    done = subprocess.run([k6, "inspect", "--include-system-env-vars", "--execution-requirements",
                           HERE / f"k6/workloads/{workload}.js"], text=True,
                          capture_output=True, timeout=60, env={"PATH": os.environ["PATH"], **environment}, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # One that aborts nothing is printed as its text alone.
    found["thresholds"] = {metric: [{"threshold": one, "abortOnFail": False, "delayAbortEval": None}
                                    if isinstance(one, str) else one for one in rows]
                           for metric, rows in found["thresholds"].items()}
    return found


def test_there_is_a_script_for_each_row_of_the_table_and_a_row_for_each_script():
    assert WORKLOADS == sorted(path.stem for path in (HERE / "k6/workloads").glob("*.js"))


@pytest.mark.parametrize("workload", SUITE)
def test_k6_takes_it_and_its_rate_does_not_wait_for_answers(k6: str, workload: str):
    scenarios = inspected(k6, workload)["scenarios"]
    assert set(scenarios) == set(TABLE["actions"])
    assert {one["executor"] for one in scenarios.values()} <= EXECUTORS


@pytest.mark.parametrize("workload", SUITE)
def test_checks_drops_and_failures_are_always_judged_and_every_objective(k6: str, workload: str):
    judged = inspected(k6, workload)["thresholds"]
    assert {"checks", "dropped_iterations", "http_req_failed"} <= set(judged)
    for route in TABLE["actions"].values():
        bounds = SLO[route]["symptom"] if workload == "smoke" else SLO[route]
        errors = bounds["error_ratio"] if workload == "smoke" else bounds["budget"]["availability"]
        quantile, limit = (99, bounds["p99"]) if workload == "smoke" else (
            bounds["latency"]["objective"], bounds["latency"]["threshold"])
        assert judged[f"errors{{route:{route}}}"][0]["threshold"] == f"rate<={errors}"
        assert judged[f"http_req_duration{{route:{route},status:200}}"][0]["threshold"] == (
            f"p({quantile})<={limit * 1000:g}")


def test_an_autoscaler_s_load_is_judged_by_failures_and_not_by_the_latency_that_it_causes(k6: str):
    loads = [{"name": "steady", "begin": 0, "seconds": 60, "rate": 20, "cpu_ms": 0},
             {"name": "cpu", "begin": 30, "seconds": 20, "rate": 5, "cpu_ms": 48}]
    made = inspected(k6, "hpa", LOADS=json.dumps(loads))
    assert {name: (one["startTime"], one["duration"], one["rate"]) for name, one in made["scenarios"].items()} == {
        "steady": ("0s", "1m0s", 1200), "cpu": ("30s", "20s", 300)}
    assert {"http_req_failed", "dropped_iterations", "errors{route:/demo/hello}",
            "errors{route:/demo/work}"} <= set(made["thresholds"])
    assert not [metric for metric in made["thresholds"] if "duration" in metric]


ABORTED = {"stress", "soak", "breakpoint"}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_takes_long_ends_early_when_it_is_lost(k6: str, workload: str):
    judged = inspected(k6, workload)["thresholds"]["dropped_iterations"][0]
    assert judged["abortOnFail"] == (workload in ABORTED)
    assert (judged["delayAbortEval"] is not None) == (workload in ABORTED)


def test_rates_are_shared_out_as_the_mix_says(k6: str):
    scenarios = inspected(k6, "smoke", RATE="10", MIX="hello:1,work:3")["scenarios"]
    assert {name: one["rate"] for name, one in scenarios.items()} == {"hello": 150, "work": 450}  # a minute
    assert {one["timeUnit"] for one in scenarios.values()} == {"1m0s"}


def test_who_asks_is_told_by_name_and_test(k6: str):
    found = inspected(k6, "smoke", TESTID="mine", K6_VERSION="9.9.9")
    assert found["userAgent"] == "k6/9.9.9 testid/mine" and found["tags"] == {"testid": "mine"}


def test_declared_routes_are_left_to_the_wrapper(k6: str):
    judged = inspected(k6, "average", DECLARED=json.dumps(["/demo/hello"]))["thresholds"]
    assert "http_req_failed" not in judged
    assert judged["errors{route:/demo/hello}"][0]["threshold"] == "rate<=1"
    assert "http_req_duration{route:/demo/hello,status:200}" not in judged
    assert judged["errors{route:/demo/work}"][0]["threshold"] == "rate<=0.001"


@pytest.mark.parametrize("workload", WORKLOADS)
def test_by_itself_a_script_has_the_table_s_defaults(k6: str, workload: str):
    told = inspected(k6, workload, TESTID="a", **{name: value for name, value in defaults(workload).items() if value})
    assert inspected(k6, workload, TESTID="a") == told


def test_no_script_fetches_anything():
    """They run where there is no network."""
    imports = [line for path in HERE.rglob("k6/**/*.js") for line in path.read_text().splitlines() if " from '" in line]
    assert imports and not [line for line in imports if "://" in line or not (
        line.split(" from ")[1].startswith(("'k6", "'./", "'../")))]


def test_no_script_sleeps():
    """The executor alone says when a request is due."""
    assert not [path.name for path in HERE.rglob("k6/**/*.js") if "sleep" in path.read_text()]
