"""A client that sees every byte.

An HTTP library repairs, retries and hides; a wire test must not. `Connection` is a TCP socket with
a strict reader of responses: what a careful client would choke on is an AssertionError here.
"""

import re
import socket
import struct
import time
from dataclasses import dataclass, field

HOST = "glassbox.test"
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([ -~]*)\Z")
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\Z")
TRACERESPONSE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])\Z")


class Closed(Exception):
    """The other end closed before a whole response; `partial` is what came."""

    def __init__(self, partial, reset):
        super().__init__(f"closed after {len(partial)} bytes, reset={reset}: {partial[:120]!r}")
        self.partial = partial
        self.reset = reset


@dataclass
class Response:
    status: int
    reason: str
    headers: list = field(default_factory=list)  # (lower-case name, value), in order
    body: bytes = b""
    raw: bytes = b""                             # of this response alone, interim ones apart
    interim: list = field(default_factory=list)  # statuses of the 1xx before it

    def header(self, name):
        """The value of a header that may be there once, or None."""
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def closes(self):
        return (self.header("connection") or "").lower() == "close"

    @property
    def trace(self):
        """(trace id, span id, flags) of `traceresponse`."""
        match = TRACERESPONSE.match(self.header("traceresponse") or "")
        assert match, f"traceresponse: {self.header('traceresponse')!r}"
        return match.group(1), match.group(2), int(match.group(3), 16)


def parse_head(head):
    """Status, reason and headers of the bytes before the empty line, strictly."""
    lines = head.split(b"\r\n")
    match = STATUS_LINE.match(lines[0])
    assert match, f"status line {lines[0][:200]!r}"
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        assert colon and TOKEN.match(name), f"header line {line[:200]!r}"
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value), f"control in {line!r}"
        headers.append((name.decode().lower(), value.strip(b" \t").decode("latin-1")))
    return int(match.group(1)), match.group(2).decode(), headers


def request(target="/demo/hello", method="GET", headers=(), body=b"", version="1.1", host=HOST):
    """The bytes of a request; `headers` are (name, value) pairs, Host comes first unless None."""
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Connection:
    """One TCP connection. Reads what it is told to read and keeps the rest."""

    def __init__(self, address, timeout=10.0, receive_buffer=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def port(self):
        """Our own port: what the server knows as the peer's."""
        return self.socket.getsockname()[1]

    def is_taken(self):
        """Whether the other end, on this machine, has read all that arrived: the kernel's table of
        sockets shows what lies unread. What is reset before that never happened."""
        wanted = f"{self.port:04X}"
        name = "/proc/net/tcp6" if self.socket.family == socket.AF_INET6 else "/proc/net/tcp"
        with open(name, encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        queues = [row[4] for row in rows if row[2].endswith(":" + wanted)
                  and row[1].endswith(f":{self.socket.getpeername()[1]:04X}")]
        return bool(queues) and all(int(queue.split(":")[1], 16) == 0 for queue in queues)

    def send(self, data, slowly=False):
        """Sends all, one byte a segment if `slowly`; what the server no longer takes is no error:
        an early answer is read afterwards."""
        pieces = [data[i:i + 1] for i in range(len(data))] if slowly else [data]
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def _more(self):
        """Receives once; raises Closed at the end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            raise Closed(self.buffer, True) from None
        if not data:
            raise Closed(self.buffer, False)
        self.buffer += data

    def _head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def response(self, method="GET", interim=None):
        """Reads one final response. `interim` is called at each 1xx (send the body then)."""
        seen = []
        while True:
            head = self._head()
            status, reason, headers = parse_head(head)
            if status >= 200:
                break
            seen.append(status)
            assert len(seen) < 4, "interim responses without end"
            if interim:
                interim()
        response = Response(status, reason, headers, interim=seen)
        bodiless = method == "HEAD" or status in (204, 304)
        length = response.header("content-length")
        assert response.header("transfer-encoding") is None
        assert bodiless or length is not None, "a response needs a Content-Length here"
        wanted = 0 if bodiless else int(length)
        while len(self.buffer) < wanted:
            self._more()
        response.body, self.buffer = self.buffer[:wanted], self.buffer[wanted:]
        response.raw = head + b"\r\n\r\n" + response.body
        return response

    def exchange(self, raw, method="GET", slowly=False):
        """Sends these bytes and reads one response."""
        self.send(raw, slowly)
        return self.response(method)

    def ask(self, target="/demo/hello", method="GET", **more):
        """Sends one request and reads its response."""
        self.send(request(target, method, **more))
        return self.response(method)

    def at_end(self, timeout=5.0):
        """Whether the server closes now, without another byte. A reset counts as an end."""
        assert self.buffer == b"", f"unread: {self.buffer[:200]!r}"
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def ask(address, target="/demo/hello", method="GET", **more):
    """One request on a connection of its own."""
    with Connection(address) as connection:
        return connection.ask(target, method, **more)


def eventually(check, timeout=5.0, pause=0.01):
    """Calls `check` until it returns something true, and returns that; its last value otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        value = check()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(pause)
