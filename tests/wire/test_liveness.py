"""/livez: a loop that does not turn is told, by name, by every loop that does."""

import time

from freeze import frozen, workers
from service import Service
from wire import Connection, eventually, request

LAG = "glassbox_event_loop_lag_seconds"


def is_told(probe, name):
    """Whether /livez, asked on an open connection, says that the loop `name` is stuck."""
    response = probe.ask("/livez")
    if response.status == 200:
        return False
    assert response.status == 503
    assert f"worker {name} " in response.body.decode(), response.body
    return True


def test_loop_that_does_not_turn():
    """A worker asked about by the main thread, the main thread by a worker: each stands still for
    ten seconds (the same ten) while the other answers."""
    with Service("--workers", "2", admin=True) as one, Service("--workers", "2") as other, \
            Connection(one.admin) as of_worker, Connection(other.public) as of_main:
        cases = ((one, of_worker, "1"), (other, of_main, "main"))
        for _, probe, name in cases:
            assert not is_told(probe, name)
        with frozen(workers(one.pid, 2)[1]), frozen(other.pid):
            start = time.monotonic()
            for _, probe, name in cases:
                assert not is_told(probe, name), "not at the first hiccup"
            for _, probe, name in cases:
                assert eventually(lambda: is_told(probe, name), timeout=14, pause=0.1)
                # The heartbeat before the stop is up to a quarter of a second old.
                assert time.monotonic() - start > 9.5
                assert probe.ask("/readyz").status == 200, "alive is one thing, ready another"
        for service, probe, name in cases:
            assert eventually(lambda: not is_told(probe, name)), "it turns again"
            told = service.log.wait(lambda entry: entry["sc-status"] == "503")
            assert (told["x-route"], told["x-error"]) == ("/livez", "503")
            assert eventually(lambda: service.value(LAG + "_sum", worker=name) > 9), \
                "the gap is in the loop-lag histogram, under the same name"


def test_clients_of_a_stuck_worker_wait_and_those_of_others_do_not():
    """Nothing is lost: what a stuck worker has is served as soon as it turns."""
    with Service("--workers", "2", admin=True) as service:
        with Connection(service.public) as one, Connection(service.public) as other:
            pair = {one, other}
            assert [connection.ask().status for connection in pair] == [200, 200]
            with frozen(workers(service.pid, 2)[0]):
                for connection in pair:
                    connection.send(request())
                    connection.socket.settimeout(0.3)
                served = {connection for connection in pair if answers(connection)}
                assert len(served) == 1, "each worker has one of two"
            late, = pair - served
            late.socket.settimeout(5)
            assert late.response().status == 200


def answers(connection):
    try:
        return connection.response().status == 200
    except TimeoutError:
        return False
