"""A descriptor limit that is far too low: told, lived with, or a clear reason not to start."""

import json
import os
import subprocess

import pytest

from service import QUIET, Service, binary, environment, parse_samples
from wire import Closed, Connection, ask, eventually

FEW = 40


def few(limit):
    return "prlimit", f"--nofile={limit}:{limit}"


def flood(address, count=40):
    """More connections than there is room for; what becomes of them is not asked."""
    return [Connection(address) for _ in range(count)]


def served(address):
    try:
        return ask(address).status == 200
    except (Closed, OSError):
        return False


def test_few_are_enough_to_serve():
    """The limit is told with what follows from it; a flood is shed and counted, and passes."""
    with Service("--workers", "2", admin=True, wrapper=few(FEW)) as service:
        told, = [m for m in service.messages if m["level"] == "warn"]
        assert told["descriptor_limit"] == FEW
        assert 0 < told["connections_limit"] < FEW
        assert service.value("glassbox_connections_limit") == told["connections_limit"]
        assert service.value("process_max_fds") == FEW
        for _ in range(5):
            assert ask(service.public).status == 200
        held = flood(service.public)
        assert eventually(lambda: sum(map(at_rest, held)) > 0), "somebody was told or cut off"
        for connection in held:
            connection.close()
        assert eventually(lambda: served(service.public))
        assert eventually(lambda: service.value("glassbox_connections", listener="public") == 0)
        assert service.total("glassbox_connections_refused_total") > 0
        assert ask(service.admin, "/readyz").status == 200


def at_rest(connection):
    """Whether a flooding connection got its answer, which is 503, or its end."""
    connection.socket.setblocking(False)
    try:
        data = connection.socket.recv(4096)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    assert not data or data.startswith(b"HTTP/1.1 503 "), data
    return True


def test_flood_with_few_fails_no_probe():
    with Service("--workers", "2", admin=True, wrapper=few(FEW)) as service:
        held = flood(service.public)
        assert eventually(lambda: sum(map(at_rest, held)) > 0)
        try:
            assert [ask(service.admin, path).status
                    for path in ("/livez", "/readyz", "/metrics")] == [200] * 3
        finally:
            for connection in held:
                connection.close()
            assert eventually(lambda: served(service.public))


def without_leak_check():
    """A sanitized program looks for leaks at its end, with descriptors that it would not have here,
    and tells so on stderr."""
    return {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def test_too_few_is_told():
    """From hardly a descriptor to one too few: exit 1, and diagnostics that say what is missing."""
    for limit in range(6, 64):
        process = subprocess.Popen(
            [*few(limit), binary(), "--listen", "127.0.0.1:0", "--workers", "2"],
            env=environment(QUIET, without_leak_check()), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        messages = []
        with process.stderr:
            for line in process.stderr:
                messages.append(json.loads(line))
                if messages[-1]["message"] == "listening":
                    process.terminate()
        if process.wait(20) == 0:
            assert limit > 10
            return
        assert process.returncode == 1
        errors = [m for m in messages if m["level"] == "error"]
        assert errors and "Too many open files" in json.dumps(errors), (limit, messages)
    pytest.fail("it needs more than 64 descriptors to start")


def test_operators_have_a_limit_of_their_own():
    """Who comes beyond it is told so and counted; the public port does not notice."""
    with Service("--workers", "1", env=QUIET, admin=True) as service:
        with Connection(service.admin) as first:
            assert first.ask("/livez").status == 200
            held = [Connection(service.admin) for _ in range(40)]
            assert eventually(lambda: sum(map(at_rest, held)) == 40 + 1 - 32)
            assert first.ask("/readyz").status == 200
            assert ask(service.public).status == 200
            refused = parse_samples(first.ask("/metrics").body.decode(),
                                    "glassbox_connections_refused_total")
            assert refused[frozenset([("listener", "operators"), ("reason", "limit")])] == 9
            for connection in held:
                connection.close()
        assert eventually(lambda: ask(service.admin, "/livez").status == 200)
