"""The ground truth: errors seen = errors injected + errors of the service's own, in metrics, spans and log
alike, under load, with resets, cut answers and delays among them."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import books
import faults
from collector import Collector, attributes
from faults import Client, plan
from service import Service, parse_samples
from wire import eventually

CLIENTS = 6
ROUNDS = 60  # of each route, by each client
OWN_STATUS, INJECTED_STATUS = "500", "503"
TARGETS = {"/": "/", "/demo/hello": "/demo/hello", "/demo/random-error": "/demo/random-error",
           "/demo/work": "/demo/work?cpu_ms=0"}


def drill() -> dict[str, Any]:
    """Something for every route, and all of it for the one that fails by itself."""
    return plan(
        {"route": "/demo/hello", "error": {"ratio": 0.3, "status": 503}, "reset": {"ratio": 0.05},
         "latency": {"p50": "1ms", "p90": "2ms", "p99": "5ms"}},
        {"route": "/demo/random-error", "error": {"ratio": 0.2, "status": 503},
         "truncate": {"ratio": 0.2}, "reset": {"ratio": 0.1}},
        {"route": "/demo/work", "cpu": {"per_request": "1ms"}, "truncate": {"ratio": 0.1}},
        {"route": "/", "reset": {"ratio": 0.2}},
        name="truth", seed=7)


class Truth:
    """What one signal says: finished requests by (route, status, error, kinds of faults)."""

    def __init__(self, requests: Counter[tuple[str, str | None, str | None, str | None]]) -> None:
        self.requests = requests

    def count(self, wanted: Any) -> Counter[str]:
        """By route."""
        result: Counter[str] = Counter()
        for (route, status, error, kinds), count in self.requests.items():
            if wanted(status, error, (kinds or "").split(",")):
                result[route] += count
        return result

    def errors_seen(self) -> Counter[str]:
        return self.count(lambda status, error, kinds: error is not None)

    def injected(self, kind: str) -> Counter[str]:
        return self.count(lambda status, error, kinds: kind in kinds)

    def own_errors(self) -> Counter[str]:
        """A failure that no fault made: what random-error answers by itself, and arrived whole."""
        return self.count(lambda status, error, kinds: error is not None
                          and not {"error", "reset", "truncate"} & set(kinds))


def of_log(service: Service) -> Truth:
    return Truth(Counter((entry["x-route"], entry["sc-status"], entry["x-error"], entry["x-fault"])
                         for entry in list(service.log.entries) if entry["x-route"] in TARGETS))


def server_spans(collector: Collector) -> list[dict[str, Any]]:
    found = [attributes(seen.span) for seen in collector.find(kind=2)]
    return [facts for facts in found if facts.get("http.route") in TARGETS]


def of_spans(collector: Collector) -> Truth:
    def status(facts: dict[str, Any]) -> str | None:
        code = facts.get("http.response.status_code")
        return str(code) if code else None
    return Truth(Counter((facts["http.route"], status(facts), facts.get("error.type"),
                          facts.get("glassbox.fault.kinds")) for facts in server_spans(collector)))


def load(service: Service) -> Counter[tuple[str, int | str]]:
    """What clients saw: (route, outcome)."""
    seen: list[tuple[str, int | str]] = []

    def run() -> None:
        with Client(service.public) as client:
            for _ in range(ROUNDS):
                seen.extend((route, client.outcome(target)) for route, target in TARGETS.items())
    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(seen)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run of the load; its signals, and what the clients say."""
    path: Path = tmp_path_factory.mktemp("truth") / "plan.json"
    faults.write(path, drill())
    total = CLIENTS * ROUNDS * len(TARGETS)
    with Collector() as collector, \
            Service("--faults", path, "--workers", "3", "--random-error-ratio", "0.25",
                    "--random-error-status", OWN_STATUS, "--random-error-seed", "5",
                    fields=faults.FAULT_FIELDS,
                    env=collector.env(OTEL_BSP_MAX_QUEUE_SIZE="65536")) as service:
        clients = load(service)
        books.agreed(service, collector)
        exposition = service.settle()
        assert service.log.wait_count(total) >= total
        result = {"clients": clients, "exposition": exposition, "log": of_log(service),
                  "spans": of_spans(collector), "facts": server_spans(collector),
                  "children": eventually(lambda: children(collector)), "total": total}
    return result


def children(collector: Collector) -> int:
    return sum(seen.span.name == "fault" for seen in collector.find(kind=1))


def samples(run: Any, name: str) -> dict[tuple[str, ...], int]:
    """{label values, the route last: value}."""
    result = {}
    for labels, value in parse_samples(run["exposition"], name).items():
        facts = dict(labels)
        route = facts.pop("http_route")
        result[(*facts.values(), route)] = value
    return result


def injected_by_metrics(run: Any, *kinds: str) -> Counter[str]:
    result: Counter[str] = Counter()
    for (kind, route), value in samples(run, "glassbox_faults_injected_total").items():
        if kind in kinds:
            result[route] += int(value)
    return +result


def errors_by_metrics(run: Any) -> Counter[str]:
    """Requests with an error_type, by route."""
    result: Counter[str] = Counter()
    for labels, value in parse_samples(run["exposition"], books.DURATION).items():
        facts = dict(labels)
        if "error_type" in facts and facts.get("http_route") in TARGETS:
            result[facts["http_route"]] += int(value)
    return +result


def test_spans_and_log_say_the_same(run):
    assert run["log"].requests == run["spans"].requests
    assert sum(run["log"].requests.values()) == run["total"] == sum(run["clients"].values())


def test_errors_seen_are_errors_injected_and_the_services_own(run):
    """The equation, route by route, each signal by itself."""
    answers = ("error", "reset", "truncate")
    own = run["log"].own_errors()
    assert set(own) == {"/demo/random-error"} and own["/demo/random-error"] > 20
    assert errors_by_metrics(run) == injected_by_metrics(run, *answers) + own
    for signal in ("log", "spans"):
        truth = run[signal]
        injected = sum((truth.injected(kind) for kind in answers), Counter())
        assert truth.errors_seen() == injected + truth.own_errors()
        assert injected == injected_by_metrics(run, *answers)
    assert errors_by_metrics(run) == run["log"].errors_seen() == run["spans"].errors_seen()


@pytest.mark.parametrize("kind", faults.KINDS)
def test_every_kind_is_counted_alike(run, kind):
    counted = injected_by_metrics(run, kind)
    assert counted == run["log"].injected(kind) == run["spans"].injected(kind)
    assert sum(counted.values()) > 20


def test_clients_saw_what_was_injected(run):
    def seen(outcome: int | str) -> Counter[str]:
        return +Counter({route: count for (route, what), count in run["clients"].items()
                         if what == outcome})
    assert seen("reset") == injected_by_metrics(run, "reset")
    assert seen("truncate") == injected_by_metrics(run, "truncate")
    assert seen(int(INJECTED_STATUS)) == injected_by_metrics(run, "error")
    assert seen(int(OWN_STATUS)) == run["log"].own_errors()


def test_the_log_names_the_error_that_was_injected(run):
    """503 is never the service's own here, nor 500 a fault's."""
    for (_, status, error, kinds), _ in run["log"].requests.items():
        assert ("error" in (kinds or "").split(",")) == (status == error == INJECTED_STATUS)
        assert ("reset" in (kinds or "")) == (error == "fault_reset") == (status is None)
        assert ("truncate" in (kinds or "")) == (error == "fault_truncated")


def test_delays_add_up(run):
    told: Counter[str] = Counter()
    for facts in run["facts"]:
        told[facts["http.route"]] += facts.get("glassbox.fault.delay_ms", 0) / 1e3
    counted = {route: value for (route,), value
               in samples(run, "glassbox_fault_delay_seconds_total").items()}
    assert set(counted) == set(TARGETS)
    for route, seconds in counted.items():
        assert seconds == pytest.approx(told[route], abs=1e-6)
    assert counted["/demo/hello"] > 0


def test_every_span_that_was_touched_has_its_child(run):
    touched = sum("glassbox.fault.kinds" in facts for facts in run["facts"])
    assert run["children"] == touched
