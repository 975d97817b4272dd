"""Who runs: the floor, glassbox in its settings, nginx, and the sink behind glassbox.

A contender is a running server. Each is started afresh for each round, with its own log file, on
the same port, and ended by SIGTERM to the very process that was started here.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import procfs
from load import pinned

PORT, ADMIN_PORT, SINK_PORT, TLS_PORT = 18480, 18481, 18482, 18483
PATH = "/demo/hello"
START_SECONDS, STOP_SECONDS = 5, 15

# Sized for the rate: the queue holds a quarter of a second of spans at 130,000 a second, a batch a
# sixtieth. Larger ones lose nothing more and leave the caches. That nothing is compressed is the
# exporter's default; it is said here all the same.
EXPORT = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{SINK_PORT}",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    "OTEL_BSP_MAX_QUEUE_SIZE": "32768",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "512",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
}
SETTINGS: dict[str, dict[str, str]] = {
    "everything": EXPORT,
    "10 % sampled": EXPORT
    | {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "tracing off": {"OTEL_TRACES_EXPORTER": "none"},
}
CONTENDERS = ["floor", *SETTINGS, "nginx"]

# What is off in all of the above, switched on: no budget, but a price.
TLS = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"https://127.0.0.1:{TLS_PORT}"}
GZIP = {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
LOGS = {"OTEL_LOGS_EXPORTER": "otlp"} | {
    name.replace("_BSP_", "_BLRP_"): value for name, value in EXPORT.items() if "_BSP_" in name
}
EXTRAS = {
    "everything, gzip": EXPORT | GZIP,
    "everything, TLS": EXPORT | TLS,
    "everything, TLS and gzip": EXPORT | TLS | GZIP,
    "everything and OTLP logs": EXPORT | LOGS,
}
SETTINGS |= EXTRAS


@dataclass(frozen=True)
class Setup:
    """Where the programs are and where they run."""

    glassbox: Path
    floor: Path
    sink: Path
    start: Path
    scratch: Path
    workers: int
    server_cpus: str | None  # as taskset takes them; None: all
    load_cpus: str | None


class ServerError(RuntimeError):
    """A server did not start, answer, or end as it should."""


def get(port: int, path: str, headers: dict[str, str] | None = None) -> bytes:
    """One request on a connection of its own; the body of a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise ServerError(f"{path} answered {response.status}")
    return body


def samples(text: str) -> dict[str, float]:
    """Samples of a text exposition by name with labels, as written there."""
    pairs = (line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#")
    return {name: float(value) for name, _, value in pairs}


def total(metrics: dict[str, float], name: str, *labels: str) -> float:
    """Sum over the series of `name` that carry all of `labels`, each written `key="value"`."""
    return sum(
        value
        for series, value in metrics.items()
        if series.partition("{")[0] == name and all(label in series for label in labels)
    )


def plain_environment() -> dict[str, str]:
    """Ours, without what would configure glassbox."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "GLASSBOX_"))}


@dataclass
class Server:
    """A running program; leave the `with` block and it is gone."""

    name: str
    argv: list[str]
    probe: tuple[int, str]
    cpus: str | None
    scratch: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        self.stderr = self.scratch / f"{self.name.replace(' ', '-')}.stderr"
        with self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                pinned(self.argv, self.cpus),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=plain_environment() | self.env,
            )
        try:
            self.wait_until_it_answers()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        status = self.end()
        # nginx and the floor's own ends are not judged; glassbox promises 0.
        if kind is None and self.name in SETTINGS and status != 0:
            raise ServerError(f"{self.name}: exit {status} at SIGTERM: {self.complaint()}")

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self.process is not None
        return self.process.pid

    def pids(self) -> list[int]:
        """It and its children: all whose CPU counts."""
        return [self.pid, *procfs.children(self.pid)]

    def complaint(self) -> str:
        """The end of what it wrote on stderr."""
        return self.stderr.read_text(errors="replace").strip()[-500:]

    def wait_until_it_answers(self) -> None:
        """Until the first 200."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                get(*self.probe)
                return
            except (OSError, ServerError, http.client.HTTPException):
                time.sleep(0.01)
        raise ServerError(f"{self.name} does not answer: {self.complaint()}")

    def end(self) -> int:
        """SIGTERM; SIGKILL if it stays. Its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOP_SECONDS)


def serve(setup: Setup, name: str) -> Server:
    """The contender `name`, not started yet."""
    log = setup.scratch / "access.log"
    log.unlink(missing_ok=True)
    if name == "floor":
        argv = [str(setup.floor), "--listen", f"127.0.0.1:{PORT}", "--workers", f"{setup.workers}"]
    elif name == "nginx":
        configuration = filled_in(
            setup, "nginx.conf.in", PORT=PORT, LOG=log, WORKERS=setup.workers
        )
        argv = ["nginx", "-e", "stderr", "-c", str(configuration)]
    else:
        argv = [
            str(setup.glassbox), "--listen", f"127.0.0.1:{PORT}",
            "--admin-listen", f"127.0.0.1:{ADMIN_PORT}",
            "--workers", f"{setup.workers}", "--access-log", str(log),
            "--access-log-queue", "4MiB", "--max-connections", "16384",
        ]  # fmt: skip
    env = dict(SETTINGS.get(name, {}))
    if uses_tls(name):
        env["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(certificate(setup)[0])
    return Server(name, argv, (PORT, PATH), setup.server_cpus, setup.scratch, env)


def uses_tls(name: str) -> bool:
    """Whether the contender exports over TLS."""
    return SETTINGS.get(name, {}).get("OTEL_EXPORTER_OTLP_ENDPOINT", "").startswith("https:")


def certificate(setup: Setup) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key; made once."""
    paths = setup.scratch / "sink.pem", setup.scratch / "sink.key"
    if not paths[0].exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", str(paths[1]), "-out", str(paths[0])],
            check=True, capture_output=True, timeout=30,
        )  # fmt: skip
    return paths


def filled_in(setup: Setup, template: str, **values: object) -> Path:
    """The configuration file made of `template` (`nginx.conf.in`)."""
    text = (Path(__file__).parent / template).read_text()
    for name, value in {"DIRECTORY": setup.scratch, **values}.items():
        text = text.replace(f"@{name}@", str(value))
    path = setup.scratch / template.removesuffix(".in")
    path.write_text(text)
    return path


def tls_front(setup: Setup) -> Server:
    """What takes TLS off before the sink: an nginx, whose CPU is nobody's here."""
    pem, key = certificate(setup)
    configuration = filled_in(
        setup, "tls.conf.in", PORT=TLS_PORT, SINK_PORT=SINK_PORT, CERTIFICATE=pem, KEY=key
    )
    argv = ["nginx", "-e", "stderr", "-c", str(configuration)]
    return Server("tls front", argv, (TLS_PORT, "/stats"), setup.load_cpus, setup.scratch)


def sink(setup: Setup) -> Server:
    """The span sink; it runs beside the load generator."""
    argv = [str(setup.sink), "--listen", f"127.0.0.1:{SINK_PORT}"]
    return Server("sink", argv, (SINK_PORT, "/stats"), setup.load_cpus, setup.scratch)


def sink_stats() -> dict[str, int]:
    """What the sink has seen: posts, spans, bytes, bad."""
    return json.loads(get(SINK_PORT, "/stats"))


def metrics_of_glassbox() -> dict[str, float]:
    """Its metrics now."""
    return samples(get(ADMIN_PORT, "/metrics").decode())


def answer_bytes(port: int = PORT) -> int:
    """Bytes of the whole answer to the load's request, status line to body."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        received = b""
        while not received.endswith(b"hello, world!\n"):
            piece = connection.recv(65536)
            if not piece:
                raise ServerError("closed before the answer was complete")
            received += piece
    return len(received)
