"""What the live page is told: every frame in its shape, and each request in it the very one that log,
span and metric have."""

import time

import pytest

from collector import attributes
from events import Viewer, is_balanced
from scrape import ACCEPT_OPENMETRICS
from service import QUIET, Service
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
    assert eventually(lambda: "#Fields: " in log_path.read_text()), "the log's thread begins the file"
    fields = log_path.read_text().split("#Fields: ")[1].splitlines()[0]
    assert hello["log_fields"].split("\t") == fields.split() and hello["log_separator"] == "\t"
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
    assert is_balanced(frame["equation"])


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
    value = int(lines[0][len(shown["series"]) + 1:].split(" ")[0])
    assert value == shown["bucket"]["count"]  # nobody else has asked since
    assert (shown["exemplar"] is not None) == shown["sampled"]
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
    assert shown["failed"] is (server.status.code == 2)
    assert shown["user"] is (shown["route"] in USERS)
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


def test_unsampled_failure(service):
    """Its span keeps nothing, but that it failed is true all the same."""
    headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319e-b7ad6b7169203331-00")]
    with Viewer(service.public) as viewer:
        _, span_id = traced(service.public, "/demo/random-error", headers=headers)
        shown = viewer.shown(span_id)
    assert shown["sampled"] is False and shown["error"] == "500" and shown["failed"] is True
    assert shown["spans"][0]["status"] == "ERROR" and shown["spans"][0]["attributes"] == []


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
    assert shown["status"] == 200 and shown["error"] is None and shown["failed"] is False
    assert shown["spans"][0]["status"] == "UNSET"  # a tab that is closed is no failure
    assert shown["duration_ms"] > 200
    assert [one["route"] for one in frame["by_route"]] == USERS  # and spoils nobody's figures
    assert shown["log"] == line_of(log_path, shown["id"])


def test_line_shown_is_the_one_of_the_options(tmp_path):
    """Other fields, IIS's conventions: the log's own line in each case."""
    for iis, fields in ((False, "time x-route cs(User-Agent)"), (True, None)):
        path = tmp_path / f"log-{iis}"
        more = ("--access-log-format", "iis") if iis else ()
        with Service("--page", *more, env=QUIET, log=path, fields=fields, iis=iis) as service:
            with Viewer(service.public) as viewer:
                _, span_id = traced(service.public, "/demo/hello", headers=[("User-Agent", "a b")])
                shown = viewer.shown(span_id)
                assert viewer.hello["log_separator"] == (" " if iis else "\t")
                values = shown["log"].split(viewer.hello["log_separator"])
                assert len(values) == len(viewer.hello["log_fields"].split("\t"))

            def lines():
                return [line for line in path.read_text().splitlines() if line[0] != "#"]
            assert eventually(lambda: shown["log"] in lines()), (shown["log"], lines())
