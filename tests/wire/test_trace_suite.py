"""W3C Trace Context from header to header: what goes in at the test server comes out at whom it
calls.

The public suite of the standard drives a server the same way; a case here is a row: the headers
that come in, and whether the trace and which tracestate go out. Everything is asserted on what
really went over the wire to the other side.
"""

import json
import re
import socket
from dataclasses import dataclass, field

import pytest

from collector import Collector, attributes
from testserver import Callbacks, Testserver
from wire import Connection, eventually, request

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"
GOOD = f"00-{TRACE}-{PARENT}-01"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])\Z")
KEPT, NEW = True, False
KEY_BYTES = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE_BYTES = "".join(chr(code) for code in range(0x20, 0x7f) if chr(code) not in ",=")


@dataclass
class Row:
    name: str
    headers: list
    kept: bool                # the trace goes on, or a new one begins
    state: object = None      # the tracestate that goes out; None: there is none
    flags: object = None      # of the traceparent that goes out; None: not looked at
    absent: list = field(default_factory=list)


def parent(name, value, kept, **more):
    return Row(name, [("traceparent", value)], kept, **more)


def state(name, *values, out=None):
    """A good traceparent with these tracestate headers."""
    return Row(name, [("traceparent", GOOD), *(("tracestate", value) for value in values)], KEPT,
               out)


def members(first, last):
    return ",".join(f"bar{i:02d}={i:02d}" for i in range(first, last + 1))


PARENTS = [
    Row("no headers", [], NEW, flags=3),
    parent("a good one", GOOD, KEPT, flags=1),
    parent("not sampled", GOOD[:-1] + "0", KEPT, flags=0),
    parent("the random flag goes on", GOOD[:-1] + "3", KEPT, flags=3),
    parent("the random flag without the sampled one", GOOD[:-1] + "2", KEPT, flags=2),
    parent("flags that are not known do not", GOOD[:-2] + "fd", KEPT, flags=1),
    Row("two", [("traceparent", GOOD), ("traceparent", GOOD[:34] + "3" + GOOD[35:])], NEW),
    Row("two that are the same", [("traceparent", GOOD)] * 2, NEW),
    Row("trace-parent", [("trace-parent", GOOD)], NEW),
    Row("trace.parent", [("trace.parent", GOOD)], NEW),
    Row("TraceParent", [("TraceParent", GOOD)], KEPT),
    Row("TrAcEpArEnT", [("TrAcEpArEnT", GOOD)], KEPT),
    Row("TRACEPARENT", [("TRACEPARENT", GOOD)], KEPT),
    parent("version 00 with a byte more", GOOD + ".", NEW),
    parent("version 00 with a field more", GOOD + "-what-the-future-will-be-like", NEW),
    parent("version 01", "01" + GOOD[2:], KEPT, flags=1),
    parent("version cc", "cc" + GOOD[2:], KEPT, flags=1),
    parent("version cc with a field more", "cc" + GOOD[2:] + "-what-the-future-will-be-like", KEPT),
    parent("version cc with a dash more", "cc" + GOOD[2:] + "-", KEPT),
    parent("version cc with a dot more", "cc" + GOOD[2:] + ".what-the-future-will-be-like", NEW),
    parent("version cc, too short", "cc" + GOOD[2:-1], NEW),
    parent("version fe", "fe" + GOOD[2:], KEPT),
    parent("version ff", "ff" + GOOD[2:], NEW),
    parent("version ff with a field more", "ff" + GOOD[2:] + "-more", NEW),
    parent("version of no digits", ".0" + GOOD[2:], NEW),
    parent("version with a dot", "0." + GOOD[2:], NEW),
    parent("version in upper case", "CC" + GOOD[2:], NEW),
    parent("version of three digits", "0" + GOOD, NEW),
    parent("version of four digits", "00" + GOOD, NEW),
    parent("version of one digit", GOOD[1:], NEW),
    parent("trace id of zeros", f"00-{'0' * 32}-{PARENT}-01", NEW, absent=["0" * 32]),
    parent("trace id with a bad first byte", f"00-.{TRACE[1:]}-{PARENT}-01", NEW),
    parent("trace id with a bad last byte", f"00-{TRACE[:-1]}.-{PARENT}-01", NEW),
    parent("trace id in upper case", f"00-{'A' * 32}-{PARENT}-01", NEW, absent=["a" * 32]),
    parent("trace id too long", f"00-{TRACE}3-{PARENT}-01", NEW, absent=[TRACE[1:] + "3"]),
    parent("trace id too short", f"00-{TRACE[:-1]}-{PARENT}-01", NEW),
    parent("parent id of zeros", f"00-{TRACE}-{'0' * 16}-01", NEW),
    parent("parent id with a bad first byte", f"00-{TRACE}-.{PARENT[1:]}-01", NEW),
    parent("parent id with a bad last byte", f"00-{TRACE}-{PARENT[:-1]}.-01", NEW),
    parent("parent id in upper case", f"00-{TRACE}-{'A' * 16}-01", NEW),
    parent("parent id too long", f"00-{TRACE}-{PARENT}7-01", NEW),
    parent("parent id too short", f"00-{TRACE}-{PARENT[:-1]}-01", NEW),
    parent("flags with a bad first byte", GOOD[:-2] + ".0", NEW),
    parent("flags with a bad last byte", GOOD[:-2] + "0.", NEW),
    parent("flags of three digits", GOOD[:-2] + "001", NEW),
    parent("flags of one digit", GOOD[:-2] + "1", NEW),
    parent("no flags", GOOD[:-3], NEW),
    parent("nothing", "", NEW),
    parent("a blank in front", " " + GOOD, KEPT),
    parent("a tab in front", "\t" + GOOD, KEPT),
    parent("a blank behind", GOOD + " ", KEPT),
    parent("a tab behind", GOOD + "\t", KEPT),
    parent("blanks and tabs around", "\t " + GOOD + " \t", KEPT),
    parent("a blank within", GOOD.replace("-", " -", 1), NEW),
]

STATES = [
    Row("without a traceparent", [("tracestate", "foo=1,bar=2")], NEW),
    Row("with a bad traceparent", [("traceparent", GOOD[1:]), ("tracestate", "foo=1")], NEW),
    state("two members", "foo=1,bar=2", out="foo=1,bar=2"),
    Row("trace-state", [("traceparent", GOOD), ("trace-state", "foo=1")], KEPT),
    Row("trace.state", [("traceparent", GOOD), ("trace.state", "foo=1")], KEPT),
    Row("TraceState", [("traceparent", GOOD), ("TraceState", "foo=1")], KEPT, "foo=1"),
    Row("TrAcEsTaTe", [("traceparent", GOOD), ("TrAcEsTaTe", "foo=1")], KEPT, "foo=1"),
    Row("TRACESTATE", [("traceparent", GOOD), ("TRACESTATE", "foo=1")], KEPT, "foo=1"),
    Row("before the traceparent", [("tracestate", "foo=1"), ("traceparent", GOOD)], KEPT, "foo=1"),
    state("an empty one", ""),
    state("an empty one last", "foo=1", "", out="foo=1"),
    state("an empty one first", "", "foo=1", out="foo=1"),
    state("empty members", "foo=1,,bar=2, ,\t,", out="foo=1,bar=2"),
    state("three headers", "foo=1,bar=2", "rojo=1,congo=2", "baz=3",
          out="foo=1,bar=2,rojo=1,congo=2,baz=3"),
    state("a key twice", "foo=1,foo=1"),
    state("a key twice with two values", "foo=1,foo=2"),
    state("a key in two headers", "foo=1", "foo=1"),
    state("a key in two headers with two values", "foo=1", "foo=2"),
    state("every byte of a key and a value", f"{KEY_BYTES}={VALUE_BYTES}",
          out=f"{KEY_BYTES}={VALUE_BYTES}"),
    state("every byte of a tenant's key", f"{KEY_BYTES}@a-z0-9_-*/={VALUE_BYTES}",
          out=f"{KEY_BYTES}@a-z0-9_-*/={VALUE_BYTES}"),
    state("blanks around members", "foo=1 \t , \t bar=2, \t baz=3", out="foo=1,bar=2,baz=3"),
    state("tabs around members", "foo=1\t \t,\t \tbar=2,\t \tbaz=3", out="foo=1,bar=2,baz=3"),
    state("a blank in front", " foo=1", out="foo=1"),
    state("a tab in front", "\tfoo=1", out="foo=1"),
    state("a blank behind", "foo=1 ", out="foo=1"),
    state("a tab behind", "foo=1\t", out="foo=1"),
    state("blanks around", "\t foo=1 \t", out="foo=1"),
    state("a blank in a value", "foo=bar baz", out="foo=bar baz"),
    state("a blank begins a value", "foo= bar", out="foo= bar"),
    state("a tab in a value", "foo=bar\tbaz"),
    state("a blank in a key", "foo =1"),
    state("a key in upper case", "FOO=1"),
    state("a dot in a key", "foo.bar=1"),
    state("a key that begins with an underscore", "_foo=1"),
    state("a key that begins with an @", "@foo=1,bar=2"),
    # Level 2 of the standard knows no tenants: an @ is a byte like others (3.3.1.3.1).
    state("a key that begins with a digit", "0foo=1", out="0foo=1"),
    state("a key that ends with an @", "foo@=1,bar=2", out="foo@=1,bar=2"),
    state("a key with two @", "foo@@bar=1,bar=2", out="foo@@bar=1,bar=2"),
    state("a key with an @ twice", "foo@bar@baz=1,bar=2", out="foo@bar@baz=1,bar=2"),
    state("a key of 256", "foo=1", "z" * 256 + "=1", out="foo=1," + "z" * 256 + "=1"),
    state("a key of 257", "foo=1", "z" * 257 + "=1"),
    state("a tenant of 241 and a system of 14", "foo=1", "t" * 241 + "@" + "v" * 14 + "=1",
          out="foo=1," + "t" * 241 + "@" + "v" * 14 + "=1"),
    state("a tenant of 242", "foo=1", "t" * 242 + "@v=1", out="foo=1," + "t" * 242 + "@v=1"),
    state("a system of 15", "foo=1", "t@" + "v" * 15 + "=1", out="foo=1,t@" + "v" * 15 + "=1"),
    state("257 in all with an @", "foo=1", "t" * 128 + "@" + "v" * 128 + "=1"),
    state("a value of 256", "foo=" + "v" * 256, out="foo=" + "v" * 256),
    state("a value of 257", "foo=" + "v" * 257),
    state("two equals signs", "foo=bar=baz"),
    state("no value", "foo=,bar=3"),
    state("no key", "=1,bar=3"),
    state("no equals sign", "foo,bar=3"),
    state("32 members", members(1, 10), members(11, 20), members(21, 30), members(31, 32),
          out=members(1, 32)),
    state("33 members", members(1, 10), members(11, 20), members(21, 30), members(31, 33)),
    state("32 members and empty ones", members(1, 16) + ",,", "," + members(17, 32),
          out=members(1, 32)),
    state("512 characters", "foo=" + "v" * 251 + ",bar=" + "w" * 251 + " ",
          out="foo=" + "v" * 251 + ",bar=" + "w" * 251),
]


@pytest.fixture(scope="module")
def testserver():
    with Testserver() as testserver:
        yield testserver


@pytest.fixture(scope="module")
def callbacks():
    with Callbacks() as callbacks:
        yield callbacks


def parse(call):
    """(trace id, parent id, flags) of a call that was made; it has exactly one traceparent."""
    values = call.values("traceparent")
    assert len(values) == 1, values
    match = TRACEPARENT.match(values[0])
    assert match, values[0]
    assert match.group(1) != "0" * 32 and match.group(2) != "0" * 16
    return match.group(1), match.group(2), int(match.group(3), 16)


@pytest.mark.parametrize("row", PARENTS + STATES, ids=lambda row: row.name)
def test_row(testserver, callbacks, row):
    response = testserver.trace([{"url": callbacks.url(), "arguments": []}], row.headers)
    assert response.status == 200, response.body
    call, = callbacks.take()
    trace, span, flags = parse(call)
    assert (trace == TRACE) == row.kept
    assert trace not in row.absent
    assert span != PARENT
    assert row.flags is None or flags == row.flags
    assert call.values("tracestate") == ([] if row.state is None else [row.state])
    assert response.trace[0] == trace, "the caller is told of the same trace"
    assert response.trace[1] != span, "a call is a span of its own"


@pytest.mark.parametrize("header, kept", [(GOOD, KEPT), (None, NEW),
                                          (f"00-{'0' * 32}-{PARENT}-01", NEW)])
def test_calls_come_in_order_and_share_the_trace(testserver, callbacks, header, kept):
    plan = [{"url": callbacks.url(f"/{i}"), "arguments": {"number": i}} for i in range(5)]
    response = testserver.trace(plan, [("traceparent", header)] if header else [])
    assert response.status == 200 and json.loads(response.body) == {"calls": 5}
    calls = callbacks.take()
    assert [call.path for call in calls] == ["/0", "/1", "/2", "/3", "/4"]
    assert [json.loads(call.body) for call in calls] == [{"number": i} for i in range(5)]
    seen = [parse(call) for call in calls]
    traces = {trace for trace, _, _ in seen}
    assert len(traces) == 1 and (TRACE in traces) == kept
    assert len({span for _, span, _ in seen}) == 5


def test_arguments_go_on_as_they_came(testserver, callbacks):
    arguments = {"b": [1, -2.5, 1e300, True, None, "\u00e9\u4e16 \"\\"], "a": {"url": "x"}, "": []}
    assert testserver.trace([{"url": callbacks.url(), "arguments": arguments}]).status == 200
    call, = callbacks.take()
    assert json.loads(call.body) == arguments
    assert list(json.loads(call.body)) == ["b", "a", ""], "the order of the names"
    assert call.values("content-type") == ["application/json"]
    assert call.values("host") == [f"127.0.0.1:{callbacks.port}"]


def test_the_trace_goes_on_through_several_servers(testserver, callbacks):
    """It calls itself, twice in a row, and then the other side."""
    plan = [{"url": callbacks.url("/end"), "arguments": []}]
    for _ in range(2):
        plan = [{"url": testserver.url(), "arguments": plan}]
    headers = [("traceparent", GOOD), ("tracestate", "foo=1"), ("baggage", "user=7;p=1,b=%20")]
    assert testserver.trace(plan, headers).status == 200
    call, = callbacks.take()
    assert parse(call)[0] == TRACE
    assert call.values("tracestate") == ["foo=1"]
    assert call.values("baggage") == ["user=7;p=1,b=%20"]


def test_a_plan_without_calls(testserver, callbacks):
    response = testserver.trace([])
    assert response.status == 200 and json.loads(response.body) == {"calls": 0}
    assert callbacks.take() == []


def test_localhost_is_every_loopback_address(testserver, callbacks):
    """The other side listens on 127.0.0.1 alone; ::1 comes first, and refuses."""
    plan = [{"url": callbacks.url("/x?y=z", host="localhost"), "arguments": []}]
    assert testserver.trace(plan).status == 200
    call, = callbacks.take()
    assert call.path == "/x?y=z"
    assert call.values("host") == [f"localhost:{callbacks.port}"]


# ---- what goes wrong ----------------------------------------------------------------------------

@pytest.mark.parametrize("body, says", [
    (b"", "the body is no JSON: "),
    (b"[", "the body is no JSON: "),
    (b"\xff", "the body is no JSON: "),
    (b"{}", "the body is no list of calls"),
    (b"[7]", "[0] is no object"),
    (b'[{"arguments": []}]', "[0].url is missing, or no string"),
    (b'[{"url": "http://127.0.0.1/"}]', "[0].arguments are missing"),
    (b'[{"url": "https://127.0.0.1/", "arguments": []}]', "[0].url is no http:// URL: https://127"),
])
def test_a_body_that_is_no_plan(testserver, body, says):
    response = testserver.trace(body)
    assert response.status == 400
    assert response.body.decode().startswith(says)


def test_a_mistake_later_on_costs_no_call(testserver, callbacks):
    plan = [{"url": callbacks.url(), "arguments": []}, {"url": "ftp://127.0.0.1/", "arguments": []}]
    response = testserver.trace(plan)
    assert response.status == 400 and response.body.startswith(b"[1].url is no http:// URL")
    assert callbacks.take() == []


def test_nobody_listens(testserver, callbacks):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody else can be there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a"
        plan = [{"url": callbacks.url("/1"), "arguments": []}, {"url": url, "arguments": []},
                {"url": callbacks.url("/3"), "arguments": []}]
        response = testserver.trace(plan)
    assert response.status == 502
    assert response.body.decode() == f"{url}: no connection\n"
    assert [call.path for call in callbacks.take()] == ["/1"], "what follows is not called"


def hang(handler):
    handler.server.callbacks.stopping.wait(30)


def hang_up(handler):
    handler.close_connection = True


def garbage(handler):
    handler.wfile.write(b"this is not HTTP\r\n\r\n")
    handler.close_connection = True


@pytest.mark.parametrize("answer, says", [
    (lambda handler: handler.status(503), "answered 503"),
    (lambda handler: handler.status(301), "answered 301"),
    (lambda handler: handler.status(200, b"x" * 70000), "the answer is too large"),
    (garbage, "the answer is not HTTP"),
    (hang_up, "the connection ended too early"),
    (hang, "no answer in time"),
])
def test_an_answer_that_is_none(testserver, answer, says):
    with Callbacks() as callbacks:
        callbacks.answer = answer
        response = testserver.trace([{"url": callbacks.url("/a"), "arguments": []}])
        assert response.status == 502
        assert response.body.decode() == f"{callbacks.url('/a')}: {says}\n"


def test_a_client_that_goes_takes_its_calls_along(testserver):
    with Callbacks() as callbacks, testserver.connect() as connection:
        gone = []

        def watch(handler):
            gone.append(handler.connection.recv(1))
        callbacks.answer = watch
        plan = json.dumps([{"url": callbacks.url(), "arguments": []}] * 2).encode()
        connection.send(request("/trace", "POST", body=plan))
        assert eventually(lambda: callbacks.calls)
        connection.close()
        assert eventually(lambda: gone == [b""]), "the call was not given up"
        assert len(callbacks.calls) == 1


def test_ends_in_order_while_a_call_is_under_way():
    with Callbacks() as callbacks:
        callbacks.answer = hang
        with Testserver() as testserver, testserver.connect() as connection:
            plan = json.dumps([{"url": callbacks.url(), "arguments": []}]).encode()
            connection.send(request("/trace", "POST", body=plan))
            assert eventually(lambda: callbacks.calls)
            testserver.tell_to_end()
            assert connection.response("POST").status == 502, "what was under way is answered"
            connection.close()


# ---- the spans -----------------------------------------------------------------------------------

def test_a_server_span_and_a_client_span_a_call(callbacks):
    with Collector() as collector, \
            Testserver(collector.env(OTEL_TRACES_EXPORTER="otlp")) as testserver:
        plan = [{"url": callbacks.url("/1"), "arguments": []},
                {"url": callbacks.url("/2?q=1"), "arguments": []}]
        assert testserver.trace(plan, [("traceparent", GOOD), ("tracestate", "a=1")]).status == 200
        calls = callbacks.take()
        testserver.stop()
        spans = {seen.span.span_id.hex(): seen.span for seen in collector.spans()}
        server, = [span for span in spans.values() if span.kind == span.SPAN_KIND_SERVER]
        assert server.trace_id.hex() == TRACE and server.parent_span_id.hex() == PARENT
        assert attributes(server)["http.route"] == "/trace"
        assert attributes(server)["http.response.status_code"] == 200
        for call, url in zip(calls, (plan[0]["url"], plan[1]["url"]), strict=True):
            client = spans[parse(call)[1]]
            assert client.kind == client.SPAN_KIND_CLIENT
            assert client.parent_span_id == server.span_id
            assert client.trace_state == "a=1"
            assert attributes(client)["url.full"] == url
            assert attributes(client)["http.response.status_code"] == 200
            assert server.start_time_unix_nano <= client.start_time_unix_nano
            assert client.end_time_unix_nano <= server.end_time_unix_nano
        assert len(spans) == 3
