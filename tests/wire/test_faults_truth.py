"""The ground truth: errors seen = errors injected + errors of the service's own, in metrics, spans and log
alike, under load, with resets, cut answers and delays among them; and of clients that do not wait."""

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
from wire import Connection

CLIENTS = 6
ROUNDS = 60  # of each route, by each client
OWN_STATUS, INJECTED_STATUS = "500", "503"
NO_ERROR_STATUS = "429"  # injected, and no error of a server's
ANSWERS = {"error", "reset", "truncate"}
RUDE_ROUNDS, PIPELINED = 5000, 6
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
        {"route": "/", "reset": {"ratio": 0.2}, "error": {"ratio": 0.3, "status": 429}},
        name="truth", seed=7)


def rude_drill() -> dict[str, Any]:
    return plan(
        {"route": "/demo/hello", "error": {"ratio": 0.4, "status": 503}, "reset": {"ratio": 0.01},
         "truncate": {"ratio": 0.3}},
        {"route": "/", "error": {"ratio": 0.4, "status": 429}},
        {"route": "/demo/work", "latency": {"p50": "0s", "p90": "1ms", "p99": "20ms"},
         "error": {"ratio": 0.3, "status": 500}, "cpu": {"per_request": "1ms"}}, seed=11)


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

    def errors_by_faults(self) -> Counter[str]:
        """Those that a fault answered, or whose answer it spoilt: an injected 429 is none of them."""
        return self.count(lambda status, error, kinds: error is not None and ANSWERS & set(kinds))

    def own_errors(self) -> Counter[str]:
        """A failure that no fault made: what random-error answers by itself, and arrived whole."""
        return self.count(lambda status, error, kinds: error is not None
                          and not ANSWERS & set(kinds))


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
                    env=collector.env(OTEL_BSP_MAX_QUEUE_SIZE="65536")) as service:
        clients = load(service)
        books.agreed(service, collector)
        exposition = service.settle()
        assert service.log.wait_count(total) >= total
        result = {"clients": clients, "total": total, **told(service, collector, exposition)}
    return result


def told(service: Service, collector: Collector, exposition: str) -> dict[str, Any]:
    """What the signals say of all that was asked."""
    return {"exposition": exposition, "log": of_log(service), "spans": of_spans(collector),
            "facts": server_spans(collector), "children": children(collector),
            "events": sum(event.name == "fault.injected" for seen in collector.find(kind=2)
                          for event in seen.span.events)}


def children(collector: Collector) -> int:
    return sum(seen.span.name == "fault" for seen in collector.find(kind=1))


def be_rude(service: Service) -> int:
    """Sends requests in one go and resets the connection; how often, until faults struck twenty
    requests whose client was not there to be answered."""
    targets = ["/demo/hello", "/", "/demo/work?cpu_ms=0"]
    request = "GET {} HTTP/1.1\r\nHost: x\r\n\r\n"

    def unanswered() -> int:
        return sum(entry["x-error"] == "client_disconnected" and entry["x-route"] == "/demo/hello"
                   and entry["x-fault"] is not None for entry in list(service.log.entries))
    for number in range(RUDE_ROUNDS):
        connection = Connection(service.public)
        connection.send("".join(request.format(targets[(number + i // 2) % 3])
                                for i in range(PIPELINED)).encode())
        connection.reset()
        if number % 50 == 0 and unanswered() >= 20:
            return number
    return RUDE_ROUNDS


@pytest.fixture(scope="module")
def rude(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("rude") / "plan.json"
    faults.write(path, rude_drill())
    with Collector() as collector, \
            Service("--faults", path, "--workers", "2",
                    env=collector.env(OTEL_BSP_MAX_QUEUE_SIZE="65536")) as service:
        rounds = be_rude(service)
        service.settle()
        books.agreed(service, collector)
        result = {"rounds": rounds, **told(service, collector, service.settle())}
    return result


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


def assert_equation(run: Any) -> None:
    """Route by route, each signal by itself."""
    by_faults = +Counter({route: int(value) for (route,), value
                          in samples(run, "glassbox_fault_errors_total").items()})
    own = run["log"].own_errors()
    assert errors_by_metrics(run) == by_faults + own
    for signal in ("log", "spans"):
        truth = run[signal]
        assert truth.errors_by_faults() == by_faults
        assert truth.errors_seen() == by_faults + truth.own_errors()
        assert (sum((truth.injected(kind) for kind in ANSWERS), Counter())
                == injected_by_metrics(run, *ANSWERS))
    assert errors_by_metrics(run) == run["log"].errors_seen() == run["spans"].errors_seen()


def test_errors_seen_are_errors_by_faults_and_the_services_own(run):
    own = run["log"].own_errors()
    assert set(own) == {"/demo/random-error"} and own["/demo/random-error"] > 20
    assert_equation(run)
    mild = injected_by_metrics(run, "error")["/"]
    assert mild > 20, "429: injected, and none of the errors"
    assert errors_by_metrics(run)["/"] == injected_by_metrics(run, "reset")["/"]


def test_a_counter_of_errors_by_faults_is_there_for_every_route(run):
    assert {route for (route,) in samples(run, "glassbox_fault_errors_total")} == set(TARGETS)


def test_the_equation_holds_of_clients_that_reset(rude):
    assert rude["rounds"] < RUDE_ROUNDS
    assert_equation(rude)
    assert rude["log"].requests == rude["spans"].requests
    for kind in faults.KINDS:
        assert rude["log"].injected(kind) == injected_by_metrics(rude, kind)


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
    assert (seen(int(INJECTED_STATUS)) + seen(int(NO_ERROR_STATUS))
            == injected_by_metrics(run, "error"))
    assert seen(int(OWN_STATUS)) == run["log"].own_errors()


def test_the_log_names_the_error_that_was_injected(run):
    """503 is never the service's own here, nor 500 a fault's."""
    for (_, status, error, kinds), _ in run["log"].requests.items():
        assert (("error" in (kinds or "").split(","))
                == (status == error == INJECTED_STATUS or (status, error) == (NO_ERROR_STATUS, None)))
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


@pytest.mark.parametrize("which", ["run", "rude"])
def test_every_span_that_was_touched_has_its_child_and_event(which, request):
    facts = request.getfixturevalue(which)
    touched = sum("glassbox.fault.kinds" in attrs for attrs in facts["facts"])
    assert facts["children"] == facts["events"] == touched > 20
