"""From the listener to a worker: none lost, none refused, each worker its share."""

import os
import resource
import signal
import time
from pathlib import Path

import pytest

from service import Service
from wire import Connection, eventually, request

BURST = 2000


def watched(pid):
    """Descriptors that each event loop of a process watches, most first."""
    counts = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(fd) == "anon_inode:[eventpoll]":
                lines = Path(f"/proc/{pid}/fdinfo/{fd.name}").read_text().splitlines()
                counts.append(sum(line.startswith("tfd:") for line in lines))
        except FileNotFoundError:
            pass  # closed meanwhile: a scrape's
    return sorted(counts, reverse=True)


@pytest.fixture
def descriptors():
    """Room for the burst on our side, and in the kernel's queue."""
    backlog = int(Path("/proc/sys/net/core/somaxconn").read_text())
    if backlog < BURST:
        pytest.skip(f"net.core.somaxconn is {backlog}: the kernel queues no burst of {BURST}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = BURST + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the descriptor limit is {hard}")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_burst(descriptors, workers):
    """All of them are there before the first is accepted: the service stands still meanwhile. With
    one worker it is more than an inbox takes."""
    with Service("--workers", workers, "--access-log-queue", "8MiB", admin=True) as service:
        service.signal(signal.SIGSTOP)
        try:
            held = [Connection(service.public) for _ in range(BURST)]
        finally:
            service.signal(signal.SIGCONT)
        assert eventually(
            lambda: service.value("glassbox_connections", listener="public") == BURST)
        assert service.value("glassbox_connections_accepted_total", listener="public") == BURST
        for name in ("glassbox_connections_refused_total", "glassbox_accept_errors_total"):
            assert service.total(name) == 0, name
        assert eventually(lambda: is_even(watched(service.pid)[:workers], BURST // workers)), \
            f"uneven: {watched(service.pid)}"
        check_service(held)
        line = service.stop()
    assert sum(entry["x-route"] == "/demo/hello" for entry in service.log.entries) == BURST
    assert line["log_dropped"] == 0


def is_even(counts, share):
    """Each loop watches its share, a few descriptors of its own, and at most a hundredth more or
    less: who counts while others take is never quite up to date."""
    return all(share * 0.99 - 1 <= count <= share * 1.01 + 8 for count in counts)


def check_service(held):
    """Each of them gets an answer, in good time, and the connection stays."""
    start = time.monotonic()
    for connection in held:
        connection.send(request())
    for connection in held:
        response = connection.response()
        assert response.status == 200 and not response.closes
    assert time.monotonic() - start < 10
    for connection in held:
        connection.close()


def test_one_after_another_goes_to_whoever_has_fewest():
    """Connections that come and go leave the workers level: the next goes where room was made."""
    with Service("--workers", "2", admin=True) as service:
        held = []
        for _ in range(40):
            connection = Connection(service.public)
            assert connection.ask().status == 200
            held.append(connection)
        own = watched(service.pid)[0] - 20
        assert watched(service.pid)[:2] == [20 + own] * 2
        for connection in held[::2]:
            connection.close()
        assert eventually(
            lambda: service.value("glassbox_connections", listener="public") == 20)
        for _ in range(20):
            connection = Connection(service.public)
            assert connection.ask().status == 200
            held.append(connection)
        assert watched(service.pid)[:2] == [20 + own] * 2
        for connection in held:
            connection.close()
