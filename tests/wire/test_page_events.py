"""What the live page is told: every frame in its shape, and each request in it the very one that log,
span and metric have."""

import re
import threading
import time

import pytest

from collector import Collector, attributes
from events import Viewer
from load import run_mixed
from scrape import ACCEPT_OPENMETRICS
from service import QUIET, Service, parse_samples
from wire import Connection, ask, eventually, request

DURATION = "http_server_request_duration_seconds"
USERS = ["/", "/demo/hello", "/demo/random-error", "/demo/work"]
KINDS = {1: "INTERNAL", 2: "SERVER"}
STATUSES = {0: "UNSET", 1: "OK", 2: "ERROR"}


@pytest.fixture(scope="module")
def log_path(tmp_path_factory):
    return tmp_path_factory.mktemp("page") / "access.log"


@pytest.fixture(scope="module")
def service(collector, log_path):
    service = Service("--page", "--workers", "2", "--random-error-ratio", "1", "--head-timeout",
                      "5s", env=collector.env(), log=log_path, fields=None)
    yield service
    service.stop()


def line_of(log_path, span_id):
    """The line of a span id as it stands in the file, without its newline."""
    def found():
        lines = log_path.read_text(encoding="ascii").splitlines()
        return next((line for line in lines if span_id in line), None)
    return eventually(found)


def traced(address, target, **more):
    """Asks, and gives (trace id, span id) as the answer told them."""
    trace_id, span_id, _ = ask(address, target, **more).trace
    return trace_id, span_id


# ---- hello --------------------------------------------------------------------------------------

def test_hello(service, log_path):
    with Viewer(service.public) as viewer:
        hello = viewer.hello
    assert hello["pid"] == service.pid and hello["workers"] == 2
    assert hello["instance"] == "viewer.test:8080"
    assert hello["routes"] == USERS
    assert hello["burst"] is True and hello["tracing"] is True
    assert abs(hello["started_ms"] / 1000 - time.time()) < 3600
    fields = [line for line in log_path.read_text().splitlines() if line.startswith("#Fields: ")]
    assert hello["log_fields"].split("\t") == fields[0][9:].split()
    les = {float(dict(labels)["le"]) for labels in service.samples(DURATION + "_bucket")}
    assert hello["bounds"] == sorted(les)[:-1]
    assert {"outage", "saturation", "slow-burn"} <= set(hello["incidents"])
    assert {kind["fault"] for kind in hello["kinds"] if kind["scope"] == "route"} == \
        {"error", "latency", "cpu", "reset", "truncate"}


def test_hello_of_what_is_off():
    with Service("--page", log="none") as service:
        with Viewer(service.public, host="h:1") as viewer:
            assert viewer.hello["log_fields"] is None
            assert viewer.hello["tracing"] is False
            assert viewer.hello["fault_api"] is False
            _, span_id = traced(service.public, "/demo/hello")
            shown = viewer.shown(span_id)
            frame = viewer.frame()
    assert shown["log"] is None and not shown["sampled"]
    assert frame["equation"]["log"] is frame["equation"]["spans"] is None
    assert frame["equation"]["balanced"] is True


def test_operators_listener_has_no_burst():
    with Service("--page", admin=True) as service:
        with Viewer(service.admin) as viewer:
            assert viewer.hello["burst"] is False
            _, span_id = traced(service.public, "/demo/hello")  # another listener's request
            assert viewer.shown(span_id)["route"] == "/demo/hello"


def test_older_clients_get_it_too(service):
    with Viewer(service.public, version="1.0") as viewer:
        assert not viewer.chunked
        assert viewer.frame()["state"] == "ready"


# ---- one request, all its signals ---------------------------------------------------------------

def agree_with_span(shown, seen):
    """A span as the page has it, and as the collector got it."""
    span = seen.span
    assert shown["span_id"] == span.span_id.hex()
    assert (shown["parent_id"] or "") == span.parent_span_id.hex()
    assert (shown["name"], shown["kind"]) == (span.name, KINDS[span.kind])
    assert shown["status"] == STATUSES[span.status.code]
    for ours, theirs in (("start_ms", span.start_time_unix_nano), ("end_ms", span.end_time_unix_nano)):
        assert abs(shown[ours] * 1000 - theirs // 1000) < 1  # microseconds
    assert {key: value for key, value in shown["attributes"]} == \
        {key: str(value) for key, value in attributes(span).items()}
    assert [(one["name"], one["attributes"]) for one in shown["events"]] == \
        [(one.name, []) for one in span.events]


def agree_with_metrics(service, shown):
    """The series has counted, and its exemplar is this request's as long as it was the last."""
    text = service.scrape(ACCEPT_OPENMETRICS).body.decode()
    lines = [line for line in text.splitlines() if line.startswith(shown["series"] + " ")]
    assert len(lines) == 1, shown["series"]
    if shown["exemplar"] is not None:
        assert lines[0].endswith(" " + shown["exemplar"])


CASES = {
    "hello": ("/demo/hello", {}),
    "query": ("/demo/hello?delay=0&x=%20y", {}),
    "secret": ("/demo/hello?sig=deadbeef&a=1", {}),
    "child": ("/demo/hello?delay=15", {}),
    "work": ("/demo/work?cpu_ms=2", {}),
    "error": ("/demo/random-error", {}),
    "head": ("/demo/hello", {"method": "HEAD"}),
    "bad value": ("/demo/hello?delay=x", {}),
    "not found": ("/no/such", {}),
    "method": ("/demo/hello", {"method": "POST"}),
    "unknown method": ("/demo/hello", {"method": "BREW"}),
    "agent": ("/demo/hello", {"headers": [("User-Agent", 'a "b" \\ <script>')]}),
    "bytes": ("/no/\xff\xfe\xc3(", {"headers": [("User-Agent", "\xff\x80\xe2\x28"),
                                               ("Referer", "http://\xc0\xaf")]}),
    "parent": ("/demo/hello", {"headers": [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]}),
}


@pytest.mark.parametrize("target, more", CASES.values(), ids=CASES)
def test_one_request(service, collector, log_path, target, more):
    with Viewer(service.public) as viewer:
        response = ask(service.public, target, **more)
        trace_id, span_id, _ = response.trace
        shown = viewer.shown(span_id)
    assert shown["trace_id"] == trace_id and shown["status"] == response.status
    assert shown["sampled"] is True and "cut" not in shown
    assert shown["log"] == line_of(log_path, span_id)
    agree_with_metrics(service, shown)
    spans = eventually(lambda: (found := collector.find(trace_id)) and
                       len(found) >= len(shown["spans"]) and found)
    by_id = {seen.span.span_id.hex(): seen for seen in spans}
    for span in shown["spans"]:
        agree_with_span(span, by_id[span["span_id"]])
    server = by_id[span_id].span
    facts = attributes(server)
    assert shown["route"] == facts.get("http.route")
    assert shown["error"] == facts.get("error.type")
    assert shown["method"] == facts["http.request.method"]
    assert len(shown["spans"]) == (2 if target.startswith(("/demo/work", "/demo/hello?delay=15"))
                                   else 1)


def test_path_and_query(service):
    with Viewer(service.public) as viewer:
        _, span_id = traced(service.public, "/demo/hello?x=%20y")
        assert viewer.shown(span_id)["path"] == "/demo/hello?x=%20y"
        _, span_id = traced(service.public, "/demo/hello?sig=deadbeef")
        assert viewer.shown(span_id)["path"] == "/demo/hello?sig=REDACTED"


def test_unsampled(service, log_path):
    headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00")]
    with Viewer(service.public) as viewer:
        _, span_id = traced(service.public, "/demo/hello", headers=headers)
        shown = viewer.shown(span_id)
    assert shown["sampled"] is False and shown["exemplar"] is None
    assert shown["spans"][0]["attributes"] == [] and shown["spans"][0]["events"] == []
    assert shown["spans"][0]["parent_id"] == "b7ad6b7169203331"
    assert shown["log"] == line_of(log_path, span_id)


def ended(viewer, error):
    """The request of the next frames that ended with this error."""
    seen = viewer.requests(lambda requests: any(one["error"] == error for one in requests))
    return next(one for one in seen if one["error"] == error)


def test_without_an_answer(service):
    with Viewer(service.public) as viewer, Connection(service.public) as connection:
        connection.send(request("/demo/hello?delay=60000"))
        assert eventually(connection.is_taken)
        connection.reset()
        shown = ended(viewer, "client_disconnected")
    assert shown["status"] is None and shown["route"] == "/demo/hello"
    assert shown["spans"][0]["status"] == "ERROR" and len(shown["spans"]) == 2


def test_refused_by_the_engine(service):
    with Viewer(service.public) as viewer:
        assert ask(service.public, "/" + "x" * 9000).status == 414
        shown = ended(viewer, "target_too_long")
    assert shown["route"] is None and shown["status"] == 414


def test_long_ones_are_cut(service, log_path):
    """A request as long as may be is shown in part, and says so; the log has it in its own way."""
    headers = [("User-Agent", "\x80" * 1000), ("Referer", "\x81" * 1000)]
    with Viewer(service.public) as viewer:
        _, span_id = traced(service.public, "/no/" + "y" * 6000, headers=headers)
        shown = viewer.shown(span_id)
    assert shown["cut"] is True
    assert len(shown["path"]) <= 200 and shown["path"].startswith("/no/")
    assert shown["log"] in (None, line_of(log_path, span_id))


def test_page_and_stream_are_requests_too(service, log_path):
    """A stream ends as one request, of its own route, with all the time that it took."""
    with Viewer(service.public) as viewer:
        with Viewer(service.public) as other:
            other.frame()
            other.frame()
        seen = viewer.requests(lambda requests: any(
            one["route"] == "/page/events" for one in requests))
        shown = next(one for one in seen if one["route"] == "/page/events")
        frame = viewer.frame()
    assert shown["status"] == 200 and shown["error"] == "client_disconnected"
    assert shown["duration_ms"] > 200
    assert [one["route"] for one in frame["by_route"]] == USERS  # and spoils nobody's figures
    assert shown["log"] == line_of(log_path, shown["id"])


# ---- figures ------------------------------------------------------------------------------------

def metrics_of(service):
    """(by route, not cumulative buckets, failed) as a scrape has them once nothing is in flight."""
    body = service.settle()
    counts, failed = {}, {}
    for labels, value in parse_samples(body, DURATION + "_count").items():
        labels = dict(labels)
        route = labels.get("http_route")
        counts[route] = counts.get(route, 0) + int(value)
        if "error_type" in labels:
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
    for target in ("/", "/demo/hello", "/demo/random-error", "/no/such", "/demo/work?cpu_ms=1"):
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
    off = [frame["equation"] for frame in frames + [last] if not frame["equation"]["balanced"]]
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


def test_line_shown_is_the_one_of_the_options(tmp_path):
    """Other fields, IIS's conventions: the log's own line in each case."""
    for iis, fields in ((False, "time x-route cs(User-Agent)"), (True, None)):
        path = tmp_path / f"log-{iis}"
        more = ("--access-log-format", "iis") if iis else ()
        with Service("--page", *more, env=QUIET, log=path, fields=fields, iis=iis) as service:
            with Viewer(service.public) as viewer:
                _, span_id = traced(service.public, "/demo/hello", headers=[("User-Agent", "a b")])
                shown = viewer.shown(span_id)

            def lines():
                return [line for line in path.read_text().splitlines() if line[0] != "#"]
            assert eventually(lambda: shown["log"] in lines()), (shown["log"], lines())
            assert re.split("[\t ]", shown["log"])
