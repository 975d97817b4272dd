"""Which port each part listens on, and whether it can have it.

All are on 127.0.0.1. Who holds one that is taken is found in /proc, so that the message names more
than a number.
"""

import os
import random
import socket
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"

# What people expect them on. The names are those of --port.
DEFAULT: dict[str, int] = {
    "service": 8080,
    "operators": 8081,
    "collector": 4318,
    "webhook": 9099,
    "alertmanager": 9093,
    "prometheus": 9090,
    "grafana": 3000,
    "traces": 16686,
}

FREE = "free"  # in place of a table: any that are


class Taken(Exception):
    """Says which, by whom, and what to do."""


def _can_be_had(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that end do not count
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free() -> dict[str, int]:
    """A port for each name. They lie below those that the kernel gives to clients, which might sit
    on one before its owner does."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found: set[int] = set()
    for _ in range(1000):
        port = random.randrange(10_000, first)
        if _can_be_had(port):
            found.add(port)
        if len(found) == len(DEFAULT):
            return dict(zip(DEFAULT, sorted(found)))
    raise Taken("no free ports")


def _listener(port: int) -> str:
    """`name (pid 12)` of who listens there, as far as we may see."""
    ends = (f":{port:04X}", "0A")  # local address, state LISTEN
    inodes = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[1].endswith(ends[0]) and fields[3] == ends[1]:
                inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) in inodes for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return "another program"


def check(ports: Mapping[str, int]) -> None:
    """Raises Taken with a line for each that cannot be had."""
    for name, port in ports.items():
        if also := [other for other in ports if ports[other] == port and other != name]:
            raise Taken(f"port {port} is given to {name} and {also[0]}: give another one with --port {name}=PORT")
    lines = [f"port {port}, for {name}, is taken by {_listener(port)}: end that, or give another "
             f"one with --port {name}=PORT" for name, port in ports.items() if not _can_be_had(port)]
    if lines:
        raise Taken("\n".join([*lines, "--free-ports takes free ones for all."]))
