"""HTTP for the webhook: one Alertmanager, a few readers, and whoever else finds the port.

A thread a connection, of which there is a limit; each request has a deadline for its head and body
together and a limit for its size, so a slow or huge one costs little and ends by itself. What
posts needs the token; what reads does not: bind to loopback.

Statuses are chosen for what Alertmanager makes of them: it tries 5xx again, and gives up at 4xx.
"""

import hmac
import io
import json
import re
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .heartbeat import Heartbeat
from .page import render
from .payload import Bad, Notification, parse
from .printer import Printer
from .store import Busy, Store

CONNECTIONS_MAX = 64
BODY_MAX = 2 << 20
RUNBOOK_MAX = 1 << 20
REQUEST_SECONDS = 10.0    # for head and body, from the first byte
IDLE_SECONDS = 90.0       # between requests; the heartbeat comes each minute
WAIT_MAX = 30.0           # of a long poll
RUNBOOK = re.compile(r"/runbooks/([A-Za-z0-9][A-Za-z0-9_-]{0,99}\.md)\Z")
INDEX = """glassbox's webhook
GET  /notifications?after=SEQ[&wait=SECONDS]   what Alertmanager has told
GET  /heartbeat                                whether the dead man's switch beats
GET  /runbooks/NAME.md                         a runbook
GET  /healthz                                  how this process fares
POST /alerts, /heartbeat                       for Alertmanager, with the token
"""


class Refused(Exception):
    """A request that gets an error; `close` when what follows on the connection cannot be told."""

    def __init__(self, status: HTTPStatus, reason: str, close: bool = False):
        super().__init__(reason)
        self.status, self.reason, self.close = status, reason, close


class Receiver:
    """What the requests work on: the parts put together."""

    def __init__(self, token_file: Path, timeout: float, runbooks: Path | None,
                 pages: Printer, notes: Printer, colours: bool = False):
        self.token_file, self.runbooks = token_file, runbooks
        self.pages, self.notes, self.colours = pages, notes, colours
        self.store = Store()
        self.heartbeat = Heartbeat(timeout, self.take)

    def take(self, notification: Notification) -> int:
        """Remembers it, then prints it."""
        seq = self.store.add(notification)
        self.pages.put(render(notification, colours=self.colours))
        return seq

    def token(self) -> bytes:
        """The token as the file has it now; it may be changed under us. Raises OSError, ValueError."""
        token = self.token_file.read_bytes()[:4096].strip()
        if not token:
            raise ValueError(f"{self.token_file} is empty")
        return token


class Deadline(socket.SocketIO):
    """A socket's reading side with one deadline for all reads until the next `extend`."""

    def __init__(self, connection: socket.socket):
        super().__init__(connection, "rb")
        self._connection = connection
        self.extend(IDLE_SECONDS)

    def extend(self, seconds: float) -> None:
        """Counts anew; a read that waited too long is not the end of the next."""
        self._until = time.monotonic() + seconds

    def readinto(self, buffer) -> int | None:
        self._connection.settimeout(max(0.001, self._until - time.monotonic()))
        return super().readinto(buffer)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of what cannot be read: an answer has a head
    timeout = REQUEST_SECONDS
    disable_nagle_algorithm = True
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.deadline = Deadline(self.connection)
        self.rfile.close()
        self.rfile = io.BufferedReader(self.deadline)

    def handle_one_request(self) -> None:
        self.deadline.extend(IDLE_SECONDS)
        self.close_connection = True
        try:
            if not self.rfile.peek(1):
                return
            self.deadline.extend(REQUEST_SECONDS)
            super().handle_one_request()
        except OSError:
            self.close_connection = True  # too slow, or gone: nobody to tell

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, act) -> None:
        try:
            status, kind, body = act()
        except Refused as refusal:
            self.close_connection |= refusal.close
            status, kind, body = refusal.status, "application/json", _error(refusal.reason)
        self._send(status, kind, body)

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.connection.settimeout(REQUEST_SECONDS)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses: the same form, and the end of the connection."""
        self.close_connection = True
        self._send(code, "application/json", _error(ascii(message or HTTPStatus(code).phrase)[1:-1][:200]))

    # ---- what is read ---------------------------------------------------------------------------

    def _get(self) -> tuple[HTTPStatus, str, bytes]:
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            raise Refused(HTTPStatus.BAD_REQUEST, "a GET has no body here", close=True)
        parts = urlsplit(self.path)
        receiver = self.server.receiver
        if parts.path == "/notifications":
            return self._notifications(parse_qs(parts.query))
        if parts.path == "/heartbeat":
            return _json(receiver.heartbeat.state())
        if parts.path == "/healthz":
            return _json({"status": "ok", "last": receiver.store.last,
                          "forgotten": receiver.store.forgotten,
                          "unprinted": receiver.pages.unprinted})
        if match := RUNBOOK.match(parts.path):
            return self._runbook(match.group(1))
        if parts.path == "/":
            return HTTPStatus.OK, "text/plain; charset=utf-8", INDEX.encode()
        raise self._nowhere(parts.path)

    def _notifications(self, query: dict[str, list[str]]) -> tuple[HTTPStatus, str, bytes]:
        after = _number(query, "after", int, 2 ** 62)
        wait = _number(query, "wait", float, WAIT_MAX)
        try:
            body = self.server.receiver.store.after(int(after), wait)
        except Busy:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many wait already") from None
        return HTTPStatus.OK, "application/json", body

    def _runbook(self, name: str) -> tuple[HTTPStatus, str, bytes]:
        folder = self.server.receiver.runbooks
        try:
            if folder is None:
                raise FileNotFoundError
            with open(folder / name, "rb") as file:
                text = file.read(RUNBOOK_MAX)
        except OSError:
            raise Refused(HTTPStatus.NOT_FOUND, f"no runbook {name}") from None
        return HTTPStatus.OK, "text/plain; charset=utf-8", text

    # ---- what is told ---------------------------------------------------------------------------

    def _post(self) -> tuple[HTTPStatus, str, bytes]:
        length = self._length()
        path = urlsplit(self.path).path
        try:
            self._authorize()
            if path not in ("/alerts", "/heartbeat"):
                raise self._nowhere(path)
        except Refused:
            self._body(length, keep=False)  # or the answer might be lost, and the next request, too
            raise
        body = self._body(length)
        try:
            with self.server.parsing:
                notification = parse(body)
        except Bad as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        if path == "/heartbeat":
            self.server.receiver.heartbeat.beat(notification)
            return _json(self.server.receiver.heartbeat.state())
        return _json({"seq": self.server.receiver.take(notification)})

    def _length(self) -> int:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,12}", length):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "needs a Content-Length", close=True)
        if int(length) > BODY_MAX:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                          f"{length} bytes: the limit is {BODY_MAX}", close=True)
        return int(length)

    def _body(self, length: int, keep: bool = True) -> bytes:
        """All of the body; empty, and never in memory as a whole, if it is not to be kept."""
        parts = []
        while length > 0:
            part = self.rfile.read1(min(length, 1 << 16))
            if not part:
                raise ConnectionError("the body ended early")
            length -= len(part)
            if keep:
                parts.append(part)
        return b"".join(parts)

    def _authorize(self) -> None:
        try:
            token = self.server.receiver.token()
        except (OSError, ValueError):
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the token cannot be read") from None
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        given = given.strip().encode("latin-1", "replace")
        if kind.lower() != "bearer" or not hmac.compare_digest(given, token):
            raise Refused(HTTPStatus.UNAUTHORIZED, "needs the bearer token")

    def _nowhere(self, path: str) -> Refused:
        known = path in ("/", "/notifications", "/healthz", "/alerts", "/heartbeat")
        if known or RUNBOOK.match(path):
            return Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"no {self.command} here")
        return Refused(HTTPStatus.NOT_FOUND, "nothing here")

    def version_string(self) -> str:
        """The Server header: no more than need be known."""
        return "glassbox-webhook"

    def log_message(self, *_) -> None:
        """Pages are what is printed; requests are not."""


def _json(value: object) -> tuple[HTTPStatus, str, bytes]:
    return HTTPStatus.OK, "application/json", json.dumps(value).encode() + b"\n"


def _error(reason: str) -> bytes:
    return json.dumps({"error": reason}).encode() + b"\n"


def _number(query: dict[str, list[str]], name: str, kind: type, limit: float) -> float:
    text = query.get(name, ["0"])[-1]
    try:
        value = kind(text)
        if value >= 0:  # which nan is not
            return min(value, limit)
    except ValueError:
        pass
    raise Refused(HTTPStatus.BAD_REQUEST, f"{name} is no number from 0 up")


class Server(ThreadingHTTPServer):
    """Listens; a connection above the limit is told so and closed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], receiver: Receiver):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.receiver = receiver
        self.parsing = threading.Lock()  # a document in memory is many times its bytes: one at a time
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, Handler)

    def process_request(self, request, client_address) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        request.settimeout(0.1)
        try:
            request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                            b"Connection: close\r\n\r\n")
        except OSError:
            pass
        self.shutdown_request(request)

    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request, client_address) -> None:
        """A request that broke ends its connection, not the process; it is told on stderr."""
        error = sys.exc_info()[1]
        self.receiver.notes.put(f"webhook: a request failed: {ascii(error)[:300]}\n")
