"""Descriptors that run out, that somebody else has, or that are closed by somebody who shares the
table: probes answer, what cannot be had is said and counted, and nothing is lost that was not counted.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time

import pytest

import accesslog
from collector import Collector
from control import Control
from service import QUIET, Service, losses, parse_samples
from wire import Closed, Connection, ask, eventually

pytestmark = pytest.mark.timeout(120)


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def flood(address, count):
    """Connections that send nothing."""
    held = []
    for _ in range(count):
        connection = socket.socket()
        connection.settimeout(5)
        connection.connect(address)
        held.append(connection)
    return held


# ---- a table that others have filled ------------------------------------------------------------

@pytest.mark.parametrize("inherited", [0, 30, 100])
@pytest.mark.parametrize("workers", [1, 4])
def test_what_was_inherited_is_not_shared_out(inherited, workers):
    """A parent that left its descriptors open: the public port gets what is really there, so that the
    operators have their part however many come."""
    limit = 120 + inherited
    others = [os.open("/dev/null", os.O_RDONLY) for _ in range(inherited)]
    try:
        with Service("--workers", workers, env=QUIET, admin=True, pass_fds=others,
                     wrapper=("prlimit", f"--nofile={limit}:{limit}")) as service:
            assert open_descriptors(service.pid) > inherited
            crowd = flood(service.public, limit)
            assert eventually(lambda: service.total("glassbox_connections_refused_total") > 0)
            # One that a worker is just taking is counted by nobody: some may come beyond the limit.
            shared = service.value("glassbox_connections_limit")
            assert eventually(lambda: shared <= service.value(
                "glassbox_connections", listener="public") <= shared + workers)
            operators = [Connection(service.admin) for _ in range(8)]
            for connection in operators:
                assert connection.ask("/livez").status == 200
            assert service.total("glassbox_accept_errors_total") == 0
            assert open_descriptors(service.pid) < limit
            for connection in crowd + operators:
                connection.close()
            assert eventually(
                lambda: service.value("glassbox_connections", listener="public") == 0)
            assert ask(service.public).status == 200
    finally:
        for fd in others:
            os.close(fd)


# ---- nothing more to be had ---------------------------------------------------------------------

def test_a_log_that_cannot_be_reopened_stays_the_old_one(control, tmp_path):
    path, old = tmp_path / "log", tmp_path / "log.old"
    with Service("--workers", "1", log=path, env=control.env(QUIET)) as service:
        ask(service.public)
        path.rename(old)
        control.orders.descriptors.from_now_on()
        service.signal(signal.SIGHUP)
        told = service.wait_message(lambda m: "cannot reopen" in m["message"])
        assert "Too many open files" in told["message"] and "the old file stays" in told["message"]
        with Connection(service.public) as connection:
            connection.ask()
        control.orders.descriptors.order()
        assert eventually(lambda: len(accesslog.load(old).entries) == 2)
        service.signal(signal.SIGHUP)
        assert eventually(path.exists)
        ask(service.public)
        line = service.stop()
    assert line["log_written"] == 3
    assert len(accesslog.load(old).entries) == 2 and len(accesslog.load(path).entries) == 1


@pytest.mark.parametrize("kind", ["descriptors", "memory"])
def test_an_exporter_without_a_socket_says_so_and_recovers(control, kind):
    with Collector() as collector:
        env = control.env(collector.env(OTEL_BSP_EXPORT_TIMEOUT="300"))
        with Service("--workers", "1", env=env, admin=True) as service, \
                Connection(service.public) as connection:
            connection.ask("/livez")
            collector.wait_requests(1)
            collector.mode = "cut"  # it needs a new connection after that
            connection.ask()
            collector.wait_requests(2)
            getattr(control.orders, kind).from_now_on()
            collector.mode = "ok"
            connection.ask()
            lost = service.wait_message(lambda m: "being lost" in m["message"], timeout=10)
            assert lost["level"] == "warn"
            getattr(control.orders, kind).order()
            assert eventually(lambda: connection.ask().status == 200 and
                              len(collector.find()) > 3, timeout=10, pause=0.1)
            line = service.stop()
        assert losses(line, "spans_failed").keys() <= {"connection", "too_large", "timeout"}
        assert line["spans_failed"] > 0
        assert line["spans_acknowledged"] == collector.acknowledged


@pytest.mark.parametrize("every", [1, 2])
def test_connections_that_cannot_be_accepted_wait_or_are_counted(control, every):
    with Service("--workers", "1", env=control.env(QUIET), admin=True) as service, \
            Connection(service.admin) as probing:
        assert probing.ask("/livez").status == 200
        control.orders.accepts.order(every=every)
        before = service.cpu_seconds()
        crowd = flood(service.public, 20)
        time.sleep(0.5)
        assert service.cpu_seconds() - before < 0.3, "spinning"
        control.orders.accepts.order()
        assert probing.ask("/livez").status == 200
        body = probing.ask("/metrics").body.decode()
        errors = parse_samples(body, "glassbox_accept_errors_total")
        assert errors[frozenset([("reason", "descriptors")])] > 0
        for connection in crowd:
            connection.close()
        assert eventually(lambda: ask(service.public).status == 200)


# ---- closed by somebody else --------------------------------------------------------------------

CHUNKS = 4
BRIEF = ("--workers", "1", "--flush-timeout", "300ms", "--drain-timeout", "300ms")
# What hangs without it: libevent learns of signals by a pipe, the exporter of its end by an eventfd.
SIGNAL_PIPE, STOP_EVENT = "killed", 128 + signal.SIGTERM


def start(control, collector, path):
    service = Service(*BRIEF, env=control.env(collector.env()), admin=True, log=path)
    ask(service.public)
    collector.wait_requests(1)
    return service


def links(pid):
    result = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile
            result[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return result


def try_to(act):
    try:
        return act()
    except (Closed, OSError, AssertionError):
        return None


def end(service):
    """Its exit status: of one SIGTERM, of two, or what it took."""
    for _ in range(2):
        service.signal()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return service.wait(3)
    service.kill()
    return SIGNAL_PIPE


def close_under(control, collector, path, fd):
    """Closes one descriptor of a living service, and looks what becomes of it."""
    service = start(control, collector, path)
    what = links(service.pid).get(fd)
    control.orders.close_fd = fd + 1
    for address in (service.public, service.admin, service.public, service.admin):
        try_to(lambda a=address: brief_ask(a))
    status = end(service)
    line = service.reconciliation
    assert status in (0, 1, STOP_EVENT, SIGNAL_PIPE), (fd, what, status, service.messages[-3:])
    assert line is None or line["balanced"], (fd, what, line)
    if status == 1:
        assert any(m["message"] == "the event loop ended by itself" for m in service.messages)
    return what, status


def brief_ask(address):
    with Connection(address, timeout=0.3) as connection:
        return connection.ask()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_each_descriptor_closed_from_outside(tmp_path, chunk):
    """It lives on or ends, and its books balance; it never crashes. Of all of them only what a signal
    comes by, and what tells the exporter to end, keep it from ending in order."""
    statuses = {}
    with Collector() as collector:
        with Control() as control:
            service = start(control, collector, tmp_path / "log")
            fds = sorted(links(service.pid))[chunk::CHUNKS]
            service.stop()
        for fd in fds:
            with Control() as control:
                statuses[fd] = close_under(control, collector, tmp_path / "log", fd)
    late = [what for what, status in statuses.values() if status == STOP_EVENT]
    killed = [what for what, status in statuses.values() if status == SIGNAL_PIPE]
    assert len(late) <= 1 and all("eventfd" in what for what in late), statuses
    assert len(killed) <= 2 and all("pipe" in what for what in killed), statuses
    assert sum(status in (0, 1) for _, status in statuses.values()) >= len(fds) - 3
