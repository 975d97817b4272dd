"""The parts of the stack, a row each: what it is, what starts it, and what says that it is ready.

To add one: a row in PARTS, a port in ports.DEFAULT if it listens, a line in README.md.
"""

import json
import os
import shutil
import socket
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from files import ALERTS, HERE, ROOT
from ports import LOOPBACK

CONNECTIONS_FOR = 2.5  # seconds of load that the service has connections for


@dataclass(frozen=True)
class Setup:
    """What the rows are made from."""

    folder: Path
    profile: str
    rate: float
    ports: dict[str, int]
    collector: str | None   # path of the binary; None: none is to be had, or wanted
    grafana: str | None
    tools: dict[str, str] = field(default_factory=dict)

    def address(self, name: str) -> str:
        return f"{LOOPBACK}:{self.ports[name]}"

    def url(self, name: str) -> str:
        return f"http://{self.address(name)}"


@dataclass(frozen=True)
class Part:
    """`ready` is asked until it is true; errors of the network mean not yet."""

    name: str
    command: Callable[[Setup], list[str]]
    ready: Callable[[Setup], bool]
    environment: Callable[[Setup], dict[str, str]] = lambda _: {}
    wanted: Callable[[Setup], bool] = lambda _: True


def answers(name: str, path: str) -> Callable[[Setup], bool]:
    """Whether a GET is answered with 200."""
    def ask(setup: Setup) -> bool:
        with urllib.request.urlopen(setup.url(name) + path, timeout=2) as response:
            return response.status == 200
    return ask


def listens(name: str) -> Callable[[Setup], bool]:
    """Whether connections are taken."""
    def connect(setup: Setup) -> bool:
        socket.create_connection((LOOPBACK, setup.ports[name]), timeout=2).close()
        return True
    return connect


def service_binary() -> str:
    """$GLASSBOX_BIN, else where the release build is left."""
    return os.environ.get("GLASSBOX_BIN") or str(ROOT / "build/release/glassbox")


def _service(setup: Setup) -> list[str]:
    return [service_binary(), "--listen", setup.address("service"),
            "--admin-listen", setup.address("operators"), "--page",
            # So few that a latency fault fills them, at any rate of the load.
            "--max-connections", str(max(20, round(setup.rate * CONNECTIONS_FOR))),
            "--faults", f"{setup.folder}/faults.json",
            "--fault-token-file", f"{setup.folder}/fault-token",
            "--access-log", f"{setup.folder}/log/access.log"]


def _service_environment(setup: Setup) -> dict[str, str]:
    if setup.collector is None:
        return {"OTEL_TRACES_EXPORTER": "none"}
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": setup.url("collector"),
            "OTEL_BSP_SCHEDULE_DELAY": "1000"}  # who looks a trace up does not want to wait


def _prometheus(setup: Setup) -> list[str]:
    return ["prometheus", f"--config.file={setup.folder}/prometheus.yml",
            f"--storage.tsdb.path={setup.folder}/data/prometheus",
            f"--web.listen-address={setup.address('prometheus')}",
            f"--web.external-url={setup.url('prometheus')}", "--web.enable-lifecycle",
            "--web.enable-remote-write-receiver",  # for load tests
            "--enable-feature=exemplar-storage"]


def _alertmanager(setup: Setup) -> list[str]:
    return ["prometheus-alertmanager", f"--config.file={setup.folder}/alertmanager.yml",
            f"--storage.path={setup.folder}/data/alertmanager",
            f"--web.listen-address={setup.address('alertmanager')}",
            f"--web.external-url={setup.url('alertmanager')}", "--cluster.listen-address="]


def _webhook(setup: Setup) -> list[str]:
    return [sys.executable, "-m", "webhook", "--listen", setup.address("webhook"),
            "--token-file", f"{setup.folder}/webhook-token",
            "--runbooks", f"{ALERTS}/runbooks"]


def _load(setup: Setup) -> list[str]:
    return [sys.executable, f"{HERE}/load.py", "--url", setup.url("service"),
            "--rate", f"{setup.rate:g}", "--report", f"{setup.folder}/load.json"]


def _load_runs(setup: Setup) -> bool:
    report = setup.folder / "load.json"
    return report.exists() and json.loads(report.read_text())["totals"].get("200", 0) > 0


# In the order in which they start; they end in the other.
PARTS = (
    Part("collector", lambda setup: [setup.collector, "--config", f"{HERE}/otelcol.yaml"],
         listens("collector"), wanted=lambda setup: setup.collector is not None,
         environment=lambda setup: {"OTLP_ENDPOINT": setup.address("collector"),
                                    "OTLP_FILE": f"{setup.folder}/traces.json"}),
    Part("service", _service, answers("operators", "/readyz"), environment=_service_environment),
    Part("webhook", _webhook, answers("webhook", "/healthz"),
         environment=lambda _: {"PYTHONPATH": f"{ALERTS}", "PYTHONUNBUFFERED": "1"}),
    Part("alertmanager", _alertmanager, answers("alertmanager", "/-/ready")),
    Part("prometheus", _prometheus, answers("prometheus", "/-/ready")),
    Part("load", _load, _load_runs, wanted=lambda setup: setup.rate > 0),
)


def find_grafana() -> str | None:
    """Debian's and Grafana's own packages agree on the name."""
    return shutil.which("grafana-server") or shutil.which("grafana-server", path="/usr/sbin:/sbin")
