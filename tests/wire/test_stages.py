"""A client that goes, or half goes, at every stage of a request; and what it does that is merely odd.

A row is what was sent before, how the client went, and what the books say afterwards: which requests
there were and how they ended. After every row the service is as it was: no connection, no request,
no descriptor more.
"""

import os
import socket
import time
from collections import Counter

import pytest

from books import agreed
from crowd import Crowd
from service import parse_samples
from wire import Connection, ask, eventually, request

HELLO = request("/demo/hello")
WAIT = request("/demo/hello?delay=3000")
POST = b"POST /demo/hello HTTP/1.1\r\nHost: x\r\n"
ANSWERED = ("GET", "/demo/hello", "200", None)
GONE = "client_disconnected"
LARGE = request("/metrics") * 40  # more than the kernel takes for a reader that does not read

# What was sent, how many whole answers are awaited before going, and the requests that there were.
STAGES = {
    "before a request": (b"", 0, []),
    "after empty lines": (b"\r\n\r\n", 0, []),
    "in the method": (b"GE", 0, [("_OTHER", None, None, GONE)]),
    "in the head": (b"GET /demo/hello HTTP/1.1\r\nHost: x\r\n", 0, [("GET", None, None, GONE)]),
    "in the body": (POST + b"Content-Length: 9\r\n\r\nabc", 0, [("POST", "/demo/hello", None, GONE)]),
    "in a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", 0,
                   [("POST", "/demo/hello", None, GONE)]),
    "in the trailers": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", 0,
                        [("POST", "/demo/hello", None, GONE)]),
    "while it is handled": (WAIT, 0, [("GET", "/demo/hello", None, GONE)]),
    "while it is handled, more behind it": (WAIT + HELLO * 3, 0,
                                            [("GET", "/demo/hello", None, GONE)]),
    "after an answer": (HELLO, 1, [ANSWERED]),
    "after answers, in the next head": (HELLO * 2 + b"GET /", 2,
                                        [ANSWERED, ANSWERED, ("GET", None, None, GONE)]),
}


@pytest.fixture(scope="module", autouse=True)
def warm(service, collector):
    """The exporter has the connection that it keeps."""
    assert ask(service.public).status == 200
    assert collector.wait()


def settled(service):
    """Descriptors in use, once there is no connection and no request but that which asks."""
    def quiet():
        with Connection(service.public) as connection:
            body = connection.ask("/metrics").body.decode()
            if any(sum(parse_samples(body, name).values()) != 1
                   for name in ("glassbox_connections", "http_server_active_requests")):
                return None
            return len(os.listdir(f"/proc/{service.pid}/fd"))
    descriptors = eventually(quiet, pause=0.05)
    assert descriptors, "connections or requests that do not end"
    return descriptors


def ended(service, collector, before, wanted, rest=None):
    """Asserts that these requests ended since `before`, and no others: a head that is given up is in
    no gauge while it lasts, so they are waited for; `rest` then tells that nothing is left that could
    still end."""
    def moved():
        after = agreed(service, collector)
        after.subtract(before)
        return +after
    eventually(lambda: moved() == Counter(wanted), pause=0.05)
    if rest is not None:
        assert settled(service) == rest
    assert moved() == Counter(wanted)


def go(connection, how):
    {"FIN": connection.close, "RST": connection.reset}[how]()


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("stage", STAGES)
def test_gone(service, collector, stage, how):
    raw, answers, requests = STAGES[stage]
    rest, before = settled(service), agreed(service, collector)
    connection = Connection(service.public)
    connection.send(raw)
    for _ in range(answers):
        assert connection.response().status == 200
    assert eventually(connection.is_taken)
    go(connection, how)
    ended(service, collector, before, requests, rest)


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_gone_during_the_response(service, collector, how):
    """One is under way, those behind it have not been looked at."""
    rest, before = settled(service), agreed(service, collector)
    connection = Connection(service.public, receive_buffer=2048)
    connection.send(LARGE)
    assert eventually(lambda: stuck(service), pause=0.05)
    go(connection, how)
    ended(service, collector, before, [("GET", "/metrics", "200", GONE)], rest)


def stuck(service):
    """Whether a request is open, and the same one as a moment ago: between two scrapes nothing else
    finished than the first of them."""
    finished = service.value("glassbox_requests_finished_total")
    time.sleep(0.05)
    body = service.scrape().body.decode()
    return (sum(parse_samples(body, "http_server_active_requests").values()) == 2
            and sum(parse_samples(body, "glassbox_requests_finished_total").values())
            == finished + 1)


# The stages again, for a client that only says that it has no more to say: where it gets an answer.
HALVES = {
    "before a request": (b"", 0, []),
    "in the head": (b"GET /demo/hello HTTP/1.1\r\nHost: x\r\n", 0, [("GET", None, None, GONE)]),
    "in the body": (POST + b"Content-Length: 9\r\n\r\nabc", 0,
                    [("POST", "/demo/hello", None, GONE)]),
    "while it is handled": (WAIT, 0, [("GET", "/demo/hello", None, GONE)]),
    "after a request": (HELLO, 1, [ANSWERED]),
    "after some, in the next head": (HELLO * 3 + b"G", 3,
                                     [ANSWERED] * 3 + [("_OTHER", None, None, GONE)]),
}


@pytest.mark.parametrize("stage", HALVES)
def test_half_closed(service, collector, stage):
    raw, answers, requests = HALVES[stage]
    rest, before = settled(service), agreed(service, collector)
    with Connection(service.public) as connection:
        connection.send(raw)
        connection.half_close()
        for _ in range(answers):
            assert connection.response().status == 200
        assert connection.at_end(), "a half-closed connection that is through is closed"
    ended(service, collector, before, requests, rest)


def test_half_closed_during_the_response(service, collector):
    """The FIN comes while a response is under way: that one, and all behind it, are sent whole."""
    before = agreed(service, collector)
    with Connection(service.public, receive_buffer=2048) as connection:
        connection.send(request("/metrics") * 8)
        assert eventually(lambda: stuck(service), pause=0.05)
        connection.half_close()
        for _ in range(8):
            assert connection.response().body.endswith(b"\n")
        assert connection.at_end()
    ended(service, collector, before, [])  # eight scrapes that were answered


# ---- odd ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("first, outcome", [
    (request(headers=[("Connection", "close")]), ANSWERED), (request(version="1.0"), ANSWERED),
    (b"\x00\r\n\r\n", ("_OTHER", None, "400", "bad_request")),
], ids=["after Connection: close", "after HTTP/1.0", "after a 400"])
def test_sends_on_after_the_last_answer(service, collector, first, outcome):
    before = agreed(service, collector)
    with Connection(service.public) as connection:
        connection.send(first + request() * 100)
        assert connection.response().closes
        connection.send(request())
        assert connection.at_end(), "an answer behind the last one"
    ended(service, collector, before, [outcome])


@pytest.mark.parametrize("cut", [0, 13, 30], ids=["before it", "in its line", "in a header"])
def test_urgent_data_is_no_data(service, collector, cut):
    """A byte out of band is not part of the stream, and breaks nothing."""
    before = agreed(service, collector)
    with Connection(service.public) as connection:
        connection.send(HELLO[:cut])
        connection.socket.send(b"!", socket.MSG_OOB)
        connection.send(HELLO[cut:])
        assert connection.response().body == b"hello, world!\n"
        assert connection.ask().status == 200
    ended(service, collector, before, {ANSWERED: 2})


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
def test_storm_of_connections_that_say_nothing(service, collector, reset):
    """A thousand that come and go at once. Whoever was accepted and said nothing is counted as that;
    those reset before they were accepted were never there; none is a request, and probes are answered
    in between."""
    def books():
        """(connections that were neither unused nor carried one request, those unused)"""
        body = service.scrape().body.decode()
        accepted, finished, unused = (sum(parse_samples(body, name).values()) for name in (
            "glassbox_connections_accepted_total", "glassbox_requests_finished_total",
            "glassbox_connections_unused_total"))
        return accepted - finished - unused, unused
    rest, before, (others, unused) = settled(service), agreed(service, collector), books()
    for round_ in range(10):
        with Crowd(service.public, 100, source=f"127.0.3.{round_ + 1}") as crowd:
            crowd.leave(reset=reset)
        assert Connection(service.public).ask("/livez").status == 200
    ended(service, collector, before, {("GET", "/livez", "200", None): 10}, rest)
    # The main thread counts what it has handed over a moment after the worker has it.
    assert eventually(lambda: books()[0] == others), "every connection is in the books"
    said_nothing = books()[1] - unused
    assert said_nothing == 1000 if not reset else 0 <= said_nothing <= 1000


def test_it_is_still_the_same_process(service, collector):
    """After all of the above: alive, nothing refused, nothing lost, and what it exported was valid."""
    assert service.process.poll() is None
    assert collector.faults == []
    assert service.value("glassbox_connections_lost_total") == 0
    assert service.total("glassbox_connections_refused_total") == 0
