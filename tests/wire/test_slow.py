"""Clients that are slow on purpose: who sends a byte now and then, who reads a byte now and then.

The limits are for the whole head, the whole body, and for progress of a response: never from byte to
byte of what comes in. All cases of a table drip at the same time, so that the module takes no longer
than its slowest; tests/hostile does the same with thousands.
"""

import socket
import time
from collections import Counter

import pytest

from books import agreed, by_error
from collector import Collector
from crowd import Crowd, room_for
from service import Service
from wire import Connection, eventually, request

TIMES = ("--idle-timeout", "400ms", "--head-timeout", "400ms", "--body-timeout", "400ms",
         "--write-timeout", "400ms", "--linger-timeout", "300ms")
H = b" HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /demo/hello" + H
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def options():
    return TIMES


# ---- slow to send -------------------------------------------------------------------------------

@pytest.mark.parametrize("start", ["G", "GET /demo/hello HTTP/1.1\r\n",
                                   "GET /demo/hello HTTP/1.1\r\nHost: x\r\nX: "])
def test_head_that_does_not_come(service, witnesses, start):
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.exchange(start.encode()))
        assert (witness.response.status, witness.error) == (408, "head_timeout")
        assert witness.response.closes and connection.at_end()
        assert float(witness.line["time-taken"]) >= 0.39


def test_body_that_does_not_come(service, witnesses):
    with Connection(service.public) as connection:
        raw = b"POST /demo/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
        witness = witnesses.of(lambda: connection.exchange(raw))
        assert (witness.response.status, witness.error) == (408, "body_timeout")
        assert connection.at_end()


# What is said at once, then what drips, a piece every 30 ms, over and over; the status and the error.
# What is too much, however fast it comes, is in test_http_table.py.
DRIPS = {
    "the request line": (b"", b"GET /", 1, 408, "head_timeout"),
    "the head": (b"GET /demo/hello" + H + b"X: ", b"y", 1, 408, "head_timeout"),
    "headers": (b"GET /demo/hello" + H, b"X: y\r\n", 6, 408, "head_timeout"),
    "empty lines, then the head": (b"\r\n\r\nG", b"E", 1, 408, "head_timeout"),
    "the body": (POST + b"Content-Length: 1000\r\n\r\n", b"z", 1, 408, "body_timeout"),
    "chunks of a byte": (CHUNKED, b"1\r\nz\r\n", 6, 408, "body_timeout"),
    "the line of a chunk": (CHUNKED, b"0", 1, 408, "body_timeout"),
    "chunk extensions": (CHUNKED + b"1;", b"x", 1, 408, "body_timeout"),
    "trailers": (CHUNKED + b"1\r\nz\r\n0\r\n", b"X: y\r\n", 6, 408, "body_timeout"),
}


def drip(address, first):
    """Every row of DRIPS at the same time, each on a connection of its own that says `first` before.
    What came back after that, by row."""
    crowds = {name: Crowd(address, 1) for name in DRIPS}
    try:
        for crowd in crowds.values():
            if first:
                crowd.say(first)
                client, = crowd.clients
                crowd.listen(5, lambda client=client: client.kept.endswith(b"hello, world!\n"))
                client.kept = b""
        for name, (start, *_) in DRIPS.items():
            crowds[name].say(start)
        deadline = time.monotonic() + 8
        while any(crowd.listening for crowd in crowds.values()) and time.monotonic() < deadline:
            for name, (_, piece, size, *_) in DRIPS.items():
                crowds[name].drip(piece, 0.002, 0.001, size)
            time.sleep(0.03)
        return {name: (crowd.answers(), crowd.ended()) for name, crowd in crowds.items()}
    finally:
        for crowd in crowds.values():
            crowd.leave(reset=True)


@pytest.mark.parametrize("first", [b"", request()], ids=["from the start", "after a request"])
def test_drips_are_not_kept_alive_by_dripping(service, collector, first):
    before = agreed(service, collector)
    seen = drip(service.public, first)
    assert seen == {name: (Counter([status]), 1) for name, (*_, status, _) in DRIPS.items()}
    moved = agreed(service, collector)
    moved.subtract(before)
    wanted = Counter(error for *_, error in DRIPS.values())
    wanted[None] = len(DRIPS) if first else 0
    assert +by_error(moved) == +wanted


def test_idle_connection_is_closed_silently(service):
    before = service.value("glassbox_connections_closed_idle_total", reason="idle_timeout")
    finished = service.value("glassbox_requests_finished_total")
    with Connection(service.public) as connection:
        connection.ask()
        start = time.monotonic()
        assert connection.at_end(3), "not a byte, just the end"
        assert time.monotonic() - start > 0.3
    after = service.value("glassbox_connections_closed_idle_total", reason="idle_timeout")
    assert after > before
    assert service.value("glassbox_requests_finished_total") - finished < 6


def test_connection_that_says_nothing_is_no_request(service):
    """Neither is one that says nothing but empty lines, however long."""
    seen = len(service.log.entries)
    before = service.value("glassbox_connections_unused_total")
    with Connection(service.public) as connection:
        assert connection.at_end(3)
    with Crowd(service.public, 1) as crowd:
        crowd.drip(b"\r\n", 3, 0.03)
        assert crowd.ended() == 1 and crowd.clients[0].got == 0
    Connection(service.public).close()
    assert eventually(lambda: service.value("glassbox_connections_unused_total") >= before + 3)
    assert all(entry["x-route"] == "/metrics" for entry in service.log.entries[seen:])


# ---- slow to read -------------------------------------------------------------------------------

def test_reader_that_takes_nothing(service, witnesses):
    """A pipeline larger than all buffers, and nobody reads: given up in time, counted."""
    with Connection(service.public, receive_buffer=2048) as connection:
        connection.socket.settimeout(0.5)
        try:
            connection.socket.sendall(request("/metrics") * 400)
        except (TimeoutError, ConnectionError):
            pass
        entry = service.log.wait(lambda e: e["x-error"] == "write_timeout", timeout=8)
        assert entry and entry["sc-status"] == "200"
        spans = service.samples("http_server_request_duration_seconds_count")
        assert sum(value for labels, value in spans.items()
                   if ("error_type", "write_timeout") in labels) == 1


def test_pipeline_of_thousands_whose_reader_takes_nothing():
    """Small answers, too, fill what the kernel takes. One request is given up, those answered before
    it are whole, and of those behind it, unread, nobody has heard."""
    with Service("--workers", "1", "--write-timeout", "400ms") as service:
        with Connection(service.public, receive_buffer=2048) as connection:
            connection.socket.setblocking(False)
            sent = 0
            pipeline = request() * 20_000
            for _ in range(200):
                try:
                    sent += connection.socket.send(pipeline[sent:])
                except BlockingIOError:
                    time.sleep(0.005)
                except ConnectionError:
                    break
            assert service.log.wait(lambda entry: entry["x-error"] == "write_timeout")
        books = by_error(agreed(service))
        assert books["write_timeout"] == 1 and set(books) == {None, "write_timeout"}
        assert 0 < books[None] < sent / len(request()), "a reader that takes nothing was served all"


def test_kernel_takes_little_for_a_reader_that_takes_nothing():
    """Thousands of such clients must not have the kernel queue megabytes for each."""
    with Service("--workers", "1", "--write-timeout", "400ms") as service:
        with Connection(service.public, receive_buffer=2048) as connection:
            connection.send(request("/metrics") * 100)
            assert service.log.wait(lambda entry: entry["x-error"] == "write_timeout")
        taken = [int(entry["sc-bytes"]) for entry in service.log.entries]
        assert 0 < sum(taken) < 256 * 1024, taken


def test_what_waits_for_slow_readers_is_bounded_together():
    """Beyond 32 MiB a thread the first of them are given up at once, all others in time; what they
    asked for is known."""
    room_for(400)
    with Collector() as collector, Service("--workers", "1", "--write-timeout", "1s",
                                           env=collector.env()) as service:
        with Crowd(service.public, 400, receive_buffer=1024) as crowd:
            crowd.say(request("/metrics"))
            assert eventually(lambda: service.value("glassbox_connections", listener="public") == 1,
                              timeout=10, pause=0.1)
        books = agreed(service, collector)
    assert set(books) == {("GET", "/metrics", "200", "write_overloaded"),
                          ("GET", "/metrics", "200", "write_timeout")}, books
    assert sum(books.values()) == 400


def test_window_of_zero_ends_with_the_reader():
    """A client whose window is shut, and that opens it in time, has everything."""
    with Service("--write-timeout", "3s", "--workers", "1") as service:
        with Connection(service.public, receive_buffer=2048, timeout=20) as connection:
            connection.send(request("/metrics") * 3)
            time.sleep(0.3)
            bodies = [connection.response().body for _ in range(3)]
            assert all(body.endswith(b"\n") for body in bodies)
        assert set(by_error(agreed(service))) <= {None}


def test_reader_of_a_little_at_a_time_is_served():
    """Slow, but with progress: the write timeout is for none. Progress is what the kernel tells us of:
    half of what it queues, 32 KiB."""
    with Service("--write-timeout", "1s", "--workers", "1") as service:
        with Connection(service.public, receive_buffer=4096, timeout=20) as connection:
            connection.send(request("/metrics") * 4)
            taken = 0
            connection.socket.settimeout(5)
            start = time.monotonic()
            while time.monotonic() - start < 2.5:
                data = connection.socket.recv(4096)
                assert data, "closed on a reader that makes progress"
                taken += len(data)
                connection.buffer += data
                time.sleep(0.02)
            assert taken < 600_000, "it was no slow reader"
            for _ in range(4):
                assert connection.response().status == 200


def test_refusal_that_nobody_reads(service, collector):
    """The 400 is sent, the connection lingers, the client sends on and on and never looks."""
    before = agreed(service, collector)
    with Connection(service.public, receive_buffer=2048) as connection:
        connection.socket.settimeout(0.2)
        deadline = time.monotonic() + 5
        try:
            while time.monotonic() < deadline:
                connection.socket.sendall(b"\x00" * 1000)
                time.sleep(0.02)
        except (ConnectionError, socket.timeout):
            pass
        assert time.monotonic() < deadline, "it lingers for ever"
    moved = agreed(service, collector)
    moved.subtract(before)
    assert +moved == Counter({("_OTHER", None, "400", "bad_request"): 1})
