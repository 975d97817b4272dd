"""Thousands of clients in one thread: who says little, who reads little, who leaves at once.

A `Crowd` is a number of TCP connections to one address that act together: all say the same bytes,
or drip them, all listen, or none does, all leave in the same way. What came back is kept per client
and counted: answers by status, ends, resets. One epoll, no thread, nothing blocks.
"""

import os
import re
import resource
import select
import socket
import struct
import time
from collections import Counter

import pytest

IP_BIND_ADDRESS_NO_PORT = 24
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, and leave no TIME_WAIT behind
KEPT = 1 << 16                   # bytes of answers that a client keeps
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def room_for(descriptors):
    """Raises this process's limit, and with it what its children may have; skips the test where the
    machine does not allow as many."""
    wanted = descriptors + 400
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and hard != resource.RLIM_INFINITY:
        if hard < wanted and os.geteuid() == 0:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            except (ValueError, OSError):
                pass
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < wanted:
            pytest.skip(f"needs {wanted} descriptors, the hard limit is {hard}")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Client:
    """One of the crowd."""

    __slots__ = ("socket", "got", "kept", "ended", "reset", "said")

    def __init__(self, connected):
        self.socket = connected
        self.got = 0        # bytes
        self.kept = b""     # the first KEPT of them
        self.ended = False  # the other side has closed
        self.reset = False  # with a reset
        self.said = 0       # bytes

    def statuses(self):
        return [int(status) for status in STATUS.findall(self.kept)]


class Crowd:
    """`source`: the address they come from (ports of one pair of addresses are finite, and those of
    a former crowd may be in TIME_WAIT). A context manager: what is still open is reset."""

    def __init__(self, address, count, source="127.0.0.1", receive_buffer=None):
        self.address = address
        self.source = source
        self.receive_buffer = receive_buffer
        self.refused = 0  # connects
        self.clients = []
        self.listening = {}
        self.epoll = select.epoll()
        self.join(count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave(reset=True)
        self.epoll.close()

    def __len__(self):
        return len(self.clients)

    def join(self, count):
        """More of them. A connect on loopback is done when it returns, or waits for room in the
        listener's queue."""
        for _ in range(count):
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            if self.receive_buffer:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            one.bind((self.source, 0))
            one.settimeout(20)
            try:
                one.connect(self.address)
            except OSError:
                self.refused += 1
                one.close()
                continue
            one.setblocking(False)
            client = Client(one)
            self.clients.append(client)
            self.listening[one.fileno()] = client
            self.epoll.register(one, select.EPOLLIN)

    # ---- saying ---------------------------------------------------------------------------------

    def say(self, data):
        """All say `data`; how many of them could not say all of it."""
        return sum(not self.tell(client, data) for client in self.clients)

    def tell(self, client, data):
        """One says `data`; whether all of it."""
        try:
            sent = client.socket.send(data)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            sent = 0
        client.said += sent
        return sent == len(data)

    def drip(self, data, seconds, pause, size=1):
        """`data`, `size` bytes at a time, to each that is still there; listens in the pauses. Stops
        when all have ended, or when the time is over."""
        deadline = time.monotonic() + seconds
        at = 0
        while time.monotonic() < deadline and self.listening:
            piece = data[at % len(data):][:size]
            at += len(piece)
            for client in list(self.listening.values()):
                self.tell(client, piece)
            self.listen(pause)

    def half_close(self):
        for client in self.clients:
            try:
                client.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # reset by the other side

    # ---- listening ------------------------------------------------------------------------------

    def listen(self, seconds, until=None, each=65536):
        """Takes what comes, at most `each` bytes a client at a time, for some seconds or until
        `until()` holds. Returns whether it does (without `until`: whether all have ended)."""
        done = until or (lambda: not self.listening)
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            for fd, _ in self.epoll.poll(0.01 if self.listening else 0, 1024):
                self._take(self.listening[fd], each)
            if not self.listening:
                break
        return done()

    def _take(self, client, each):
        try:
            data = client.socket.recv(each)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data, client.reset = b"", True
        if data:
            client.got += len(data)
            client.kept += data[:max(0, KEPT - len(client.kept))]
            return
        client.ended = True
        self.epoll.unregister(client.socket)
        del self.listening[client.socket.fileno()]

    def sip(self):
        """Each takes a byte, if there is one."""
        for client in list(self.listening.values()):
            self._take(client, 1)

    def answers(self):
        """{status: how many came}, of what the clients kept."""
        return Counter(status for client in self.clients for status in client.statuses())

    def ended(self):
        return sum(client.ended for client in self.clients)

    # ---- leaving --------------------------------------------------------------------------------

    def leave(self, reset=False):
        """All close; with a reset, if so wished, which throws away what they have not read."""
        for client in self.clients:
            if reset:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.socket.close()
        self.clients = []
        self.listening = {}
