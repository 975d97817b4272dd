"""A real OpenTelemetry Collector as a process that can be throttled, paused, stopped and killed.

Each start writes into a folder of its own (`otelcol.yaml` says how), so that what a killed one left
half written stays apart. `written` reads them all back.
"""

import json
import random
import signal
import socket
import ssl
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from wire import eventually

HERE = Path(__file__).resolve().parent
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Signal:
    """What OTLP calls the parts of one signal, and what the service calls it."""

    name: str                      # for people
    file: str                      # see otelcol.yaml
    parts: tuple[str, str, str]    # resources, their scopes, their records
    metric: str                    # as in otel_sdk_exporter_<metric>_exported_total
    terms: str                     # prefix of the exit line's terms
    sent: str                      # the term of all that there were


SPANS = Signal("spans", "spans.jsonl", ("resourceSpans", "scopeSpans", "spans"), "span",
               "spans_", "spans_ended")
LOGS = Signal("log records", "logs.jsonl", ("resourceLogs", "scopeLogs", "logRecords"), "log",
              "otlp_logs_", "otlp_logs_emitted")
SIGNALS = (SPANS, LOGS)


def steady_port() -> int:
    """A port that stays free while nobody listens on it: below those that the kernel gives to
    clients, or one of a test's many connections might sit on it when its owner comes back."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = random.randrange(10_000, first)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class Otelcol:
    """Runs from the start of a `with` to its end. `certificates` is a folder for mutual TLS, `only`
    the one Content-Encoding that is taken."""

    def __init__(self, binary: str, folder: Path, certificates: Path | None = None,
                 only: str | None = None):
        self.binary = binary
        self.folder = folder
        self.certificates = certificates
        self.only = only
        self.port = steady_port()
        self.starts = 0
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Otelcol":
        self.start()
        return self

    def __exit__(self, kind, *_) -> None:
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        if kind is None:
            self.stop()
        else:
            self.kill()

    # ---- for the service ------------------------------------------------------------------------

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a service that exports here."""
        scheme = "https" if self.certificates else "http"
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{scheme}://{LOOPBACK}:{self.port}"}
        if self.certificates:
            env["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(self.certificates / "ca.pem")
            env["OTEL_EXPORTER_OTLP_CLIENT_KEY"] = str(self.certificates / "client.key")
            env["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = str(self.certificates / "client.pem")
        if self.only:
            env["OTEL_EXPORTER_OTLP_COMPRESSION"] = self.only
        return {**env, **more}

    # ---- its life -------------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """Where the present start writes."""
        return self.folder / str(self.starts)

    def start(self) -> None:
        """Returns when it takes connections."""
        self.starts += 1
        self.home.mkdir()
        command = [self.binary, "--config", str(HERE / "otelcol.yaml")]
        if self.certificates:
            command += ["--config", str(HERE / "otelcol-tls.yaml")]
        if self.only:
            command += ["--set", f"receivers.otlp.protocols.http.compression_algorithms=[{self.only}]"]
        with open(self.home / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                env={"OTLP_ENDPOINT": f"{LOOPBACK}:{self.port}", "OTLP_FOLDER": str(self.home),
                     "OTLP_CERTIFICATES": str(self.certificates)})
        assert eventually(lambda: self._dead() or self._listens(), timeout=30, pause=0.02)
        assert not self._dead(), (self.home / "stderr").read_text()[-2000:]

    def _dead(self) -> bool:
        return self.process.poll() is not None

    def _listens(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """In order: what has arrived is written and answered."""
        self.process.terminate()
        assert self.process.wait(20) == 0, (self.home / "stderr").read_text()[-2000:]

    def kill(self) -> None:
        """Without a chance to finish anything."""
        self.process.kill()
        self.process.wait(20)

    def kill_before_it_answers(self) -> None:
        """The same, when it has written a request of each signal and not answered it."""
        (self.home / "hold").touch()
        sizes = [self._size(signal) for signal in SIGNALS]
        assert eventually(lambda: all(self._size(signal) > size
                                      for signal, size in zip(SIGNALS, sizes)), timeout=60)
        self.kill()

    def pause(self) -> None:
        """Stands still; the kernel goes on taking connections and bytes for it."""
        self.process.send_signal(signal.SIGSTOP)
        state = Path(f"/proc/{self.process.pid}/stat")
        assert eventually(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")

    def resume(self) -> None:
        """After pause()."""
        self.process.send_signal(signal.SIGCONT)

    def quiesce(self) -> None:
        """Returns when it has written nothing for a while."""
        before = None
        while before != (now := [self._size(signal) for signal in SIGNALS]):
            before = now
            time.sleep(0.5)

    def _size(self, of: Signal) -> int:
        """Bytes that the present start has written."""
        path = self.home / of.file
        return path.stat().st_size if path.exists() else 0

    def throttle(self, on: bool) -> None:
        """Answers 429 with a Retry-After of a second from now on, or no longer."""
        if on:
            (self.home / "refuse").touch()
        else:
            (self.home / "refuse").unlink()

    def answer(self) -> tuple[int, str | None]:
        """Status and Retry-After with which it meets a span of ours at the moment."""
        message = ExportTraceServiceRequest()
        message.resource_spans.add().scope_spans.add().spans.add(
            trace_id=b"\1" * 16, span_id=b"\1" * 8, name="ours", start_time_unix_nano=1,
            end_time_unix_nano=2)
        if self.certificates:
            tls = ssl.create_default_context(cafile=self.certificates / "ca.pem")
            tls.load_cert_chain(self.certificates / "client.pem", self.certificates / "client.key")
            connection = HTTPSConnection(LOOPBACK, self.port, timeout=30, context=tls)
        else:
            connection = HTTPConnection(LOOPBACK, self.port, timeout=30)
        with closing(connection):
            connection.request("POST", "/v1/traces", message.SerializeToString(),
                               {"Content-Type": "application/x-protobuf"})
            response = connection.getresponse()
            return response.status, response.headers["Retry-After"]

    # ---- what it wrote --------------------------------------------------------------------------

    def requests(self, of: Signal) -> list[dict]:
        """Every request that it wrote, in order. Only the last line of a start that was killed may
        be cut off: that one is as if it had not come."""
        result = []
        for number in range(1, self.starts + 1):
            path = self.folder / str(number) / of.file
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            for line in lines:
                try:
                    result.append(json.loads(line))
                except ValueError:
                    assert line is lines[-1] and not line.endswith(b"\n"), f"{path}: {line[-80:]!r}"
        return result

    def written(self, of: Signal) -> list[dict]:
        """Every record that it wrote, as often as it wrote it."""
        resources, scopes, records = of.parts
        return [record for request in self.requests(of) for resource in request[resources]
                for scope in resource[scopes] for record in scope[records]]
