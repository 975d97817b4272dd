"""/metrics: three formats, negotiated; names, zeros, bounds; and the truth under load."""

import gzip
import re
import shutil
import subprocess
import threading

import pytest

import scrape
from collector import Collector
from service import ROOT, Service
from wire import Connection, ask, eventually, request

DURATION = "http_server_request_duration_seconds"
BUCKETS = ("0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf").split()


def get(service, accept=None, *more):
    headers = ([("Accept", accept)] if accept is not None else []) + list(more)
    return ask(service.public, "/metrics", headers=headers)


# ---- negotiation --------------------------------------------------------------------------------

@pytest.mark.parametrize("accept, content_type", [
    (None, scrape.TEXT),
    ("", scrape.TEXT),
    ("*/*", scrape.TEXT),
    ("text/plain", scrape.TEXT),
    ("text/*;q=0.5", scrape.TEXT),
    ("text/html,application/xhtml+xml", scrape.TEXT),
    ("image/png", scrape.TEXT),
    (";;;q=,,", scrape.TEXT),
    ("application/openmetrics-text", scrape.OPENMETRICS),
    (scrape.ACCEPT_OPENMETRICS, scrape.OPENMETRICS),
    ("application/openmetrics-text; version=1.0.0; charset=utf-8", scrape.OPENMETRICS),
    ('Application/OpenMetrics-Text;Version="1.0.0"', scrape.OPENMETRICS),
    ("application/openmetrics-text;version=2.0.0", scrape.TEXT),
    (scrape.ACCEPT_OPENMETRICS + ";q=0", scrape.TEXT),
    (scrape.ACCEPT_OPENMETRICS + ";q=0.1,text/plain;q=0.2", scrape.TEXT),
    (scrape.ACCEPT_PROTOBUF, scrape.PROTOBUF),
    ("application/vnd.google.protobuf", scrape.TEXT),
    ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
     scrape.TEXT),
    (scrape.ACCEPT_PROMETHEUS_2, scrape.OPENMETRICS),
    (scrape.ACCEPT_PROMETHEUS_3, scrape.OPENMETRICS),
    (scrape.ACCEPT_PROMETHEUS_NATIVE, scrape.PROTOBUF),
])
def test_format_by_accept(service, accept, content_type):
    response = get(service, accept)
    assert response.status == 200
    assert sorted(re.split(r";\s*", response.header("content-type"))) == \
        sorted(re.split(r";\s*", content_type))


@pytest.mark.parametrize("accept_encoding, packed", [
    (None, False), ("gzip", True), ("GZIP", True), ("deflate, gzip;q=0.5", True), ("*", True),
    ("gzip;q=0", False), ("identity", False), ("br", False), ("gzip;q=0, *", False)])
def test_gzip_by_accept_encoding(service, accept_encoding, packed):
    headers = [("Accept-Encoding", accept_encoding)] if accept_encoding else []
    response = get(service, None, *headers)
    assert response.header("content-encoding") == ("gzip" if packed else None)
    body = gzip.decompress(response.body) if packed else response.body
    assert scrape.parse_text(body).of(DURATION + "_count")
    assert "accept-encoding" in (response.header("vary") or "").lower()


def test_head_has_no_body(service):
    with Connection(service.public) as connection:
        response = connection.ask("/metrics", "HEAD")
        assert response.status == 200
        assert response.header("content-type") == scrape.TEXT
        assert connection.ask().status == 200


# ---- the three formats say the same -------------------------------------------------------------

def steady(exposition):
    """Samples that no scrape changes: by label set, without what moves from scrape to scrape."""
    return {key: value for key, value in exposition.samples.items()
            if key[0].startswith(DURATION) and ("http_route", "/metrics") not in key[1]}


def test_formats_agree():
    with Service() as service:
        for target in ("/demo/hello", "/", "/no/such", "/demo/hello?delay=1", "/demo/random-error"):
            ask(service.public, target)
        service.settle()
        text = scrape.parse_text(get(service).body)
        openmetrics = scrape.parse_openmetrics(get(service, scrape.ACCEPT_OPENMETRICS).body)
        protobuf = scrape.parse_protobuf(get(service, scrape.ACCEPT_PROTOBUF).body)
    assert steady(openmetrics) == pytest.approx(steady(text))
    assert steady(protobuf) == pytest.approx(steady(text))

    def family(name, kind):
        return name[:-6] if kind == "counter" and name.endswith("_total") else name
    assert {family(*item) for item in text.families.items()} == \
        {family(*item) for item in protobuf.families.items()}


def test_openmetrics_writes_le_and_unit_as_it_must(service):
    text = get(service, scrape.ACCEPT_OPENMETRICS).body.decode()
    les = set(re.findall(r'_bucket\{[^}]*le="([^"]+)"', text))
    assert les and all("." in le or le == "+Inf" or "e" in le for le in les)
    assert f"# UNIT {DURATION} seconds\n" in text
    for name, unit in re.findall(r"# UNIT (\S+) (\S+)\n", text):
        assert name.endswith("_" + unit)
    assert not re.search(r"# TYPE \S+_total counter", text)
    assert "\n\n" not in text


def test_native_histogram_is_the_same_distribution():
    with Service() as service:
        ask(service.public, "/demo/hello?delay=50")
        ask(service.public, "/demo/hello?delay=50")
        service.settle()
        families = scrape.parse_families(get(service, scrape.ACCEPT_PROTOBUF).body)
    duration = next(family for family in families if family.name == DURATION)
    hello = next(metric.histogram for metric in duration.metric
                 if {"/demo/hello", "200", "GET"} <= {pair.value for pair in metric.label})
    assert hello.schema == 3
    assert hello.sample_count == 2
    base = 2 ** (2 ** -3)
    for index in scrape.native_buckets(hello):
        if scrape.native_buckets(hello)[index]:
            assert base ** index >= 0.05 and base ** (index - 1) < 1.0
    empty = [metric.histogram for metric in duration.metric if metric.histogram.sample_count == 0]
    assert empty, "series that are known stand at 0"
    for histogram in empty:
        spans = [(span.offset, span.length) for span in histogram.positive_span]
        assert spans == [(0, 0)], "an empty native histogram has a no-op span"


# ---- what is there from the start ---------------------------------------------------------------

def metrics_def():
    """Names of src/metrics.def."""
    text = (ROOT / "src/metrics.def").read_text()
    return re.findall(r'^METRIC\(\w+,\s*"([a-z_]+)"', text, re.M)


LIBRARY = """target_info process_cpu_seconds_total process_open_fds process_max_fds
process_virtual_memory_bytes process_resident_memory_bytes process_start_time_seconds
process_threads otel_sdk_span_started_total otel_sdk_processor_span_queue_size
otel_sdk_processor_span_queue_capacity otel_sdk_processor_span_processed_total
otel_sdk_exporter_span_inflight otel_sdk_exporter_span_exported_total""".split()


@pytest.mark.parametrize("arguments, env", [
    ((), {"OTEL_TRACES_EXPORTER": "none"}),
    ((), {"OTEL_SDK_DISABLED": "true"}),
    ((), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}),
], ids=["exporter none", "SDK disabled", "exporter on"])
@pytest.mark.parametrize("log", ["-", "none"])
def test_every_family_has_a_sample_from_the_first_scrape(arguments, env, log):
    assert len(metrics_def()) > 20
    with Service(*arguments, "--flush-timeout", "100ms", env=env, log=log) as service:
        samples = scrape.parse_text(get(service).body).samples
    names = {name for name, _ in samples}
    for name in metrics_def() + LIBRARY:
        assert names & {name, name + "_count"}, f"{name} has no sample"


KNOWN = [(method, route, status) for route, statuses in (
    ("/", (200,)), ("/demo/hello", (200, 400)), ("/demo/random-error", (200, 500)),
    ("/demo/work", (200, 400)), ("/metrics", (200,)), ("/livez", (200, 503)),
    ("/readyz", (200, 503)), ("/version", (200,)))
    for method in ("GET", "HEAD") for status in statuses]


def test_known_series_stand_at_zero():
    with Service() as service:
        samples = scrape.parse_text(get(service).body)
    counts = samples.of(DURATION + "_count")
    for method, route, status in KNOWN:
        labels = {"http_request_method": method, "http_route": route, "url_scheme": "http",
                  "http_response_status_code": str(status), "network_protocol_version": "1.1"}
        if status >= 500:
            labels["error_type"] = str(status)
        assert counts.get(frozenset(labels.items())) == 0, labels
    for reason in ("queue_full", "write_error", "shutdown"):
        key = ("glassbox_access_log_dropped_total", frozenset({("reason", reason)}))
        assert samples.samples[key] == 0
    assert samples.of("glassbox_connections_refused_total")


def test_known_series_are_those_of_each_routes_methods():
    """Which series stand at 0 is what OPTIONS tells of each route, and nothing else."""
    with Service() as service:
        known = {}
        for labels in service.samples("http_server_request_duration_seconds_count"):
            facts = dict(labels)
            known.setdefault(facts["http_route"], set()).add(facts["http_request_method"])
        assert "/demo/hello" in known
        for route, methods in known.items():
            allow = ask(service.public, route, "OPTIONS").header("allow")
            assert methods == set(allow.split(", ")), route


def test_buckets():
    with Service() as service:
        samples = scrape.parse_openmetrics(get(service, scrape.ACCEPT_OPENMETRICS).body)
    bounds = {dict(labels)["le"] for labels in samples.of(DURATION + "_bucket")}
    assert {repr(float(b)) for b in BUCKETS} <= bounds
    assert min(float(b) for b in bounds) <= 0.001, "a service of microseconds needs finer ones"
    for labels, count in samples.of(DURATION + "_count").items():
        infinite = samples.of(DURATION + "_bucket")[labels | {("le", "inf")}]
        assert infinite == count


def test_process_metrics_are_this_process(service):
    value = service.value
    assert value("process_resident_memory_bytes") > 1e6
    assert value("process_open_fds") >= 5
    assert abs(value("process_cpu_seconds_total") - service.cpu_seconds()) < 0.5
    assert value("process_threads") >= 3


def test_gauges_follow(service):
    before = service.value("glassbox_connections", listener="public")
    with Connection(service.public), Connection(service.public) as one:
        one.ask()
        assert eventually(
            lambda: service.value("glassbox_connections", listener="public") == before + 2)
        one.send(request("/demo/hello?delay=400"))

        def active():
            return sum(value for labels, value
                       in service.samples("http_server_active_requests").items())
        assert eventually(lambda: active() == 2, timeout=0.35), "the delayed one, and the scrape"
        one.response()
    assert eventually(lambda: service.value("glassbox_connections", listener="public") == before)
    # The scrape before may still be on its way out: its client has its last byte before the service knows.
    assert eventually(lambda: active() == 1), "this scrape itself"


def test_workers_say_what_they_do(service):
    busy = service.samples("glassbox_worker_busy_seconds_total")
    workers = int(service.value("glassbox_workers"))
    assert {("worker", str(i)) for i in range(workers)} <= {
        pair for labels in busy for pair in labels}
    assert eventually(lambda: service.total("glassbox_event_loop_lag_seconds_count") > 0)


# ---- exemplars ----------------------------------------------------------------------------------

def test_exemplars_lead_to_spans(collector):
    with Service(env=collector.env()) as service:
        response = ask(service.public, "/demo/hello?delay=30")
        service.settle()
        exemplars = scrape.parse_openmetrics(get(service, scrape.ACCEPT_OPENMETRICS).body).exemplars
        mine = [e for e in exemplars if e[2]["trace_id"] == response.trace[0]]
        assert len(mine) == 1
        name, labels, ids, value = mine[0]
        assert name == DURATION + "_bucket"
        assert ("http_route", "/demo/hello") in labels
        assert ids["span_id"] == response.trace[1]
        assert 0.03 <= value <= float(dict(labels)["le"])
        for _, _, ids, _ in exemplars:
            assert collector.wait(ids["trace_id"], ids["span_id"]), "a dead link"
        native = scrape.parse_protobuf(get(service, scrape.ACCEPT_PROTOBUF).body).exemplars
        assert response.trace[0] in {ids["trace_id"] for _, _, ids, _ in native}


def exemplars_of(service):
    return scrape.parse_openmetrics(get(service, scrape.ACCEPT_OPENMETRICS).body).exemplars


def test_unsampled_requests_leave_no_exemplar(collector):
    with Service(env=collector.env(OTEL_TRACES_SAMPLER="always_off")) as service:
        ask(service.public)
        service.settle()
        assert exemplars_of(service) == []


def test_no_exporter_no_exemplar():
    """What is exported nowhere can be found nowhere."""
    with Service() as service:
        ask(service.public)
        service.settle()
        assert exemplars_of(service) == []


# ---- under load ---------------------------------------------------------------------------------

def test_counters_never_go_backwards_under_load():
    with Collector() as collector, Service("--workers", "2", env=collector.env()) as service:
        done = threading.Event()

        def load():
            with Connection(service.public) as connection:
                batch = (request() + request("/no/such") + request("/demo/random-error")) * 20
                while not done.is_set():
                    connection.send(batch)
                    for _ in range(60):
                        connection.response()
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        before = {}
        try:
            for turn in range(12):
                accept = (scrape.ACCEPT_OPENMETRICS, scrape.ACCEPT_PROTOBUF, None)[turn % 3]
                before = check_forward(before, accept, get(service, accept).body)
        finally:
            done.set()
            for thread in threads:
                thread.join()


def check_forward(before, accept, body):
    """Parses one scrape; asserts that nothing cumulative fell, and that buckets add up."""
    parse = {scrape.ACCEPT_OPENMETRICS: scrape.parse_openmetrics,
             scrape.ACCEPT_PROTOBUF: scrape.parse_protobuf, None: scrape.parse_text}[accept]
    samples = parse(body).samples
    for (name, labels), value in samples.items():
        if name.endswith(("_total", "_count", "_sum", "_bucket")):
            assert value >= before.get((name, labels), 0), (name, labels)
        if name.endswith("_bucket") and ("le", "inf") in labels:
            assert value == samples[name[:-7] + "_count", labels - {("le", "inf")}]
    return samples


def test_promtool_finds_nothing_to_say():
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("needs promtool")
    with Service() as service:
        for target in ("/demo/hello", "/no/such", "/demo/random-error"):
            ask(service.public, target)
        body = get(service).body
    result = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True,
                            timeout=30)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


# ---- cardinality --------------------------------------------------------------------------------

METHODS = "GET HEAD POST PUT DELETE OPTIONS TRACE PATCH".split()
PATHS = ["/", "/demo/hello", "/demo/random-error", "/demo/work", "/livez", "/readyz", "/version",
         "/metrics", "/none"]
BAD = ["Host: a/b", "Transfer-Encoding: x", "Expect: tea", "Content-Length: 9999999999",
       ": empty", "X: " + "y" * 20000, "Content-Length: 5\r\nTransfer-Encoding: chunked"]


def flood(service):
    """As many label sets as a client can make: methods, routes, versions, ways to be refused."""
    sent = 0
    for version in ("1.0", "1.1"):
        for method in METHODS:
            for path in PATHS:
                ask(service.public, path, method, version=version)
                sent += 1
            for line in BAD:
                with Connection(service.public) as connection:
                    connection.send(f"{method} / HTTP/{version}\r\nHost: a\r\n{line}\r\n\r\n"
                                    .encode())
                    connection.response(method)
                    sent += 1
    return sent


def test_cardinality_is_bounded_and_nothing_is_lost():
    with Service("--random-error-ratio", "0.5", fields=None) as service:
        sent = flood(service)
        service.settle()
        samples = service.samples(DURATION + "_count")
        assert len(samples) <= 257
        overflow = {labels: value for labels, value in samples.items()
                    if ("otel_metric_overflow", "true") in labels}
        assert len(samples) < 257 or sum(overflow.values()) > 0
        assert sum(samples.values()) >= sent
        if overflow:
            assert service.value("glassbox_metric_overflow_total") > 0
        names = {name for labels in samples for name, _ in labels}
        assert "server_address" not in names
        assert not any("/none" in value for labels in samples for _, value in labels)
