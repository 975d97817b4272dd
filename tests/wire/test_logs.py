"""OTLP logs: the access record as a LogRecord, off unless asked for, agreeing with the other three
witnesses of the same request, and with terms of its own in the equation."""

import pytest

from collector import Collector, attributes, dead_endpoint
from load import run_mixed
from service import Service, parse_samples
from wire import Connection, ask, eventually, request
from witness import Witnesses

ON = {"OTEL_LOGS_EXPORTER": "otlp"}
SHORT = {"OTEL_BLRP_EXPORT_TIMEOUT": "400", "OTEL_BSP_EXPORT_TIMEOUT": "400",
         "OTEL_EXPORTER_OTLP_TIMEOUT": "300"}
OPTIONS = ("--workers", "2", "--flush-timeout", "1s", "--random-error-ratio", "0.2")
INFO, ERROR = 9, 17
ONLY_IN_LOGS = {"http.server.request.duration", "http.request.size", "http.response.size"}


def test_off_unless_asked_for():
    with Collector() as collector:
        with Service(env=collector.env()) as service:
            trace = ask(service.public).trace
            assert collector.wait(span_id=trace[1])
            assert "otel_sdk_log_" not in service.scrape().body.decode()
            line = service.stop()
    assert collector.logs_requests == []
    assert line["otlp_logs"] == "off"
    assert not [name for name in line if name.startswith("otlp_logs_")]


REQUESTS = [
    ("a greeting", b"GET /demo/hello HTTP/1.1\r\nHost: shop.example:81\r\nUser-Agent: t/1\r\n\r\n",
     INFO, "GET /demo/hello 200"),
    ("a secret", b"GET /demo/hello?delay=1&sig=abc HTTP/1.1\r\nHost: h\r\n\r\n",
     INFO, "GET /demo/hello 200"),
    ("not found", b"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", INFO, "GET /nowhere 404"),
    ("a failure", b"GET /demo/random-error HTTP/1.1\r\nHost: h\r\n\r\n", ERROR,
     "GET /demo/random-error 500"),
    ("a method of its own", b"BREW /demo/hello HTTP/1.1\r\nHost: h\r\n\r\n", ERROR,
     "BREW /demo/hello 501"),
    ("no host", b"GET /demo/hello HTTP/1.1\r\n\r\n", INFO, "GET /demo/hello 400"),
    ("HTTP/1.0", b"GET /livez HTTP/1.0\r\n\r\n", INFO, "GET /livez 200"),
    ("bytes that are no text", b"GET /caf\xc3\xa9?q=\xff HTTP/1.1\r\nHost: h\r\n\r\n", None, None),
]


@pytest.mark.parametrize("raw, severity, body", [row[1:] for row in REQUESTS],
                         ids=[row[0] for row in REQUESTS])
def test_the_record_agrees_with_span_and_line(raw, severity, body):
    with Collector() as collector:
        with Service("--random-error-ratio", "1", env=collector.env(**ON)) as service:
            with Connection(service.public) as client:
                witness = Witnesses(service, collector).of(lambda: client.exchange(raw))
            seen = collector.wait_logs(witness.line["x-span-id"])
    assert len(seen) == 1
    record, span, line = seen[0].record, witness.span, witness.line
    assert record.trace_id == span.trace_id and record.span_id == span.span_id
    assert record.flags == span.flags & 0xff
    assert record.time_unix_nano == span.end_time_unix_nano
    assert record.observed_time_unix_nano >= record.time_unix_nano
    assert record.event_name == "http.server.request"
    assert record.severity_text == {INFO: "INFO", ERROR: "ERROR"}[record.severity_number]
    facts = attributes(record)
    assert {key: value for key, value in facts.items() if key not in ONLY_IN_LOGS} \
        == witness.attributes
    assert abs(facts["http.server.request.duration"] - float(line["time-taken"])) < 1.1e-6
    assert facts["http.request.size"] == int(line["cs-bytes"])
    assert facts["http.response.size"] == int(line["sc-bytes"])
    assert seen[0].resource.attributes == collector.spans()[0].resource.attributes
    if body:
        assert record.severity_number == severity
        assert record.body.string_value == body
    assert "abc" not in str(record)


def test_who_went_away_has_no_status():
    with Collector() as collector:
        with Service(env=collector.env(**ON)) as service:
            with Connection(service.public) as client:
                client.send(request("/demo/hello?delay=5000"))
                client.reset()
            line = service.log.wait(lambda entry: entry["x-error"] == "client_disconnected")
            record = collector.wait_logs(line["x-span-id"])[0].record
    assert record.severity_number == ERROR
    assert record.body.string_value == "GET /demo/hello -"
    assert "http.response.status_code" not in attributes(record)
    assert attributes(record)["error.type"] == "client_disconnected"


def test_a_request_that_is_not_sampled_has_its_record():
    """Sampling is for traces: every request is in the log, under the ids it was given."""
    with Collector() as collector:
        env = collector.env(OTEL_TRACES_SAMPLER="always_off", **ON)
        with Service(env=env) as service:
            trace_id, span_id, flags = ask(service.public).trace
            record = collector.wait_logs(span_id)[0].record
            service.stop()
    assert record.trace_id.hex() == trace_id
    assert record.flags == flags and not flags & 1
    assert collector.requests == []


def test_settings_of_its_own():
    with Collector() as spans, Collector() as logs:
        env = spans.env(OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{logs.endpoint}/in/v1/logs",
                        OTEL_EXPORTER_OTLP_LOGS_HEADERS="x-for=logs",
                        OTEL_EXPORTER_OTLP_LOGS_COMPRESSION="gzip", **ON)
        with Service(env=env) as service:
            span_id = ask(service.public).trace[1]
            assert logs.wait_logs(span_id) and spans.wait(span_id=span_id)
    got = logs.logs_requests[0]
    assert got.path == "/in/v1/logs"
    assert got.headers["x-for"] == "logs"
    assert got.headers["Content-Encoding"] == "gzip"
    assert (spans.logs_requests, logs.requests) == ([], [])
    assert spans.requests[0].headers["Content-Encoding"] is None


def test_what_cannot_be_asked_for_is_told():
    with Service(env={"OTEL_LOGS_EXPORTER": "console", "OTEL_TRACES_EXPORTER": "none"}) as service:
        assert service.wait_message(lambda m: "OTEL_LOGS_EXPORTER" in m["message"])
        assert service.stop()["otlp_logs"] == "off"


# ---- the equation -------------------------------------------------------------------------------

def check_line(line, collector=None):
    """The terms of this signal; that they balance was asserted by stop()."""
    lost = sum(value for name, value in line.items()
               if name.startswith(("otlp_logs_dropped_", "otlp_logs_failed_")))
    assert lost == line["otlp_logs_dropped"] + line["otlp_logs_failed"], "each loss has a reason"
    assert line["otlp_logs_emitted"] == line["finished"]
    assert line["finished"] == line["otlp_logs_acknowledged"] + lost
    assert (line["otlp_logs_waiting"], line["otlp_logs_inflight"]) == (0, 0)
    if collector:
        assert line["otlp_logs_acknowledged"] == collector.logs_acknowledged


@pytest.mark.parametrize("mode", ["ok", "partial", "throttled", "hang", "cut", "refusing"])
def test_whatever_the_collector_does(mode):
    # Who answers gets the time to: an answer that comes too late is acknowledged on one side only.
    answers = mode in ("ok", "partial")
    options = (*OPTIONS, "--flush-timeout", "20s") if answers else OPTIONS
    with Collector(mode, retry_after="30") as collector:
        env = collector.env(OTEL_TRACES_EXPORTER="none", **ON, **({} if answers else SHORT))
        with Service(*options, env=env) as service:
            run_mixed(service.public, 5000)
            line = service.stop()
        collector.stopping.set()
        check_line(line, collector)
    if mode == "ok":
        assert line["otlp_logs_acknowledged"] > 0
    if mode == "refusing":
        assert line["otlp_logs_failed_status"] > 0


def test_both_signals_to_a_collector_that_is_gone():
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": dead_endpoint(), **ON, **SHORT}
    with Service(*OPTIONS, env=env) as service:
        run_mixed(service.public, 5000)
        scraped = service.scrape().body.decode()
        line = service.stop()
    check_line(line)
    assert line["otlp_logs_acknowledged"] == line["spans_acknowledged"] == 0
    assert line["otlp_logs_failed_connection"] > 0 and line["spans_failed_connection"] > 0
    assert "otel_sdk_log_created_total" in scraped
    components = {dict(labels)["otel_component_type"] for labels in parse_samples(
        scraped, "otel_sdk_exporter_operation_duration_seconds_count")}
    assert components == {"otlp_http_span_exporter", "otlp_http_log_exporter"}


def test_a_large_queue_loses_nothing():
    """Each request's record arrives, once, under the id in its line."""
    with Collector() as collector:
        env = collector.env(OTEL_BLRP_MAX_QUEUE_SIZE="60000", OTEL_TRACES_EXPORTER="none", **ON)
        with Service("--workers", "2", "--flush-timeout", "20s", env=env) as service:
            run_mixed(service.public, 5000)
            line = service.stop()
        check_line(line, collector)
        ids = [seen.record.span_id.hex() for seen in collector.logs()]
    assert line["otlp_logs_acknowledged"] == line["finished"] == len(ids) == len(set(ids))
    assert set(ids) == {entry["x-span-id"] for entry in service.log.entries}


def test_requests_and_retries_are_counted_for_each_signal():
    """Throttled once, then taken: two requests, one of them again; spans are not mixed in."""
    with Collector("throttled") as collector:
        env = collector.env(OTEL_TRACES_EXPORTER="none", OTEL_BLRP_SCHEDULE_DELAY="0", **ON)
        with Service(env=env) as service:
            ask(service.public)
            assert eventually(lambda: len(collector.logs_requests) == 1)
            collector.mode = "ok"
            assert eventually(lambda: collector.logs_acknowledged == 1, timeout=15)
            body = service.scrape().body.decode()

    def counted(name):
        return parse_samples(body, f"glassbox_{name}_total")[frozenset()]
    assert (counted("log_export_requests"), counted("log_export_retries")) == (2, 1)
    assert (counted("span_export_requests"), counted("span_export_retries")) == (0, 0)
