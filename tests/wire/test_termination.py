"""SIGTERM under load: nothing that arrived is lost, and the exit line's terms add up."""

import asyncio
import signal
import threading
import time

import pytest

from collector import Collector
from load import GOOD, Tally, keep_asking, run_mixed
from service import Service
from wire import Connection, ask, eventually, request

pytestmark = pytest.mark.timeout(90)


def refuses(address):
    """Whether nothing listens there any more."""
    try:
        Connection(address).close()
    except ConnectionError:
        return True
    return False


def load_until_refused(service, targets, connections, seconds, after_term):
    """Keeps asking on `connections` connections; SIGTERM after `seconds`; runs until every client
    has been refused. Returns the tally."""
    tally = Tally()

    async def main():
        stop = asyncio.Event()
        clients = [asyncio.create_task(keep_asking(service.public, tally, targets, stop))
                   for _ in range(connections)]
        await asyncio.sleep(seconds)
        service.signal(signal.SIGTERM)
        _, late = await asyncio.wait(clients, timeout=after_term)
        stop.set()
        for task in late:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        for task in clients:
            if not task.cancelled() and task.exception():
                raise task.exception()
        assert not late, "clients were still served long after SIGTERM"
    asyncio.run(main())
    return tally


@pytest.mark.parametrize("arguments", [(), ("--drain-delay", "500ms")], ids=["at once", "delayed"])
@pytest.mark.parametrize("workers", [1, 2])
def test_no_request_fails(arguments, workers):
    with Collector() as collector:
        env = collector.env(OTEL_BSP_MAX_QUEUE_SIZE="200000")
        with Service("--workers", workers, *arguments, "--flush-timeout", "20s",
                     env=env) as service:
            tally = load_until_refused(service, GOOD * 50, 24, 1.0, 15)
            line = service.stop()
    assert tally.failed == []
    assert tally.refused == 24
    assert tally.whole > 100, "there was a load"
    assert line["finished"] == tally.whole, "the service's count is the clients'"
    assert len(service.log.entries) == tally.whole
    assert line["spans_acknowledged"] == line["spans_ended"] == collector.acknowledged


def test_short_connections():
    """A connection a request: what the kernel has queued when the listener closes is served."""
    with Service("--workers", "2", fields=None) as service:
        tally = load_until_refused(service, GOOD[:1], 24, 1.0, 15)
        line = service.stop()
    assert tally.failed == []
    assert line["finished"] == tally.whole > 200


def test_mixed_load():
    """With rude clients among them nobody outside can say what should have been answered; the
    service's own books balance to the last request."""
    with Collector() as collector:
        with Service("--workers", "2", env=collector.env(OTEL_BSP_MAX_QUEUE_SIZE="60000"),
                     fields=None) as service:
            timer = threading.Timer(1.0, service.signal)
            timer.start()
            tally = run_mixed(service.public, total=10 ** 9)
            timer.join()
            line = service.stop()
        assert line["spans_acknowledged"] == collector.acknowledged
    assert tally.whole <= line["finished"] <= tally.sent
    assert line["log_written"] == len(service.log.entries) == line["finished"]


def test_requests_in_flight_are_finished_and_told_to_close():
    with Service("--workers", "1") as service:
        with Connection(service.public) as slow, Connection(service.public) as idle:
            idle.ask()
            slow.send(request("/demo/hello?delay=3000"))
            assert eventually(lambda: service.total("http_server_active_requests") == 2)
            service.signal(signal.SIGTERM)
            assert idle.at_end(), "an idle connection is closed"
            response = slow.response()
            assert (response.status, response.body) == (200, b"hello, world!\n")
            assert response.closes and slow.at_end()
        service.stop()


def test_request_half_sent_is_served():
    raw = request()
    with Service() as service:
        with Connection(service.public) as connection:
            connection.ask()
            connection.send(raw[:20])
            time.sleep(0.1)  # the half has arrived; there is nothing to ask it by
            service.signal(signal.SIGTERM)
            assert eventually(lambda: refuses(service.public))
            connection.send(raw[20:])
            assert connection.response().status == 200
        service.stop()


def test_pipeline_across_the_end():
    """All that had arrived is answered in order; the last answer says close."""
    with Service("--workers", "1") as service:
        with Connection(service.public) as connection:
            connection.send(request("/demo/hello?delay=3000") + request("/version") + request("/"))
            assert eventually(lambda: service.total("http_server_active_requests") >= 2)
            service.signal(signal.SIGTERM)
            first = connection.response()
            assert first.status == 200
            answered = 1
            while not first.closes:
                first = connection.response()
                answered += 1
            assert connection.at_end()
        line = service.stop()
    assert line["finished"] >= answered


def test_what_does_not_end_in_time_is_cut_and_counted(collector):
    with Service("--drain-timeout", "300ms", env=collector.env()) as service:
        with Connection(service.public) as connection:
            connection.send(request("/demo/hello?delay=20000"))
            assert eventually(lambda: service.total("http_server_active_requests") == 2)
            service.signal(signal.SIGTERM)
            assert connection.at_end(timeout=5)
        service.stop()
    entry = next(e for e in service.log.entries if e["cs-uri-query"] == "delay=20000")
    assert entry["x-error"] == "shutdown"
    assert entry["sc-status"] is None
    span = collector.wait(entry["x-trace-id"], entry["x-span-id"])
    assert len(span) == 1


def test_operators_are_answered_until_the_flush():
    with Service("--drain-timeout", "10s", admin=True) as service:
        assert ask(service.admin, "/readyz").status == 200
        with Connection(service.public) as connection:
            connection.send(request("/demo/hello?delay=4000"))
            assert eventually(lambda: service.total("http_server_active_requests") == 2)
            service.signal(signal.SIGTERM)
            assert eventually(lambda: ask(service.admin, "/readyz").status == 503)
            assert ask(service.admin, "/livez").status == 200
            assert service.scrape().status == 200
            assert service.value("glassbox_ready") == 0
            assert connection.response().status == 200
        service.stop()


def three(connection):
    """Which of three requests, sent at once, is answered as the last."""
    connection.send(request() * 3)
    responses = [connection.response() for _ in range(3)]
    assert {response.status for response in responses} == {200}
    return [response.closes for response in responses]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_delay_tells_clients_to_go(workers):
    """Who is told on an answer that it was the connection's last sends nothing into its end: else a
    request that is under way when an idle connection is closed gets none. So the delay, in which
    others are taken elsewhere, empties the kept connections, too."""
    service = Service("--workers", workers, "--drain-delay", "60s")
    try:
        with Connection(service.public) as kept, Connection(service.public) as piped:
            assert not kept.ask().closes and not piped.ask().closes
            service.signal()
            assert eventually(lambda: ask(service.public, "/readyz").status == 503)
            # Each worker hears of it by itself, a moment after the state has changed.
            assert eventually(lambda: kept.ask().closes) and kept.at_end()
            assert eventually(lambda: three(piped) == [False, False, True]) and piped.at_end()
        with Connection(service.public) as late:
            response = late.ask()
            assert response.status == 200, "new ones are still served"
            assert response.closes
        assert service.value("glassbox_connections_closed_idle_total", reason="drain") == 0
    finally:
        service.kill()


@pytest.mark.parametrize("path", ["/metrics", "/livez"])
def test_workers_that_look_at_each_other_end_together(path):
    """Scrapes and probes read every worker's counts: none may be gone while another still serves."""
    with Service("--workers", "4", "--drain-timeout", "100ms", "--access-log", "none",
                 fields=None) as service:
        over = threading.Event()

        def flood():
            with Connection(service.public) as connection:
                connection.socket.settimeout(0.2)
                while not over.is_set():
                    try:
                        connection.socket.sendall(request(path) * 50)
                        while connection.socket.recv(1 << 20):
                            pass
                    except TimeoutError:
                        continue
                    except OSError:
                        return
        clients = [threading.Thread(target=flood) for _ in range(8)]
        for client in clients:
            client.start()
        assert eventually(lambda: ask(service.public).status == 200)
        time.sleep(0.5)  # for the flood to be under way on every worker
        line = service.stop()
        over.set()
        for client in clients:
            client.join(5)
    assert line["finished"] > 8
