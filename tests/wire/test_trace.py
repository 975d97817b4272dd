"""W3C Trace Context in and out, sampling, and what a server span holds."""

import secrets

import pytest

from collector import Collector, attributes
from service import Service
from wire import Connection, ask, eventually, request

SAMPLED, RANDOM = 1, 2
HAS_REMOTE, IS_REMOTE = 0x100, 0x200


def fresh():
    """A trace id and a parent id of our own."""
    return secrets.token_hex(16), secrets.token_hex(8)


def call(service, *headers, target="/demo/hello"):
    return ask(service.public, target, headers=headers)


def span_of(collector, response):
    spans = collector.wait(*response.trace[:2])
    assert len(spans) == 1
    return spans[0].span


# ---- traceparent --------------------------------------------------------------------------------

@pytest.mark.parametrize("template", [
    "00-{}-{}-01",
    "00-{}-{}-03",
    "01-{}-{}-01",
    "cc-{}-{}-01-what-the-future-will-be-like",
    "fe-{}-{}-01-",
    "00-{}-{}-ff",  # other bits are ignored, and 0 on output
])
def test_valid_traceparent_continues_the_trace(service, witnesses, template):
    trace_id, parent_id = fresh()
    value = template.format(trace_id, parent_id)
    witness = witnesses.of(lambda: call(service, ("traceparent", value)))
    got, span_id, flags = witness.response.trace
    assert got == trace_id
    assert span_id != parent_id
    assert flags == int(value.split("-")[3], 16) & (SAMPLED | RANDOM)
    assert witness.span.parent_span_id.hex() == parent_id
    assert witness.span.flags & (HAS_REMOTE | IS_REMOTE) == HAS_REMOTE | IS_REMOTE


@pytest.mark.parametrize("template", [
    "ff-{}-{}-01",
    "00-" + "0" * 32 + "-{1}-01",
    "00-{0}-" + "0" * 16 + "-01",
    "00-{}-{}-01-extra",
    "00-{}-{}-01-",
    "01-{}-{}-01extra",
    "00-{}-{}-1",
    "00-{}-{}-0x",
    "0-{}-{}-01",
    "00_{}_{}_01",
    "00-{}a-{}-01",
    "00-{}-{}",
    "{}{}",
    "",
])
def test_invalid_traceparent_starts_a_new_trace(service, witnesses, template):
    trace_id, parent_id = fresh()
    value = template.format(trace_id, parent_id)
    witness = witnesses.of(lambda: call(service, ("traceparent", value), ("tracestate", "a=1")))
    assert witness.response.status == 200
    assert witness.response.trace[0] != trace_id
    assert witness.span.parent_span_id == b""
    assert witness.span.trace_state == ""
    assert witness.span.flags & IS_REMOTE == 0


def test_upper_case_traceparent_is_invalid(service, witnesses):
    trace_id = "ABCDEF" + secrets.token_hex(13).upper()
    witness = witnesses.of(
        lambda: call(service, ("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01")))
    assert witness.response.trace[0] != trace_id.lower()
    assert witness.span.parent_span_id == b""


def test_two_traceparents_are_invalid(service, witnesses):
    first, second = fresh(), fresh()
    witness = witnesses.of(lambda: call(
        service, *[("traceparent", f"00-{t}-{p}-01") for t, p in (first, second)]))
    assert witness.response.trace[0] not in (first[0], second[0])


def test_header_names_have_no_case(service, witnesses):
    trace_id, parent_id = fresh()
    witness = witnesses.of(
        lambda: call(service, ("TraceParent", f"00-{trace_id}-{parent_id}-01")))
    assert witness.response.trace[0] == trace_id


def test_new_trace_is_random_and_says_so(service, witnesses):
    witness = witnesses.of(lambda: call(service))
    assert witness.response.trace[2] == SAMPLED | RANDOM
    assert witness.span.parent_span_id == b""
    ids = {call(service).trace[0] for _ in range(200)}
    assert len(ids) == 200


def test_traceresponse_is_on_every_response(service):
    trace_id, parent_id = fresh()
    parent = ("traceparent", f"00-{trace_id}-{parent_id}-01")
    for target, method in (("/", "GET"), ("/no/such", "GET"), ("/demo/hello", "POST"),
                           ("/metrics", "GET"), ("/demo/hello?delay=x", "GET"), ("*", "OPTIONS"),
                           ("/demo/hello", "HEAD"), ("/demo/hello", "BREW")):
        response = ask(service.public, target, method, headers=[parent])
        assert response.trace[0] == trace_id, (method, target)
    # What is refused before the headers came still has a trace, its own.
    assert ask(service.public, "*", headers=[parent]).trace
    with Connection(service.public) as connection:
        assert connection.exchange(b"\x00 nothing like HTTP\r\n\r\n").trace


# ---- tracestate and baggage ---------------------------------------------------------------------

MANY = ",".join(f"k{i}=v" for i in range(32))
LONG_KEY = "a" * 256
ALL_CHARACTERS = "0a-b_c*d/e@f=!\"#$%&'()*+-./:;<>?@[]^_`{|}~"


@pytest.mark.parametrize("headers, wanted", [
    (["vendor=value"], "vendor=value"),
    (["a=1,b=2"], "a=1,b=2"),
    (["a=1", "b=2"], "a=1,b=2"),
    (["a=1 , b=2\t"], "a=1,b=2"),
    (["a=1,,b=2,"], "a=1,b=2"),
    (["", "a=1"], "a=1"),
    ([ALL_CHARACTERS], ALL_CHARACTERS),
    (["a=in  side"], "a=in  side"),
    ([LONG_KEY + "=1"], LONG_KEY + "=1"),
    (["a=" + "v" * 256], "a=" + "v" * 256),
    ([MANY], MANY),
    # what is wrong is discarded whole
    ([MANY + ",one=more"], ""),
    (["a=1,a=2"], ""),
    (["a=1", "a=2"], ""),
    (["A=1"], ""),
    (["_a=1"], ""),
    ([LONG_KEY + "a=1"], ""),
    (["a=" + "v" * 257], ""),
    (["a="], ""),
    (["a"], ""),
    (["=1"], ""),
    (["a=1=2"], ""),
    (["a =1"], ""),
    (["a=\xe9"], ""),
    (["a=1", "b"], ""),
])
def test_tracestate(service, witnesses, headers, wanted):
    trace_id, parent_id = fresh()
    witness = witnesses.of(lambda: call(
        service, ("traceparent", f"00-{trace_id}-{parent_id}-01"),
        *[("tracestate", value) for value in headers]))
    assert witness.response.trace[0] == trace_id, "bad tracestate never affects traceparent"
    assert witness.span.trace_state == wanted


def test_tracestate_without_traceparent_is_ignored(service, witnesses):
    witness = witnesses.of(lambda: call(service, ("tracestate", "a=1")))
    assert witness.span.trace_state == ""


@pytest.mark.parametrize("baggage", ["user=alice,tier=gold;p=1", "%%%", "k=" + "v" * 9000, "\xff"])
def test_baggage_changes_nothing(service, witnesses, baggage):
    """It is carried for calls that a handler would make; it is neither judged nor shown."""
    trace_id, parent_id = fresh()
    witness = witnesses.of(lambda: call(
        service, ("traceparent", f"00-{trace_id}-{parent_id}-01"), ("baggage", baggage)))
    assert witness.response.status == 200
    assert witness.response.trace[0] == trace_id
    assert witness.response.header("baggage") is None
    assert "alice" not in str(witness.span)


def test_baggage_reaches_the_log_as_it_came(collector):
    with Service(env=collector.env(), fields="sc-status cs(baggage) x-span-id") as service:
        response = call(service, ("baggage", 'user="al ice",tier=gold'))
        line = service.log.wait(lambda entry: entry["x-span-id"] == response.trace[1])
    assert line["cs(baggage)"] == 'user="al ice",tier=gold'


# ---- sampling -----------------------------------------------------------------------------------

def exported(collector, service, *responses):
    """Of each response: whether its span came. A last, sampled request tells when all have."""
    trace_id, parent_id = fresh()
    for seen in (True, False):
        last = call(service, ("traceparent", f"00-{trace_id}-{parent_id}-01"))
        if last.trace[2] & SAMPLED:
            assert collector.wait(*last.trace[:2])
            break
    came = {(s.span.trace_id.hex(), s.span.span_id.hex()) for s in collector.spans()}
    return [response.trace[:2] in came for response in responses]


def with_sampler(collector, name, argument=None):
    env = {"OTEL_TRACES_SAMPLER": name}
    if argument is not None:
        env["OTEL_TRACES_SAMPLER_ARG"] = argument
    return Service("--workers", "1", env=collector.env(**env))


def parents():
    trace_id, parent_id = fresh()
    return [("traceparent", f"00-{trace_id}-{parent_id}-{flags}") for flags in ("01", "00")]


@pytest.mark.parametrize("name, argument, root, sampled, unsampled", [
    ("always_on", None, True, True, True),
    ("always_off", None, False, False, False),
    ("traceidratio", "0", False, False, False),
    ("traceidratio", "1", True, True, True),
    ("traceidratio", "1.0", True, True, True),
    ("parentbased_always_on", None, True, True, False),
    ("parentbased_always_off", None, False, True, False),
    ("parentbased_traceidratio", "0", False, True, False),
    ("parentbased_traceidratio", "1", True, True, False),
    ("ALWAYS_OFF", None, False, False, False),  # enum values ignore case
    ("", None, True, True, False),              # empty is unset: parentbased_always_on
])
def test_samplers(name, argument, root, sampled, unsampled):
    with Collector() as collector, with_sampler(collector, name, argument) as service:
        yes, no = parents()
        responses = [call(service), call(service, yes), call(service, no)]
        assert exported(collector, service, *responses) == [root, sampled, unsampled]
        assert [bool(r.trace[2] & SAMPLED) for r in responses] == [root, sampled, unsampled]
        service.stop()
        line = service.reconciliation
        assert line["spans_acknowledged"] == collector.acknowledged
        if not unsampled:
            assert line["spans_unsampled"] >= 1


def test_ratio_is_met_and_agrees_with_the_flag():
    """600 roots at 0.25: 60 to 240 is over 8 standard deviations wide on each side."""
    with Collector() as collector, with_sampler(collector, "traceidratio", "0.25") as service:
        with Connection(service.public) as connection:
            connection.send(request() * 600)
            responses = [connection.response() for _ in range(600)]
        flagged = {r.trace[0] for r in responses if r.trace[2] & SAMPLED}
        assert 60 < len(flagged) < 240
        service.stop()
        assert {seen.span.trace_id.hex() for seen in collector.spans()} == flagged
        assert service.reconciliation["spans_unsampled"] == 600 - len(flagged)


def test_ratio_decides_by_the_trace_id_alone():
    """The same trace gets the same answer everywhere; randomness is in the last 56 bits."""
    with Collector() as collector, with_sampler(collector, "traceidratio", "0.5") as service:
        def flag(trace_id):
            return call(service, ("traceparent", f"00-{trace_id}-{'b' * 16}-00")).trace[2] & SAMPLED
        ids = [secrets.token_hex(16) for _ in range(40)]
        first = [flag(trace_id) for trace_id in ids]
        assert first == [flag(trace_id) for trace_id in ids]
        assert first == [flag(secrets.token_hex(9) + trace_id[18:]) for trace_id in ids]
        assert flag("a" * 18 + "f" * 14) == SAMPLED
        assert flag("a" * 18 + "0" * 14) == 0


@pytest.mark.parametrize("env", [
    {"OTEL_TRACES_SAMPLER": "sometimes"},
    {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.5"},
    {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "half"},
])
def test_bad_sampler_is_told_and_ignored(env):
    with Collector() as collector, Service(env=collector.env(**env)) as service:
        assert service.wait_message(
            lambda m: m["level"] == "warn" and "OTEL_TRACES_SAMPLER" in str(m))
        assert call(service).trace[2] & SAMPLED


# ---- what a span holds --------------------------------------------------------------------------

def test_events_tell_the_way_of_the_request(service, witnesses):
    witness = witnesses.of(lambda: call(service, target="/demo/hello?delay=30"))
    span = witness.span
    times = [event.time_unix_nano for event in span.events]
    assert len(span.events) == 3, [event.name for event in span.events]
    assert times == sorted(times)
    assert span.start_time_unix_nano <= times[0]
    assert times[1] - times[0] >= 30e6, "request read, then the delay, then the first byte"
    assert times[2] <= span.end_time_unix_nano
    names = [event.name for event in span.events]
    assert len(set(names)) == 3 and all(names)


def test_what_is_not_utf8_goes_out_as_bytes(service, witnesses):
    """As string_value it would make a receiver refuse the whole batch."""
    witness = witnesses.of(lambda: call(service, ("User-Agent", "caf\xe9")))
    assert witness.attributes["user_agent.original"] == b"caf\xe9"


def test_long_values_are_cut_not_lost(service, witnesses):
    witness = witnesses.of(lambda: call(service, ("User-Agent", "x" * 5000)))
    value = witness.attributes["user_agent.original"]
    assert value == "x" * len(value) and 256 <= len(value) <= 5000


def test_ipv6_peer(collector):
    with Service(listen=("[::1]:0",), env=collector.env()) as service:
        response = ask(service.public, headers=[], host="[::1]:8080")
        facts = attributes(span_of(collector, response))
        line = service.log.wait(lambda entry: entry["x-span-id"] == response.trace[1])
    assert facts["client.address"] == line["c-ip"] == "::1"
    assert facts["server.address"] in ("::1", "[::1]")
    assert facts["server.port"] == 8080


def test_nothing_is_exported_twice(service, collector):
    responses = [call(service) for _ in range(50)]
    eventually(lambda: all(collector.find(*r.trace[:2]) for r in responses))
    for response in responses:
        assert len(collector.find(*response.trace[:2])) == 1
