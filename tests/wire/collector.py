"""A collector of our own: receives OTLP/HTTP, decodes with the official generated code, and can
misbehave in every way a real one has been seen to.

A mode is how it answers (`Collector(mode)`, may be changed while it runs). Records count as
acknowledged only when the answer said so; that is the figure the service's own must equal. What comes
to `/v1/logs` is kept apart from spans; answers to both look alike (their fields have the same
numbers).
"""

import contextlib
import gzip
import socket
import ssl
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest, ExportTraceServiceResponse)

PROTOBUF = "application/x-protobuf"
MODES = ("ok", "slow", "throttled", "unavailable", "refusing", "garbage", "not_otlp", "partial",
         "warning", "cut", "hang")

Received = namedtuple("Received", "path headers message")
Seen = namedtuple("Seen", "span resource scope")
SeenLog = namedtuple("SeenLog", "record resource scope")
Handshake = namedtuple("Handshake", "name version protocol client")  # SNI, TLS, ALPN, CN


def records_of(message):
    """Spans or log records of a request, with their resource and scope."""
    if isinstance(message, ExportLogsServiceRequest):
        return [SeenLog(record, resource.resource, scope.scope)
                for resource in message.resource_logs
                for scope in resource.scope_logs for record in scope.log_records]
    return [Seen(span, resource.resource, scope.scope) for resource in message.resource_spans
            for scope in resource.scope_spans for span in scope.spans]


def common_name(certificate):
    """CN of what getpeercert() gives; None without one."""
    return next((value for part in (certificate or {}).get("subject", ())
                 for key, value in part if key == "commonName"), None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        collector = self.server.collector
        collector.connections += 1
        if collector.tls:
            collector.name = None
            self.request = collector.tls.wrap_socket(self.request, server_side=True,
                                                     do_handshake_on_connect=False)
            try:
                self.request.do_handshake()
            except OSError as error:
                collector.refused.append(str(error))
                drain(self.request)
                raise
            collector.handshakes.append(Handshake(
                collector.name, self.request.version(), self.request.selected_alpn_protocol(),
                common_name(self.request.getpeercert())))
        super().setup()

    def do_POST(self):
        collector = self.server.collector
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            received = collector.receive(self.path, self.headers, raw)
        except Exception as error:  # noqa: BLE001: whatever it is, the test must see it
            collector.faults.append(error)
            self.answer(400)
            return
        getattr(self, "mode_" + collector.next_mode())(received)
        collector.answers += 1
        self.close_connection |= 0 < collector.hangs_up_after <= collector.answers

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def mode_ok(self, received):
        self.server.collector.acknowledge(received)
        self.answer(200, ExportTraceServiceResponse().SerializeToString())

    def mode_slow(self, received):
        """Holds the answer back for 30 s, or until the test is over."""
        self.server.collector.stopping.wait(30)
        self.close_connection = True

    def mode_throttled(self, _):
        self.answer(429, headers=[("Retry-After", self.server.collector.retry_after)])

    def mode_unavailable(self, _):
        self.answer(503)

    def mode_refusing(self, _):
        self.answer(400)

    def mode_garbage(self, _):
        self.wfile.write(b"\x00\xffthis is not HTTP\r\n\r\n" * 8)
        self.close_connection = True

    def mode_not_otlp(self, _):
        self.answer(200, b"\xff" * 64)

    def mode_partial(self, received):
        """Takes all but one span of each request."""
        response = ExportTraceServiceResponse()
        response.partial_success.rejected_spans = 1
        response.partial_success.error_message = "one of them was not to our liking"
        self.server.collector.acknowledge(received, rejected=1)
        self.answer(200, response.SerializeToString())

    def mode_warning(self, received):
        """Takes all and has something to say nevertheless."""
        response = ExportTraceServiceResponse()
        response.partial_success.error_message = "please send less"
        self.server.collector.acknowledge(received)
        self.answer(200, response.SerializeToString())

    def mode_cut(self, _):
        self.send_response(200)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"\x0a" * 10)
        self.wfile.flush()
        self.close_connection = True

    def mode_hang(self, _):
        """Never answers, never closes."""
        self.server.collector.stopping.wait()
        self.close_connection = True

    def log_message(self, *_):
        pass


def drain(connection):
    """Reads what still comes, so that the close is no reset, which could overtake our last words."""
    with contextlib.suppress(OSError):
        connection.settimeout(1)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # a service that was killed; what matters is asserted elsewhere


class Server6(Server):
    address_family = socket.AF_INET6


class Collector:
    """Listens on an ephemeral loopback port until stopped. `tls` is an ssl.SSLContext of its own; what
    it changes later counts for connections from then on. `first` are modes for the first requests."""

    def __init__(self, mode="ok", retry_after="1", tls=None, host="127.0.0.1", port=0, first=()):
        assert mode in MODES
        self.tls = tls
        self.first = list(first)
        self.hangs_up_after = 0  # from that many answers on, after each; 0: never
        self.answers = 0
        self.name = None        # SNI of the connection being made
        self.handshakes = []    # Handshake, in order
        self.refused = []       # why others failed, as our side sees it
        self.mode = mode
        self.retry_after = retry_after
        self.requests = []      # Received with spans, in order
        self.logs_requests = []  # the same with log records
        self.acknowledged = 0   # spans
        self.logs_acknowledged = 0
        self.rejected = 0
        self.faults = []        # of the sender: what could not be accepted as OTLP
        self.changed = threading.Condition()
        self.stopping = threading.Event()
        self.connections = 0
        self.host = f"[{host}]" if ":" in host else host
        self.server = (Server6 if ":" in host else Server)((host, port), Handler)
        self.server.collector = self
        if tls:
            tls.sni_callback = self._called
        self.scheme = "https" if tls else "http"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            assert self.faults == []

    def next_mode(self):
        return self.first.pop(0) if self.first else self.mode

    def _called(self, _, name, __):
        self.name = name

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def endpoint(self):
        return f"{self.scheme}://{self.host}:{self.port}"

    def env(self, **more):
        """The environment of a service that exports here, with short delays."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50",
                "OTEL_BLRP_SCHEDULE_DELAY": "50", **more}

    def receive(self, path, headers, raw):
        """Checks and keeps one request; the sender's faults are exceptions."""
        assert headers["Content-Type"] == PROTOBUF, headers["Content-Type"]
        assert headers["Transfer-Encoding"] is None
        if headers["Content-Encoding"] == "gzip":
            raw = gzip.decompress(raw)
        else:
            assert headers["Content-Encoding"] is None
        logs = path.endswith("/v1/logs")
        message = (ExportLogsServiceRequest if logs else ExportTraceServiceRequest).FromString(raw)
        assert records_of(message), "an empty envelope"
        received = Received(path, headers, message)
        with self.changed:
            (self.logs_requests if logs else self.requests).append(received)
            self.changed.notify_all()
        return received

    def acknowledge(self, received, rejected=0):
        count = len(records_of(received.message))
        with self.changed:
            if isinstance(received.message, ExportLogsServiceRequest):
                self.logs_acknowledged += count - rejected
            else:
                self.acknowledged += count - rejected
                self.rejected += rejected

    def spans(self):
        """Every span that came, with its resource and scope; retries come again."""
        with self.changed:
            requests = list(self.requests)
        return [seen for received in requests for seen in records_of(received.message)]

    def logs(self):
        """Every log record that came, likewise."""
        with self.changed:
            requests = list(self.logs_requests)
        return [seen for received in requests for seen in records_of(received.message)]

    def wait_logs(self, span_id, timeout=5.0):
        """The log records that carry this span id, once there are any (or the time is over)."""
        def found():
            return [seen for seen in self.logs() if seen.record.span_id.hex() == span_id]
        with self.changed:
            self.changed.wait_for(found, timeout)
        return found()

    def find(self, trace_id=None, span_id=None, kind=None):
        """Spans by hex ids and kind."""
        return [seen for seen in self.spans()
                if trace_id in (None, seen.span.trace_id.hex())
                and span_id in (None, seen.span.span_id.hex())
                and kind in (None, seen.span.kind)]

    def wait(self, trace_id=None, span_id=None, kind=None, count=1, timeout=5.0):
        """The spans with these ids once there are `count` of them (or the time is over)."""
        with self.changed:
            self.changed.wait_for(
                lambda: len(self.find(trace_id, span_id, kind)) >= count, timeout)
        return self.find(trace_id, span_id, kind)

    def wait_requests(self, count, timeout=5.0):
        with self.changed:
            self.changed.wait_for(lambda: len(self.requests) >= count, timeout)
            return len(self.requests)


def attributes(holder):
    """{key: Python value} of anything with OTLP attributes."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value"))
            for item in holder.attributes}


def dead_endpoint():
    """A URL on which nothing listens: bound once, so that nobody else has it, and closed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def server_tls(certificate, key, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
