"""Descriptors that run out, that somebody else has, or that are closed by somebody who shares the
table: probes answer, what cannot be had is said and counted, and nothing is lost that was not counted.
"""

import os
import socket

import pytest

from service import QUIET, Service
from wire import Connection, ask, eventually

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
