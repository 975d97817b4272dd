"""OTLP, read by three decoders of which none is ours: every field of every span and log record.

The official generated code in Python and in Go must give the same JSON to the last field; the
Collector's own codec, which shares nothing with them, the same after its own spelling (ids in hex, enums
as numbers). What the fields should say is held against the program that sent them (awkward.c) and
against the requests.
"""

import base64
import gzip
import json
import math
import subprocess

import pytest
from google.protobuf.json_format import MessageToDict

from collector import Collector, attributes
from service import Service
from wire import Connection, ask, request

IDS = {"traceId", "spanId", "parentSpanId"}


class Keeping(Collector):
    """Keeps the bodies as they came: [(traces or logs, bytes)]."""

    def __init__(self):
        self.bodies = []
        super().__init__()

    def receive(self, path, headers, raw):
        received = super().receive(path, headers, raw)
        if headers["Content-Encoding"] == "gzip":
            raw = gzip.decompress(raw)
        with self.changed:
            self.bodies.append(("logs" if path.endswith("/v1/logs") else "traces", raw,
                                received.message))
        return received


def in_spelling_of_the_codec(value, key=""):
    """MessageToDict's JSON as OTLP/JSON spells it."""
    if isinstance(value, dict):
        return {name: in_spelling_of_the_codec(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [in_spelling_of_the_codec(item) for item in value]
    return base64.b64decode(value).hex() if key in IDS else value


def without_defaults(value, key=""):
    """What proto3 does not send, the one writes and the other leaves out; but the member of an AnyValue
    that is set says its type also when it is empty."""
    if isinstance(value, dict):
        items = {name: without_defaults(item, name) for name, item in value.items()}
        return items if key in ("value", "body") else {
            name: item for name, item in items.items()
            if item not in (None, "", 0, "0", [], {}, False)}
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    return value


def agree(read, kind, raw, message):
    """All three decoders, every field."""
    assert read(raw, kind, "generated") == MessageToDict(message)
    ours = in_spelling_of_the_codec(MessageToDict(message, use_integers_for_enums=True))
    theirs = read(raw, kind, "codec")
    assert without_defaults(theirs) == without_defaults(ours)
    assert message.SerializeToString(deterministic=True) and len(json.dumps(theirs)) > 100


# ---- awkward values, by the library alone -------------------------------------------------------

@pytest.fixture(scope="module")
def sent(awkward):
    with Keeping() as collector:
        result = subprocess.run([awkward, collector.endpoint], capture_output=True, timeout=60)
        assert result.returncode == 0, result.stderr.decode()
        assert result.stdout == b"6 spans, 3 records\n"
    return collector


def span(collector, name):
    found, = [one.span for one in collector.spans() if one.span.name == name]
    return found


def test_three_decoders_agree_on_awkward_values(read, sent):
    assert {kind for kind, *_ in sent.bodies} == {"traces", "logs"}
    for kind, raw, message in sent.bodies:
        agree(read, kind, raw, message)


def test_numbers_at_their_ends(sent):
    facts = attributes(span(sent, "numbers"))
    assert math.isnan(facts.pop("double.nan"))
    assert math.copysign(1, facts["double.minus.zero"]) == -1
    assert facts == {
        "int.min": -2**63, "int.max": 2**63 - 1, "int.minus.one": -1, "int.zero": 7,
        "double.zero": 0.0, "double.minus.zero": 0.0, "double.tiny": 5e-324,
        "double.huge": 1.7976931348623157e308, "double.infinite": -math.inf,
        "bool.false": False, "bool.true": True}
    assert span(sent, "numbers").start_time_unix_nano == 1
    assert span(sent, "numbers").end_time_unix_nano == 2**64 - 1
    assert span(sent, "numbers").status.code == 1


def test_strings_of_every_kind(sent):
    """What is no UTF-8 is bytes, not a string: a reader would refuse the whole request."""
    one = span(sent, "caf\u00e9 \U0001f989 \u202e")
    facts = attributes(one)
    longest = facts.pop("longest")
    assert facts == {"empty": "", "invalid": b"a\xff\xc0\x80z", "nul": "a\0b",
                     "unicode": "caf\u00e9 \U0001f989 \u202e"}
    assert longest == "x" * 1023, "cut, and not within a character"
    assert (one.kind, one.status.code) == (3, 2)


def test_events_links_and_context(sent):
    one, child = span(sent, "events"), span(sent, "child")
    assert one.trace_id.hex() == child.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert one.parent_span_id.hex() == "b7ad6b7169203331" and child.parent_span_id == one.span_id
    assert one.trace_state == child.trace_state == "z=1,rojo=00f067aa0ba902b7,t/enant@v=x y!~"
    # Sampled, random; the parent is known to be remote, or known not to be.
    assert (one.flags, child.flags) == (0x303, 0x103)
    listed = {"text": "", "bytes": b"a\xff\xc0\x80z", "most": 2**63 - 1}
    assert [(event.name, event.time_unix_nano, attributes(event)) for event in one.events] == [
        ("none", 1, {}), ("all", 2**64 - 1, listed)]
    assert [(link.trace_id.hex(), link.span_id.hex(), link.flags, attributes(link))
            for link in one.links] == [
        ("ff0102030405060708090a0b0c0d0eff", "8000000000000001", 1, listed),
        ("ff0102030405060708090a0b0c0d0eff", "8000000000000001", 0, {})]


def test_what_found_no_room_is_counted(sent):
    one = span(sent, "too much")
    assert len(one.attributes) == 3
    assert (one.dropped_attributes_count, one.dropped_events_count,
            one.dropped_links_count) == (1, 1, 1)


def test_records(sent):
    logged = span(sent, "logged")
    debug, error, warn = [one.record for one in sent.logs()]
    assert (debug.time_unix_nano, debug.severity_text, debug.HasField("body"),
            debug.trace_id) == (1, "DEBUG", False, b"")
    assert (error.time_unix_nano, error.severity_number, error.event_name) == (
        2**64 - 1, 17, "an.event")
    assert (error.trace_id, error.span_id) == (logged.trace_id, logged.span_id)
    assert error.body.bytes_value == b"a\xff\xc0\x80z"
    assert attributes(error) == {"empty": "", "invalid": b"a\xff\xc0\x80z", "least": -2**63}
    assert (warn.severity_number, warn.severity_text) == (13, "WARN")


# ---- awkward requests, by the service -----------------------------------------------------------

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MEMBERS = ",".join(f"k{number}={'v' * 40}" for number in range(32))
REQUESTS = [
    request(headers=[("User-Agent", "\xff\xfe")]), request(headers=[("User-Agent", "")]),
    request("/demo/hello?q=%00%ff&sig=secret"), request("/no/such/%E2%82%AC"),
    request(headers=[("traceparent", TRACEPARENT), ("tracestate", MEMBERS)]),
    request(headers=[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]),
    request(headers=[("traceparent", TRACEPARENT), ("tracestate", "\xff=1")]),
    request("/demo/hello?delay=1"), request("/demo/random-error"), request(host="[::1]:65535"),
    b"GET /caf\xe9 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET\r\n\r\n",
    request("/", "BREW"), request(host="x" * 300), request("/" + "a" * 9000),
]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_three_decoders_agree_on_awkward_requests(read, compression):
    with Keeping() as collector:
        env = collector.env(OTEL_LOGS_EXPORTER="otlp", OTEL_EXPORTER_OTLP_COMPRESSION=compression,
                            OTEL_RESOURCE_ATTRIBUTES="owl=%F0%9F%A6%89,empty=")
        with Service("--random-error-ratio", "1", env=env) as service:
            for raw in REQUESTS:
                with Connection(service.public) as connection:
                    connection.exchange(raw)
            ask(service.public)
            line = service.stop()
    servers = collector.find(kind=2)
    assert len(servers) == len(collector.logs()) == len(REQUESTS) + 1 == line["finished"]
    assert MEMBERS in [one.span.trace_state for one in servers]
    for kind, raw, message in collector.bodies:
        agree(read, kind, raw, message)
    assert b"secret" not in b"".join(raw for _, raw, _ in collector.bodies)
