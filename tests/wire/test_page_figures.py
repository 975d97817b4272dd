"""The live page's figures under load and in trouble: they are those of /metrics, the equation holds in
every frame, nothing is passed over in silence, and faults are told as their own API tells them."""

import json
import threading
import time

import pytest

from collector import Collector
from events import Viewer, is_balanced
from load import run_mixed
from service import Service, parse_samples
from wire import Connection, ask, request

DURATION = "http_server_request_duration_seconds"
USERS = ["/", "/demo/hello", "/demo/random-error", "/demo/work"]


@pytest.fixture(scope="module")
def options():
    return ("--page", "--workers", "2", "--random-error-ratio", "1")


# ---- figures ------------------------------------------------------------------------------------

def metrics_of(service):
    """(by route, not cumulative buckets, failed) as a scrape has them once nothing is in flight."""
    service.settle()
    body = service.scrape().body.decode()
    counts, failed = {}, {}
    for labels, value in parse_samples(body, DURATION + "_count").items():
        labels = dict(labels)
        route = labels.get("http_route")
        counts[route] = counts.get(route, 0) + int(value)
        refused = labels.get("http_response_status_code", "").startswith("4")
        if "error_type" in labels and not refused:  # a client's mistake is no failure
            failed[route] = failed.get(route, 0) + int(value)
    cumulative = {}
    for labels, value in parse_samples(body, DURATION + "_bucket").items():
        labels = dict(labels)
        if labels.get("http_route") in USERS:
            le = float(labels["le"])
            cumulative[le] = cumulative.get(le, 0) + int(value)
    ordered = [cumulative[le] for le in sorted(cumulative)]
    buckets = [b - a for a, b in zip([0] + ordered, ordered)]
    return counts, buckets, failed


def test_figures_are_those_of_the_metrics(service):
    for target in ("/", "/demo/hello", "/demo/random-error", "/no/such", "/demo/work?cpu_ms=1",
                   "/" + "x" * 9000):
        ask(service.public, target)
    counts, buckets, failed = metrics_of(service)
    with Viewer(service.public) as viewer:
        frame = viewer.frame()
    assert {one["route"]: one["count"] for one in frame["by_route"]} == \
        {route: counts[route] for route in USERS}
    assert {one["route"]: one["failed"] for one in frame["by_route"]} == \
        {route: failed.get(route, 0) for route in USERS}
    assert frame["buckets"] == buckets
    assert len(frame["buckets"]) == len(viewer.hello["bounds"]) + 1
    assert frame["failed"] == sum(failed.values())
    assert frame["finished"] >= sum(counts.values())
    assert frame["ready"] is True and frame["active"] >= 1 and frame["viewers"] >= 1


def test_all_that_ended_is_shown_or_counted_as_skipped(service):
    """A burst that no frame has room for: nothing is shown twice, nothing is passed over in silence."""
    total = 400
    with Viewer(service.public) as viewer:
        first = viewer.frame()
        with Connection(service.public) as connection:
            for _ in range(4):
                connection.send(request("/demo/hello") * (total // 4))
                for _ in range(total // 4):
                    assert connection.response().status == 200
        seen = []

        def all_in(frame):
            seen.extend(one["id"] for one in frame["requests"] if one["route"] == "/demo/hello")
            skipped = frame["requests_skipped"] - first["requests_skipped"]
            return len(seen) + skipped >= total
        last = viewer.frame(all_in)
    assert len(set(seen)) == len(seen)
    assert len(seen) + last["requests_skipped"] - first["requests_skipped"] == total
    assert len(seen) >= 32
    assert service.value("glassbox_page_records_skipped_total") >= last["requests_skipped"]


def watch(viewer, stop, frames):
    while not stop.is_set():
        frames.append(viewer.frame())


@pytest.mark.parametrize("mode", ["ok", "unavailable"])
def test_equation_holds_under_load(mode):
    """Every frame of a loaded service is balanced, and its sums go where the requests go."""
    with Collector(mode, retry_after="1") as collector:
        env = collector.env(OTEL_LOGS_EXPORTER="otlp", OTEL_BSP_EXPORT_TIMEOUT="500",
                            OTEL_EXPORTER_OTLP_TIMEOUT="400")
        with Service("--page", "--workers", "2", "--flush-timeout", "2s", env=env) as service:
            frames, stop = [], threading.Event()
            with Viewer(service.public) as viewer:
                watcher = threading.Thread(target=watch, args=(viewer, stop, frames))
                watcher.start()
                sent = 0
                for seed in range(30):
                    tally = run_mixed(service.public, 3000, seed)
                    assert tally.failed == []
                    sent += tally.sent
                    if len(frames) >= 8:
                        break
                stop.set()
                watcher.join()
                last = viewer.frame(lambda frame: frame["finished"] == sent)
            collector.stopping.set()
    assert len({frame["finished"] for frame in frames}) >= 6
    off = [frame["equation"] for frame in frames + [last] if not is_balanced(frame["equation"])]
    assert off == []
    at_rest = last["equation"]
    assert at_rest["metrics"] == at_rest["finished"] == sum(at_rest["log"].values())
    spans = dict(at_rest["spans"])
    server, internal = spans.pop("server"), spans.pop("internal")
    assert server == at_rest["finished"] and server + internal == sum(spans.values())
    assert sum(at_rest["records"].values()) == at_rest["finished"]


def test_losses_are_told():
    """A collector that takes nothing and a queue for a few spans: the page says what is lost."""
    with Collector("refusing") as collector:
        env = collector.env(OTEL_BSP_MAX_QUEUE_SIZE="8", OTEL_BSP_SCHEDULE_DELAY="20")
        with Service("--page", "--workers", "1", env=env) as service:
            with Viewer(service.public) as viewer, Connection(service.public) as connection:
                assert viewer.frame()["losses"] == []
                connection.send(request("/demo/hello") * 200)
                for _ in range(200):
                    connection.response()
                frame = viewer.frame(lambda frame: {("spans", "queue_full"), ("spans", "status")} <= {
                    (one["signal"], one["reason"]) for one in frame["losses"]})
                spans = frame["equation"]["spans"]
                told = {one["reason"]: one["count"] for one in frame["losses"]}
                assert told["queue_full"] == spans["dropped"]
                assert told["status"] == spans["failed"]


# ---- faults -------------------------------------------------------------------------------------

TOKEN = "a-token-of-sixteen-or-more"
BROWSER = [("Accept", "text/html,*/*;q=0.8")]


def test_faults_are_shown_as_the_api_tells_them(tmp_path):
    """What is in force, and on a request what it did: in its line, its attributes, a child span."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with Collector() as collector, \
            Service("--page", "--fault-token-file", token, env=collector.env()) as service:
        key = [("Authorization", f"Bearer {TOKEN}")]
        with Viewer(service.public) as viewer:
            assert viewer.hello["fault_api"] is True
            assert viewer.frame()["faults"]["source"] == "none"
            plan = {"name": "drill", "faults": [
                {"route": "/*", "duration": "60s", "error": {"ratio": 1, "status": 503},
                 "latency": {"p50": "5ms", "p90": "5ms", "p99": "5ms"}}]}
            answer = ask(service.public, "/faults", "PUT", headers=key,
                         body=json.dumps(plan).encode())
            assert answer.status == 200
            frame = viewer.frame(lambda frame: frame["faults"]["source"] == "api")
            told = json.loads(ask(service.public, "/faults", headers=key).body)
            for one in frame["faults"]["faults"] + told["faults"]:
                assert 0 < one.pop("remaining_ms") <= 60_000
            assert frame["faults"] == told
            response = ask(service.public, "/demo/hello?delay=3")
            assert response.status == 503
            shown = viewer.shown(response.trace[1])
            assert shown["fault"] == "error,latency" and shown["error"] == "503"
            assert [span["name"] for span in shown["spans"]] == ["GET /demo/hello", "fault"]
            assert ["glassbox.fault.kinds", "error,latency"] in shown["spans"][0]["attributes"]
            assert "fault.injected" in [event["name"] for event in shown["spans"][0]["events"]]
            # The page itself is never touched, the message beside it is.
            assert ask(service.public, "/", headers=BROWSER).status == 200
            assert ask(service.public, "/").status == 503
            assert ask(service.public, "/faults", "DELETE", headers=key).status == 200
            assert viewer.frame(lambda frame: frame["faults"]["source"] == "none")["faults"][
                "faults"] == []


def test_a_fault_and_its_handler_are_two_children(tmp_path):
    """A latency, then the handler's own wait: both spans of the request."""
    plan = {"begin": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "faults": [
        {"route": "/demo/hello", "duration": "1h",
         "latency": {"p50": "5ms", "p90": "5ms", "p99": "5ms"}}]}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    with Collector() as collector:
        with Service("--page", "--faults", path, env=collector.env()) as service:
            with Viewer(service.public) as viewer:
                _, span_id, _ = ask(service.public, "/demo/hello?delay=5").trace
                shown = viewer.shown(span_id)
    assert [span["name"] for span in shown["spans"]] == ["GET /demo/hello", "fault", "delay"]
    fault, delay = shown["spans"][1:]
    assert fault["end_ms"] <= delay["start_ms"]
