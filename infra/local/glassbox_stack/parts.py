"""The parts of the stack, a row each: what it is, what starts it, and what says that it is ready.

To add one: a row in PARTS, a port in ports.DEFAULT if it listens, a line in README.md.
"""

import json
import socket
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import tools
from .files import ALERTS, HERE, ROOT
from .ports import LOOPBACK

# No password on loopback; nothing is fetched, nothing reported. compose.yaml has the same.
GRAFANA = {
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_LOG_MODE": "console",
}
# /demo/random-error fails one time in ten, and its objective allows 15 %. Half a minute after the start that
# is a matter of luck: one start in seven or so had a ticket. With this seed no stretch of the
# first requests fails more often than it should.
RANDOM_ERROR_SEED = 5125
CONNECTIONS_FOR = 2.5  # seconds of load that the service has connections for


@dataclass(frozen=True)
class Setup:
    """What the rows are made from."""

    folder: Path
    profile: str
    rate: float             # requests a second
    load: bool              # whether there are any
    collector: str | None   # path of the binary; None: none is to be had, or wanted
    grafana: str | None
    ports: dict[str, int]

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


def _service(setup: Setup) -> list[str]:
    return [tools.service(), "--listen", setup.address("service"),
            "--admin-listen", setup.address("operators"), "--page",
            # So few that a latency fault fills them, at any rate of the load.
            "--max-connections", str(max(20, round(setup.rate * CONNECTIONS_FOR))),
            "--random-error-seed", str(RANDOM_ERROR_SEED),
            "--faults", f"{setup.folder}/faults.json",
            "--fault-token-file", f"{setup.folder}/fault-token",
            "--access-log", f"{setup.folder}/log/access.log",
            "--drain-timeout", "1s"]  # the load has ended before


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
            # What fired before Alertmanager was known (the dead man's switch), and what went with
            # the rules of another profile, is put right soon: after four times this it is over.
            "--rules.alert.resend-delay=15s", "--enable-feature=exemplar-storage"]


def _alertmanager(setup: Setup) -> list[str]:
    return ["prometheus-alertmanager", f"--config.file={setup.folder}/alertmanager.yml",
            f"--storage.path={setup.folder}/data/alertmanager",
            f"--web.listen-address={setup.address('alertmanager')}",
            f"--web.external-url={setup.url('alertmanager')}", "--cluster.listen-address="]


def _webhook(setup: Setup) -> list[str]:
    return [sys.executable, "-m", "webhook", "--listen", setup.address("webhook"),
            "--token-file", f"{setup.folder}/webhook-token",
            "--runbooks", f"{ALERTS}/runbooks"]


def _traces(setup: Setup) -> list[str]:
    return [sys.executable, f"{HERE}/traces.py", "--file", f"{setup.folder}/traces.json",
            "--serve", setup.address("traces")]


def _load(setup: Setup) -> list[str]:
    return [sys.executable, f"{HERE}/load.py", "--url", setup.url("service"),
            "--rate", f"{setup.rate:g}", "--report", f"{setup.folder}/load.json"]


def _load_runs(setup: Setup) -> bool:
    report = setup.folder / "load.json"
    return report.exists() and json.loads(report.read_text())["totals"].get("200", 0) > 0


def _grafana(setup: Setup) -> list[str]:
    return [setup.grafana, "--homepath", tools.grafana_home()]


def _grafana_environment(setup: Setup) -> dict[str, str]:
    """All that it needs to know, and that it asks nobody on the network about anything."""
    data = f"{setup.folder}/data/grafana"
    return {"GF_PATHS_DATA": data, "GF_PATHS_LOGS": f"{data}/log", "GF_PATHS_PLUGINS": f"{data}/plugins",
            "GF_PATHS_PROVISIONING": f"{HERE}/grafana/provisioning",
            "GF_SERVER_HTTP_ADDR": LOOPBACK, "GF_SERVER_HTTP_PORT": str(setup.ports["grafana"]),
            "GF_SERVER_ROOT_URL": setup.url("grafana"), **GRAFANA,
            "GLASSBOX_PROMETHEUS": setup.url("prometheus"),
            "GLASSBOX_ALERTMANAGER": setup.url("alertmanager"),
            "GLASSBOX_TRACES": setup.url("traces"), "GLASSBOX_DASHBOARDS": f"{ROOT}/dashboards/json"}


def has_collector(setup: Setup) -> bool:
    """Whether there are traces at all."""
    return setup.collector is not None


# In the order in which they start; they end in the other.
PARTS = (
    Part("collector", lambda setup: [setup.collector, "--config", f"{HERE}/otelcol.yaml"],
         listens("collector"), wanted=has_collector,
         environment=lambda setup: {"OTLP_ENDPOINT": setup.address("collector"),
                                    "OTLP_FILE": f"{setup.folder}/traces.json"}),
    Part("service", _service, answers("operators", "/readyz"), environment=_service_environment),
    Part("webhook", _webhook, answers("webhook", "/healthz"),
         environment=lambda _: {"PYTHONPATH": f"{ALERTS}", "PYTHONUNBUFFERED": "1"}),
    Part("traces", _traces, answers("traces", "/healthz"), wanted=has_collector),
    Part("alertmanager", _alertmanager, answers("alertmanager", "/-/ready")),
    Part("prometheus", _prometheus, answers("prometheus", "/-/ready")),
    Part("grafana", _grafana, answers("grafana", "/api/health"), environment=_grafana_environment,
         wanted=lambda setup: setup.grafana is not None),
    Part("load", _load, _load_runs, wanted=lambda setup: setup.load),
)
