"""The n-th request to a route since the plan began has the outcome f(seed, route, n): whoever serves it,
however many they are, and as the formula of docs/faults.md says, which faults.py computes by itself."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import faults
from collector import Collector, attributes
from faults import Client, Operator, Outcome, plan, predict
from service import Service
from wire import ask, eventually

ROUTE = "/demo/hello"
SEED = 20261126
LATENCY = {"p50": "1ms", "p90": "4ms", "p99": "9ms"}
LATENCY_NS = (1_000_000, 4_000_000, 9_000_000)
RATIOS = {"reset": 0.08, "error": 0.25, "truncate": 0.15}
REQUESTS = 240
CLIENTS = 4


def entry(**more: Any) -> dict[str, Any]:
    return {"route": ROUTE, "seed": SEED, "reset": {"ratio": RATIOS["reset"]},
            "error": {"ratio": RATIOS["error"], "status": 503},
            "truncate": {"ratio": RATIOS["truncate"]}, **more}


def expected(count: int, latency: tuple[int, int, int] | None = None) -> list[Outcome]:
    return [predict(SEED, ROUTE, n, **RATIOS, latency_ns=latency) for n in range(count)]


def as_client_sees(outcome: Outcome) -> int | str:
    return {None: 200, "error": 503}.get(outcome.answer, outcome.answer)


def facts(collector: Collector) -> list[dict[str, Any]]:
    """Attributes of the SERVER spans of the route."""
    return [attributes(seen.span) for seen in collector.find(kind=2)
            if attributes(seen.span).get("http.route") == ROUTE]


def outcome_of(attrs: dict[str, Any]) -> Outcome:
    kinds = attrs["glassbox.fault.kinds"].split(",")
    answer = next((kind for kind in kinds if kind in RATIOS), None)
    return Outcome(answer, round(attrs["glassbox.fault.delay_ms"] * 1e6))


def ask_in_parallel(service: Service) -> Counter[int | str]:
    """All requests by several clients at once; what they saw."""
    seen: list[int | str] = []

    def run() -> None:
        with Client(service.public) as client:
            seen.extend(client.outcomes(ROUTE, REQUESTS // CLIENTS))
    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(seen)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_same_outcomes_by_any_number_of_workers(tmp_path: Path, workers: int):
    """Request by request: each span's n, with all that was drawn for it to the nanosecond."""
    path = tmp_path / "plan.json"
    faults.write(path, plan(entry(latency=LATENCY)))
    with Collector() as collector, Service("--faults", path, "--workers", workers,
                                           env=collector.env()) as service:
        seen = ask_in_parallel(service)
        assert eventually(lambda: len(facts(collector)) == REQUESTS)
        busy = [value for labels, value in service.samples("glassbox_worker_busy_seconds_total").items()
                if ("worker", "main") not in labels]
    predicted = expected(REQUESTS, LATENCY_NS)
    assert seen == Counter(map(as_client_sees, predicted))
    assert len(busy) == workers and min(busy) > 0
    assert ({attrs["glassbox.fault.n"]: outcome_of(attrs) for attrs in facts(collector)}
            == dict(enumerate(predicted)))
    assert len({as_client_sees(outcome) for outcome in predicted}) == 4, "every kind of answer"


def test_one_client_sees_the_same_sequence(tmp_path: Path):
    path = tmp_path / "plan.json"
    faults.write(path, plan(entry()))
    sequences = []
    for workers in (1, 4):
        with Service("--faults", path, "--workers", workers) as service, \
                Client(service.public) as client:
            sequences.append(list(client.outcomes(ROUTE, 60)))
    assert sequences[0] == sequences[1] == [as_client_sees(one) for one in expected(60)]


def test_a_plan_that_is_armed_begins_to_count_anew(tmp_path: Path):
    """The file's plan goes on counting where it was when what lay over it has gone."""
    path = tmp_path / "plan.json"
    faults.write(path, plan(entry()))
    wanted = [as_client_sees(one) for one in expected(30)]
    with Service("--faults", path, "--fault-token-file", faults.token_file(tmp_path)) as service, \
            Client(service.public) as client:
        operator = Operator(service)
        assert list(client.outcomes(ROUTE, 10)) == wanted[:10]
        for _ in range(2):
            operator.put(plan(entry(), begin=None))
            assert list(client.outcomes(ROUTE, 12)) == wanted[:12]
        operator.clear()
        assert list(client.outcomes(ROUTE, 20)) == wanted[10:30]


def test_requests_are_counted_from_the_begin_not_from_the_start(tmp_path: Path):
    """Those before the first fault's start count, too; routes do so each for itself."""
    with Service("--fault-token-file", faults.token_file(tmp_path)) as service, \
            Client(service.public) as client:
        operator = Operator(service)
        operator.put(plan(entry(start="1h"), {"route": "/", "duration": "2h", "seed": SEED,
                                              "error": {"ratio": 0.5, "status": 500}}, begin=None))
        assert list(client.outcomes(ROUTE, 5)) == [200] * 5
        at_root = [predict(SEED, "/", n, error=0.5).answer for n in range(20)]
        assert list(client.outcomes("/", 20)) == [500 if one else 200 for one in at_root]
        operator.put(plan(entry(), begin=None))
        assert list(client.outcomes(ROUTE, 20)) == [as_client_sees(one) for one in expected(20)]


def test_only_what_comes_to_the_handler_is_counted(tmp_path: Path):
    """GET and HEAD have a number; OPTIONS, a method that is not there, and what is refused have none. Of a
    HEAD nothing can be cut."""
    wanted = expected(40)
    with Service("--fault-token-file", faults.token_file(tmp_path)) as service, \
            Client(service.public) as client:
        Operator(service).put(plan(entry(), begin=None))
        for n, outcome in enumerate(wanted):
            assert client.outcome(ROUTE, "OPTIONS") == 204
            assert client.outcome(ROUTE, "POST") == 405
            assert ask(service.public, ROUTE, headers=[("Content-Length", "x")]).status == 400
            method = "HEAD" if n % 2 else "GET"
            seen = as_client_sees(outcome)
            assert client.outcome(ROUTE, method) == (200 if (seen, method) == ("truncate", "HEAD")
                                                     else seen)
    assert any(outcome.answer == "truncate" for outcome in wanted[1::2])


def test_a_process_that_is_replaced_begins_at_0(tmp_path: Path):
    path = tmp_path / "plan.json"
    faults.write(path, plan(entry()))
    for _ in range(2):
        with Service("--faults", path) as service, Client(service.public) as client:
            assert list(client.outcomes(ROUTE, 12)) == [as_client_sees(one) for one in expected(12)]


def test_another_seed_is_another_sequence():
    first = [predict(1, ROUTE, n, error=0.5).answer for n in range(64)]
    assert first != [predict(2, ROUTE, n, error=0.5).answer for n in range(64)]
    assert first != [predict(1, "/", n, error=0.5).answer for n in range(64)]
