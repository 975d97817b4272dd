"""Every endpoint: one case, four witnesses (witness.py says what agrees in each)."""

import json
import threading
import time

import pytest

from service import Service
from witness import Witnesses
from wire import Connection, ask, request

INTERNAL = 1
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
ALLOWED = {"GET", "HEAD", "OPTIONS"}
ROUTES = ("/", "/demo/hello", "/demo/random-error", "/demo/work?cpu_ms=1", "/livez", "/readyz",
          "/version")


@pytest.fixture(scope="module")
def options():
    return ("--random-error-ratio", "0", "--max-delay", "2s", "--max-cpu-ms", "500")


def allowed(response):
    return {word.strip() for word in (response.header("allow") or "").split(",")}


def children(collector, witness):
    """The INTERNAL spans within the witness's SERVER span."""
    found = collector.wait(witness.line["x-trace-id"], kind=INTERNAL)
    return [seen.span for seen in found if seen.span.parent_span_id == witness.span.span_id]


# ---- what each answers --------------------------------------------------------------------------

def test_hello(service, witnesses):
    witness = witnesses.of(lambda: ask(service.public))
    assert witness.response.status == 200
    assert witness.response.body == b"hello, world!\n"
    assert witness.response.header("content-type") == PLAIN
    assert witness.line["cs-uri-stem"] == "/demo/hello"
    assert witness.line["cs-uri-query"] is None
    assert witness.line["cs-host"] == "glassbox.test"
    assert witness.labels == {
        "http_request_method": "GET", "http_route": "/demo/hello", "url_scheme": "http",
        "http_response_status_code": "200", "network_protocol_version": "1.1"}
    assert witness.attributes["url.path"] == "/demo/hello"
    assert "url.query" not in witness.attributes
    assert not witness.response.closes


def test_span_says_who_asked_whom(service, witnesses):
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask(
            "/demo/hello?a=1&b=%20", headers=[("User-Agent", "teller/1.0")],
            host="shop.example:8443"))
        facts = witness.attributes
        assert facts["server.address"] == "shop.example"
        assert facts["server.port"] == 8443
        assert facts["client.address"] == facts["network.peer.address"] == "127.0.0.1"
        assert facts["network.peer.port"] == connection.port
    assert facts["user_agent.original"] == witness.line["cs(User-Agent)"] == "teller/1.0"
    assert facts["url.query"] == witness.line["cs-uri-query"] == "a=1&b=%20"
    assert witness.line["s-port"] == str(service.public[1])


def test_received_bytes_are_counted_whole(service, witnesses):
    raw = request("/demo/hello", headers=[("X-Filler", "x" * 300)], body=b"twelve bytes")
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.exchange(raw))
    assert witness.line["cs-bytes"] == str(len(raw))


def test_message_and_unit_by_default(service, witnesses):
    before = time.time()
    witness = witnesses.of(lambda: ask(service.public, "/"))
    assert witness.response.header("content-type") == JSON
    answer = json.loads(witness.response.body)
    assert list(answer) == ["message", "timestamp"]
    assert answer["message"] == "Automate all the things!"
    assert isinstance(answer["timestamp"], int)
    assert int(before) <= answer["timestamp"] <= time.time()
    assert witness.response.body == json.dumps(answer, separators=(",", ":")).encode()


@pytest.mark.parametrize("target", ["/version", "/livez", "/readyz"])
def test_operators_endpoints_answer(service, witnesses, target):
    witness = witnesses.of(lambda: ask(service.public, target))
    assert witness.response.status == 200
    assert witness.response.body
    assert witness.line["x-route"] == target


def test_version_says_what_it_is(service):
    answer = json.loads(ask(service.public, "/version").body)
    info = next(iter(service.samples("glassbox_build_info")))
    assert answer["version"] == dict(info)["version"]


def test_unit_and_message_are_options():
    message = 'Quote " and \\ and ünïcode\ttab'
    with Service("--message", message, "--timestamp-unit", "ms") as service:
        before = time.time() * 1000
        answer = json.loads(ask(service.public, "/").body)
    assert answer["message"] == message
    assert int(before) <= answer["timestamp"] <= time.time() * 1000


# ---- methods ------------------------------------------------------------------------------------

@pytest.mark.parametrize("target", ROUTES)
def test_head_has_the_headers_of_get_and_no_body(service, witnesses, target):
    plain = ask(service.public, target)
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask(target, "HEAD"))
        follow = connection.ask(target)  # the connection is in step: no body came
    changing = ("date", "traceresponse", "content-length" if target == "/" else "")

    def steady(response):
        return [(name, value) for name, value in response.headers if name not in changing]
    assert witness.response.status == plain.status == follow.status == 200
    assert steady(witness.response) == steady(plain)
    assert witness.response.body == b""
    assert witness.line["cs-method"] == "HEAD"


@pytest.mark.parametrize("target, methods", [(route, ALLOWED) for route in (*ROUTES, "/metrics")] + [
    ("/faults", ALLOWED | {"PUT", "DELETE"}),
    ("/incidents/outage", {"POST", "OPTIONS"}),
    ("*", ALLOWED | {"PUT", "DELETE", "POST"}),
])
def test_options_tells_what_is_allowed(service, witnesses, target, methods):
    if target == "/metrics":
        response = ask(service.public, target, "OPTIONS")
    else:
        response = witnesses.of(lambda: ask(service.public, target, "OPTIONS")).response
    assert response.status in (200, 204)
    assert allowed(response) == methods
    assert response.body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_known_method_that_no_route_takes(service, witnesses, method):
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask("/demo/hello", method))
        assert witness.response.status == 405
        assert allowed(witness.response) == ALLOWED
        assert not witness.response.closes
        assert connection.ask("/demo/hello").status == 200
    assert witness.error is None
    assert witness.line["x-route"] == "/demo/hello"
    assert witness.line["cs-method"] == method


# ---- not found ----------------------------------------------------------------------------------

PROBLEM = "application/problem+json"


@pytest.mark.parametrize("accept, content_type", [
    (None, PROBLEM),
    ("*/*", PROBLEM),
    ("application/json", PROBLEM),
    ("application/problem+json", PROBLEM),
    ("text/plain", PLAIN),
    ("application/json;q=0.1, text/plain", PLAIN),
])
def test_not_found_by_accept(service, witnesses, accept, content_type):
    headers = [("Accept", accept)] if accept else []
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask("/no/such?thing", headers=headers))
        assert connection.ask("/demo/hello").status == 200
    response = witness.response
    assert response.status == 404
    assert response.header("content-type") == content_type
    if content_type == PROBLEM:
        problem = json.loads(response.body)
        assert problem["status"] == 404
        assert problem["title"] == "Not Found"
    assert "http_route" not in witness.labels
    assert witness.error is None
    assert witness.line["cs-uri-stem"] == "/no/such"


@pytest.mark.parametrize("target", ["/demo/hello/", "/demo", "/DEMO/HELLO", "//demo/hello",
                                    "/demo/hello%00", "/demo/./hello", "/demo%2Fhello"])
def test_paths_match_exactly(service, witnesses, target):
    witness = witnesses.of(lambda: ask(service.public, target))
    assert witness.response.status == 404
    assert "http_route" not in witness.labels


# ---- query values -------------------------------------------------------------------------------

@pytest.mark.parametrize("target, name, limit", [
    ("/demo/hello?delay=abc", "delay", "2000"),
    ("/demo/hello?delay=-1", "delay", "2000"),
    ("/demo/hello?delay=2001", "delay", "2000"),
    ("/demo/hello?delay=", "delay", "2000"),
    ("/demo/hello?delay=1e3", "delay", "2000"),
    ("/demo/hello?delay=%20", "delay", "2000"),
    ("/demo/hello?delay=99999999999999999999", "delay", "2000"),
    ("/demo/hello?x=1&delay=1x", "delay", "2000"),
    ("/demo/hello?delay=1&delay=1", "delay", "once"),
    ("/demo/work?cpu_ms=501", "cpu_ms", "500"),
    ("/demo/work?cpu_ms=ten", "cpu_ms", "500"),
    ("/demo/work?cpu_ms=", "cpu_ms", "500"),
    ("/demo/work?cpu_ms=1&x&cpu_ms=2", "cpu_ms", "once"),
])
def test_bad_query_value_is_told_by_name_and_range(service, witnesses, target, name, limit):
    witness = witnesses.of(lambda: ask(service.public, target))
    problem = json.loads(witness.response.body)
    assert witness.response.status == problem["status"] == 400
    assert name in problem["detail"]
    assert limit in problem["detail"]
    assert witness.error is None
    assert witness.line["x-route"] == target.partition("?")[0]


# ---- what takes time ----------------------------------------------------------------------------

def test_delay_waits_and_is_a_child_span(service, witnesses, collector):
    witness = witnesses.of(lambda: ask(service.public, "/demo/hello?delay=120"))
    assert witness.response.body == b"hello, world!\n"
    assert float(witness.line["time-taken"]) >= 0.12
    child, = children(collector, witness)
    assert child.end_time_unix_nano - child.start_time_unix_nano >= 120e6
    assert child.trace_id == witness.span.trace_id
    assert (witness.span.start_time_unix_nano <= child.start_time_unix_nano
            <= child.end_time_unix_nano <= witness.span.end_time_unix_nano)


def test_no_delay_no_child(service, witnesses, collector):
    witness = witnesses.of(lambda: ask(service.public, "/demo/hello?delay=0"))
    assert witness.response.status == 200
    assert [s for s in collector.find(witness.line["x-trace-id"]) if s.span.kind == INTERNAL] == []


def test_work_burns_cpu_and_is_a_child_span(service, witnesses, collector):
    before = service.value("process_cpu_seconds_total")
    witness = witnesses.of(lambda: ask(service.public, "/demo/work?cpu_ms=300"))
    spent = service.value("process_cpu_seconds_total") - before
    assert witness.response.status == 200
    assert spent >= 0.27, f"burnt {spent} s of CPU, 0.3 were asked for"
    child, = children(collector, witness)
    assert child.end_time_unix_nano - child.start_time_unix_nano >= 300e6


def test_work_leaves_the_loop_answering():
    """With one worker, whoever asks while it works must not wait for the whole work."""
    with Service("--workers", "1", "--max-cpu-ms", "2000") as service:
        worker = threading.Thread(target=ask, args=(service.public, "/demo/work?cpu_ms=1500"))
        worker.start()
        with Connection(service.public) as connection:
            answered = 0
            while worker.is_alive():
                connection.ask()
                answered += 1
        worker.join()
    assert answered >= 10, f"{answered} answers in 1.5 s of work"


# ---- random errors ------------------------------------------------------------------------------

def test_random_error_never(service, witnesses):
    for _ in range(30):
        response = ask(service.public, "/demo/random-error")
        assert (response.status, response.body) == (200, b"Everything is still OK\n")
    witness = witnesses.of(lambda: ask(service.public, "/demo/random-error"))
    assert witness.response.header("content-type") == PLAIN
    assert witness.error is None


@pytest.mark.parametrize("status", [500, 503])
def test_random_error_always(collector, status):
    with Service("--random-error-ratio", "1", "--random-error-status", status,
                 env=collector.env()) as service:
        with Connection(service.public) as connection:
            witness = Witnesses(service, collector).of(lambda: connection.ask("/demo/random-error"))
            assert not witness.response.closes
            assert connection.ask().status == 200
    assert witness.response.status == status
    assert witness.response.body == b"ERROR: Something, somewhere, went wrong!\n"
    assert witness.error == str(status)


def test_random_error_seed_repeats():
    def run():
        with Service("--random-error-ratio", "0.5", "--random-error-seed", "7",
                     "--workers", "1") as service:
            with Connection(service.public) as connection:
                return [connection.ask("/demo/random-error").status for _ in range(64)]
    first = run()
    assert first == run()
    assert {200, 500} == set(first)


def test_random_error_workers_do_not_repeat_each_other():
    """Each worker has a sequence of its own, not another's a few draws later."""
    with Service("--random-error-ratio", "0.5", "--random-error-seed", "7",
                 "--workers", "2") as service:
        with Connection(service.public) as one, Connection(service.public) as other:
            first, second = ([connection.ask("/demo/random-error").status for _ in range(64)]
                             for connection in (one, other))
        line = service.stop()
    assert line["finished"] >= 128
    for shift in range(16):
        assert first[shift:] != second[:64 - shift]
        assert second[shift:] != first[:64 - shift]


def test_random_error_ratio_is_met():
    """10 % by default; 2,000 tries are 6.7 standard deviations from 5 % and from 15 %."""
    with Service("--random-error-seed", "1", fields=None) as service:
        with Connection(service.public) as connection:
            connection.send(request("/demo/random-error") * 2000)
            statuses = [connection.response().status for _ in range(2000)]
    assert 100 < statuses.count(500) < 300
