"""Clients that are rude, or many: each bounded, each in the books. Those that are slow have a module of
their own, test_slow.py."""

import resource
import socket
import time

import pytest

from service import Service
from witness import Witnesses
from wire import Closed, Connection, ask, eventually, request

TIMES = ("--idle-timeout", "400ms", "--head-timeout", "400ms", "--body-timeout", "400ms",
         "--write-timeout", "400ms", "--linger-timeout", "300ms")


@pytest.fixture(scope="module")
def options():
    return TIMES


# ---- gone ---------------------------------------------------------------------------------------

def gone(connection, reset):
    if reset:
        connection.reset()
    else:
        connection.close()


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("raw, route", [
    (b"GET /demo", None),
    (b"POST /demo/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", "/demo/hello"),
    (request("/demo/hello?delay=1000"), "/demo/hello"),
], ids=["in the head", "in the body", "while it is handled"])
def test_client_gone_before_the_response(service, witnesses, raw, route, reset):
    def send():
        connection = Connection(service.public)
        connection.send(raw)
        time.sleep(0.1)
        gone(connection, reset)
    start = time.monotonic()
    witness = witnesses.of(send)
    assert witness.error == "client_disconnected"
    assert witness.line["sc-status"] is None
    assert witness.line["sc-bytes"] in (None, "0")
    assert witness.line["x-route"] == route
    assert time.monotonic() - start < 1.0, "a delay goes on for nobody"


def test_half_close_while_it_is_handled_is_gone(service, witnesses):
    """A FIN is all that a client that was killed leaves behind; who only half-closes cannot be told
    from it before the answer is ready."""
    with Connection(service.public) as connection:
        def send():
            connection.send(request("/demo/hello?delay=2000"))
            connection.half_close()
            assert connection.at_end()
        assert witnesses.of(send).error == "client_disconnected"


def test_pipeline_then_half_close(service):
    """What can be answered at once is answered to whoever may still listen."""
    with Connection(service.public) as connection:
        connection.send(request() * 50)
        connection.half_close()
        for _ in range(50):
            assert connection.response().status == 200
        assert connection.at_end()


def test_client_gone_in_a_pipeline(service):
    """Requests behind the one it did not wait for: each that had a byte is in the books."""
    with Connection(service.public) as connection:
        connection.send(request("/demo/hello?delay=200") + request() * 3)
        time.sleep(0.05)
        connection.reset()
    assert eventually(lambda: service.total("http_server_active_requests") == 1)


# ---- many ---------------------------------------------------------------------------------------

def test_connections_over_the_limit_are_refused_with_503():
    with Service("--max-connections", "20", "--workers", "2", admin=True) as service:
        held = [Connection(service.public) for _ in range(20)]
        for connection in held:
            assert connection.ask().status == 200
        for _ in range(5):
            with Connection(service.public) as connection:
                response = connection.response()
                assert response.status == 503 and response.closes
                assert response.body
                assert connection.at_end()
        assert service.value("glassbox_connections_refused_total", listener="public",
                             reason="limit") == 5
        assert service.value("glassbox_connections", listener="public") == 20
        assert held[0].ask().status == 200
        assert ask(service.admin, "/readyz").status == 200, "a probe is not refused"
        held.pop().close()
        assert eventually(lambda: service.value("glassbox_connections", listener="public") == 19)
        assert ask(service.public).status == 200
        for connection in held:
            connection.close()
        line = service.stop()
    refused = [entry for entry in service.log.entries if entry["sc-status"] == "503"]
    assert refused == [], "a refused connection is no request"
    assert line["finished"] == len(service.log.entries)


def test_no_descriptors_left():
    """All descriptors in use: no spinning accept, no failed probe, and life goes on afterwards."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    with Service("--workers", "1", admin=True, preexec_fn=limit) as service:
        held = []
        for _ in range(260):
            connection = socket.socket()
            connection.settimeout(2)
            connection.connect(service.public)
            held.append(connection)
        time.sleep(0.2)
        before = service.cpu_seconds()
        time.sleep(1.0)
        assert service.cpu_seconds() - before < 0.3, "spinning"
        for _ in range(10):
            assert ask(service.admin, "/livez").status == 200
        assert service.scrape().status == 200
        refused = service.total("glassbox_connections_refused_total")
        failed = service.total("glassbox_accept_errors_total")
        assert refused + failed > 0, "shed, and said nothing"
        for connection in held:
            connection.close()

        def served():
            try:
                return ask(service.public).status == 200
            except (Closed, OSError):
                return False
        assert eventually(served, timeout=5)


def test_many_connections_at_once():
    with Service("--workers", "2", fields=None) as service:
        held = [Connection(service.public) for _ in range(600)]
        for connection in held:
            connection.send(request("/demo/hello?delay=100"))
        for connection in held:
            assert connection.response().status == 200
            connection.close()
        line = service.stop()
    assert line["finished"] == 600


def test_pipelines_in_order_by_the_thousand():
    targets = [f"/demo/hello?n={n}" for n in range(3000)]
    with Service("--workers", "1", "--access-log-queue", "8MiB") as service:
        with Connection(service.public, timeout=20) as connection:
            connection.send(b"".join(request(target) for target in targets))
            spans = [connection.response().trace[1] for _ in targets]
        assert service.log.wait_count(len(targets)) == len(targets)
        assert [entry["cs-uri-query"] for entry in service.log.entries] == \
            [f"n={n}" for n in range(3000)]
        assert [entry["x-span-id"] for entry in service.log.entries] == spans


GARBAGE = [b"\x00" * 4000, b"\xff" * 4000, b"\r\n" * 500 + b"\x00", b"GET " * 500 + b"\r\n\r\n",
           b"GET / HTTP/1.1\r\nHost: x\r\n" + b":\r\n" * 50 + b"\r\n",
           b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 400,
           b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET // HTTP/1.1\r\nHost: x\r\n\r\n",
           b"GET /%zz?%%% HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
           b"GET ?q HTTP/1.1\r\nHost: x\r\n\r\n", b"HEAD http:/// HTTP/1.1\r\nHost: x\r\n\r\n"]


@pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
def test_no_input_hangs_it_or_answers_twice(service, witnesses, raw):
    with Connection(service.public) as connection:
        def send():
            connection.send(raw)
            connection.half_close()
            return connection.response("HEAD" if raw.startswith(b"HEAD") else "GET")
        response = witnesses.of(send).response
        assert 200 <= response.status < 600
        assert connection.at_end(), "one request, one answer"


def test_it_is_still_the_same_process(service, collector):
    """After all of the above: alive, in step, and what it exported was valid."""
    assert isinstance(Witnesses(service, collector).of(lambda: ask(service.public)).response.body,
                      bytes)
    assert service.process.poll() is None
    assert collector.faults == []
