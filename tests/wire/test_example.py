"""The example of the library's README, as a reader would run it: an evhttp server of some forty lines,
and the three signals of each request to it, which agree with each other and with the bytes."""

import os
import secrets
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from accesslog import Log
from collector import attributes
from scrape import (ACCEPT_OPENMETRICS, ACCEPT_PROTOBUF, OPENMETRICS, PROTOBUF, TEXT,
                    parse_openmetrics, parse_protobuf, parse_text)
from service import binary, environment
from wire import ask, eventually

COUNT = "http_server_request_duration_seconds_count"
BUCKET = "http_server_request_duration_seconds_bucket"
SERVER, UNSET = 2, 0


def example() -> str:
    """Path of the program: where each build leaves it, beside the service."""
    path = Path(binary()).resolve().parent / "examples/greeter"
    assert os.access(path, os.X_OK), f"no program at {path}: build the target greeter"
    return str(path)


class Greeter:
    """The example, serving until it is told to end."""

    def __init__(self, env: dict[str, str]):
        for _ in range(5):  # somebody else may take the port in between
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.address = probe.getsockname()
            self.process = subprocess.Popen(
                [example(), str(self.address[1])], env=environment(env), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if eventually(self._answers_or_ended, 20) == "answers":
                break
        self.log = Log()
        self.reader = threading.Thread(target=self.log.read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def _answers_or_ended(self) -> str | None:
        if self.process.poll() is not None:
            return "ended"
        with socket.socket() as probe:
            return "answers" if probe.connect_ex(self.address) == 0 else None

    def __enter__(self) -> "Greeter":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            self.process.kill()
        else:
            assert self.stop() == (0, "")

    def stop(self) -> tuple[int, str]:
        """SIGTERM, then: its exit code and what it said on stderr."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.reader.join(30)
        said = self.process.stderr.read().decode()
        if self.log.error:
            raise self.log.error
        return code, said

    def scrape(self):
        """A fresh exposition, through the official parser."""
        response = ask(self.address, "/metrics", headers=[("Accept", ACCEPT_OPENMETRICS)])
        return parse_openmetrics(response.body)


@pytest.fixture(scope="module")
def greeter(collector):
    with Greeter(collector.env()) as greeter:
        yield greeter


def witnesses(greeter, collector, response):
    """(span, its attributes, line, labels of the one series and its exemplar) of a response."""
    trace_id, span_id, _ = response.trace
    spans = collector.wait(trace_id, span_id)
    assert len(spans) == 1, f"{len(spans)} spans"
    line = greeter.log.wait(lambda entry: entry["x-span-id"] == span_id)
    assert line, "no line in the access log"
    exposition = greeter.scrape()
    exemplars = [(dict(labels), ids) for name, labels, ids, _ in exposition.exemplars
                 if name == BUCKET and ids.get("span_id") == span_id]
    assert len(exemplars) == 1, exposition.exemplars
    labels, ids = exemplars[0]
    assert ids["trace_id"] == trace_id
    del labels["le"]
    assert exposition.of(COUNT)[frozenset(labels.items())] >= 1
    return spans[0], attributes(spans[0].span), line, labels


def agree(span, facts, line, labels, response):
    """What all of them say of the same request."""
    trace_id, span_id, _ = response.trace
    assert (span.trace_id.hex(), span.span_id.hex()) == (trace_id, span_id)
    assert (line["x-trace-id"], line["x-span-id"]) == (trace_id, span_id)
    status = str(response.status)
    assert status == line["sc-status"] == labels["http_response_status_code"]
    assert facts["http.response.status_code"] == response.status
    assert labels.get("http_route") == facts.get("http.route") == line["x-route"]
    assert labels["http_request_method"] == facts["http.request.method"] == line["cs-method"]
    assert labels.get("error_type") == facts.get("error.type") == line["x-error"]
    assert int(line["sc-bytes"]) == len(response.raw)
    taken = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    assert abs(float(line["time-taken"]) - taken) < 0.0011


def test_one_request_is_three_signals(greeter, collector):
    trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
    headers = [("traceparent", f"00-{trace_id}-{parent_id}-01"), ("tracestate", "shop=1"),
               ("User-Agent", "reader/1")]
    response = ask(greeter.address, "/hello?to=you", headers=headers)
    assert (response.status, response.body) == (200, b"hello, world!\n")
    assert response.trace[0] == trace_id
    seen, facts, line, labels = witnesses(greeter, collector, response)
    agree(seen.span, facts, line, labels, response)
    assert seen.span.name == "GET /hello"
    assert seen.span.kind == SERVER
    assert seen.span.status.code == UNSET
    assert seen.span.parent_span_id.hex() == parent_id
    assert seen.span.trace_state == "shop=1"
    assert attributes(seen.resource)["service.name"] == "greeter"
    assert attributes(seen.resource)["service.version"] == "1.0"
    assert (seen.scope.name, seen.scope.version) == ("greeter", "1.0")
    assert facts["url.path"] == line["cs-uri-stem"] == labels["http_route"] == "/hello"
    assert facts["url.query"] == line["cs-uri-query"] == "to=you"
    assert facts["user_agent.original"] == line["cs(User-Agent)"] == "reader/1"
    assert facts["server.port"] == 80  # Host has none
    assert facts["client.address"] == line["c-ip"] == "127.0.0.1"
    assert str(facts["network.peer.port"]) == line["c-port"]


def test_a_path_that_is_not_there(greeter, collector):
    response = ask(greeter.address, "/nothing")
    assert response.status == 404
    seen, facts, line, labels = witnesses(greeter, collector, response)
    agree(seen.span, facts, line, labels, response)
    assert seen.span.name == "GET"
    assert seen.span.status.code == UNSET  # a 4xx is the client's
    assert "http_route" not in labels and line["x-route"] is None


@pytest.mark.parametrize("value", ["00-xyz-01", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", ""])
def test_a_malformed_traceparent_begins_a_new_trace(greeter, collector, value):
    response = ask(greeter.address, "/hello", headers=[("traceparent", value)])
    seen, facts, line, labels = witnesses(greeter, collector, response)
    agree(seen.span, facts, line, labels, response)
    assert seen.span.parent_span_id == b""
    assert response.trace[0] != "0" * 32


def test_an_unsampled_trace_is_logged_and_counted(greeter, collector):
    trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
    before = sum(greeter.scrape().of(COUNT).values())
    response = ask(greeter.address, "/hello", headers=[("traceparent", f"00-{trace_id}-{parent_id}-00")])
    assert response.trace[0] == trace_id and response.trace[2] & 1 == 0
    assert greeter.log.wait(lambda entry: entry["x-trace-id"] == trace_id)["sc-status"] == "200"
    assert eventually(lambda: sum(greeter.scrape().of(COUNT).values()) > before + 1)
    assert collector.find(trace_id) == []


def test_a_log_record_for_who_asks(collector):
    """OTEL_LOGS_EXPORTER=otlp: the same facts once more, as a record with the span's ids."""
    with Greeter(collector.env(OTEL_LOGS_EXPORTER="otlp")) as own:
        response = ask(own.address, "/hello?to=you", headers=[("User-Agent", "reader/1")])
        trace_id, span_id, _ = response.trace
        spans, records = collector.wait(trace_id, span_id), collector.wait_logs(span_id)
        assert len(spans) == len(records) == 1
        facts = attributes(records[0].record)
        assert records[0].record.trace_id.hex() == trace_id
        assert records[0].record.body.string_value == "GET /hello 200"
        assert facts.pop("http.response.size") == len(response.raw)
        assert facts.pop("http.request.size") > 0
        taken = spans[0].span.end_time_unix_nano - spans[0].span.start_time_unix_nano
        assert abs(facts.pop("http.server.request.duration") - taken / 1e9) < 1e-6
        assert facts == attributes(spans[0].span)


@pytest.mark.parametrize("accept, content_type, parse", [
    ("text/plain", TEXT, parse_text),
    (ACCEPT_OPENMETRICS, OPENMETRICS, parse_openmetrics),
    (ACCEPT_PROTOBUF, PROTOBUF, parse_protobuf),
])
def test_the_scraper_chooses_the_format(greeter, accept, content_type, parse):
    response = ask(greeter.address, "/metrics", headers=[("Accept", accept)])
    assert response.header("content-type") == content_type
    exposition = parse(response.body)
    assert any(name == "target_info" for name, _ in exposition.samples)
    assert sum(exposition.of("http_server_active_requests").values()) == 1  # this one


def test_what_waits_goes_out_at_the_end(collector):
    """Nothing is due for an hour when the program is told to end."""
    env = collector.env(OTEL_BSP_SCHEDULE_DELAY="3600000")
    with Greeter(env) as own:
        traces = {ask(own.address, "/hello").trace[0] for _ in range(20)}
        assert len(traces) == 20
    assert {entry["x-trace-id"] for entry in own.log.entries} == traces
    assert all(len(collector.find(trace)) == 1 for trace in traces)
