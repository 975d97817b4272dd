"""A bad night, for the runbooks' queries and commands to find what they look for: the real service under
load and faults, a second one that loses telemetry, a target that is gone, and a Prometheus and an
Alertmanager, as Debian ships them, that watch all of it with the shipped rules.

    load ──> sick ──> Collector of the tests        faults by the API, a plan's file that is refused,
                                                    a crowd that was turned away
    load ──> lossy ──> one that never answers       queues of thirty, a log that nobody reads
             gone                                   a port without a listener
             cluster                                what a cluster's exporters would say

`Stage` is up within a `with`; `variables` is what a person at the keyboard has set.
"""

import contextlib
import itertools
import json
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator

import faults
from alertmanager import Alertmanager
from collector import Collector
from prometheus import Prometheus, free_port
from service import PUBLIC, ROOT, Service
from wire import ask, eventually

RULES = ROOT / "alerts/prometheus/real"
LIMIT = 16        # connections of the sick one
PAUSE = 0.02      # seconds between the requests of a client
PATHS = ("/demo/hello", "/", "/demo/random-error", "/demo/work?cpu_ms=1", "/demo/hello?delay=2")
PLAN = faults.plan(
    {"route": "/demo/hello", "error": {"ratio": 0.3, "status": 503}},
    {"route": "/demo/work", "latency": {"p50": "5ms", "p90": "20ms", "p99": "600ms"}},
    {"route": "/", "cpu": {"per_request": "1ms"}},
    {"route": "/demo/random-error", "reset": {"ratio": 0.1}},
    {"not_ready": True, "memory": {"bytes": "1MiB"}, "background_cpu": {"cpus": 0.01}}, name="night")
LOSSY = {"OTEL_BSP_MAX_QUEUE_SIZE": "30", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4",
         "OTEL_BLRP_MAX_QUEUE_SIZE": "30", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "4",
         "OTEL_BSP_EXPORT_TIMEOUT": "1000", "OTEL_BLRP_EXPORT_TIMEOUT": "1000",
         "OTEL_LOGS_EXPORTER": "otlp"}

# What a cluster's exporters say, by their documented names; counters grow with each second.
CLUSTER = {
    'container_memory_working_set_bytes{%s}': 95e6,
    'container_cpu_usage_seconds_total{%s}': lambda second: second * 0.4,
    'container_cpu_cfs_periods_total{%s}': lambda second: second * 10,
    'container_cpu_cfs_throttled_periods_total{%s}': lambda second: second * 4,
    'kube_pod_container_resource_limits{%s,resource="memory",unit="byte"}': 100e6,
    'kube_pod_container_resource_limits{%s,resource="cpu",unit="core"}': 0.5,
    'kube_pod_container_status_last_terminated_reason{%s,reason="OOMKilled"}': 1,
    'kube_horizontalpodautoscaler_status_current_replicas{%s}': 10,
    'kube_horizontalpodautoscaler_spec_max_replicas{%s}': 10,
    'kube_horizontalpodautoscaler_spec_min_replicas{%s}': 3,
    'kube_horizontalpodautoscaler_status_condition{%s,condition="ScalingActive",status="false"}': 1,
    'http_server_request_duration_seconds_count{%s,http_route="/"}': lambda second: second * 100,
}
POD = 'namespace="glassbox",pod="glassbox-0",container="glassbox"'
HPA = 'namespace="glassbox",horizontalpodautoscaler="glassbox"'

# Tells nobody.
ALERTMANAGER = {"route": {"receiver": "nobody", "group_wait": "0s"}, "receivers": [{"name": "nobody"}]}


class Cluster(BaseHTTPRequestHandler):
    """An exporter of CLUSTER."""

    def do_GET(self) -> None:
        lines = []
        for series, value in CLUSTER.items():
            labels = HPA if series.startswith("kube_horizontal") else POD
            lines.append(f"{series % labels} {value(time.monotonic()) if callable(value) else value}")
        body = "\n".join(lines + [""]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def exporter() -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer((PUBLIC, 0), Cluster)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{PUBLIC}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def endpoint(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


class Load:
    """Clients that go on asking, whatever comes back."""

    def __init__(self, *addresses: tuple[str, int]):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(address, first), daemon=True)
                        for address in addresses for first in range(2)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(20)

    def _ask(self, address: tuple[str, int], first: int) -> None:
        with faults.Client(address) as client:
            for path in itertools.cycle(PATHS[first:] + PATHS[:first]):
                if self.over.wait(PAUSE):
                    return
                try:
                    client.outcome(path)
                except (AssertionError, OSError):  # turned away in the middle: that is how a night is
                    client.drop()


class Stage:
    """`folder` takes all that is written."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.plan_file = folder / "plan.json"
        self.access_log = folder / "access.log"
        self.stack = contextlib.ExitStack()
        self.prometheus: Prometheus
        self.sick: Service
        self.lossy: Service
        self.alertmanager: Alertmanager

    def __enter__(self) -> "Stage":
        with self.stack:
            self._services()
            self._watchers()
            self.stack.enter_context(Load(self.sick.public, self.lossy.public))
            self._trouble()
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stack.__exit__(*failure)

    def _services(self) -> None:
        collector = self.stack.enter_context(Collector())
        faults.write(self.plan_file, faults.plan())
        self.sick = self.stack.enter_context(Service(
            "--max-connections", LIMIT, "--faults", self.plan_file, "--flush-timeout", "1s",
            "--fault-token-file", faults.token_file(self.folder), admin=True, fields=None,
            log=self.access_log, env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}))
        stuck = self.stack.enter_context(Collector("hang"))
        nobody = self.folder / "nobody-reads"
        os.mkfifo(nobody)
        self.lossy = self.stack.enter_context(Service(
            "--workers", 2, "--access-log-queue", "16KiB", "--flush-timeout", "100ms", admin=True,
            fields=None, log=nobody, env={**LOSSY, "OTEL_EXPORTER_OTLP_ENDPOINT": stuck.endpoint}))

    def _watchers(self) -> None:
        """Prometheus's own port is known once it has begun: by a file that it looks for. It finds its
        Alertmanager some seconds later; what fired before it tells again each second."""
        rules = sorted(RULES.glob("*.yaml"))
        assert rules, f"no rules in {RULES}"
        beside = self.folder / "alertmanager"
        beside.mkdir()
        self.alertmanager = self.stack.enter_context(Alertmanager(beside, ALERTMANAGER))
        alertmanager = f"{PUBLIC}:{self.alertmanager.port}"
        cluster = self.stack.enter_context(exporter())
        targets = [endpoint(self.sick.operators), endpoint(self.lossy.operators),
                   f"{PUBLIC}:{free_port()}"]
        itself = self.folder / "itself.json"
        jobs = {"glassbox": {"static_configs": [{"targets": targets}]},
                "cluster": {"static_configs": [{"targets": [cluster]}], "honor_labels": True},
                "alertmanager": {"static_configs": [{"targets": [alertmanager]}]},
                "prometheus": {"static_configs": [], "file_sd_configs": [
                    {"files": [str(itself)], "refresh_interval": "1s"}]}}
        self.prometheus = self.stack.enter_context(Prometheus(
            self.folder, self.sick.operators, "exemplar-storage", jobs=jobs,
            flags=["--rules.alert.resend-delay=1s"], more={
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                           "evaluation_interval": "2s"},
                "rule_files": [str(path) for path in rules],
                "alerting": {"alertmanagers": [
                    {"static_configs": [{"targets": [alertmanager]}]}]}}))
        itself.write_text(json.dumps([{"targets": [f"{PUBLIC}:{self.prometheus.port}"]}]))

    def _trouble(self) -> None:
        """Once it has been seen well: faults, a crowd, a plan that is none."""
        assert self.prometheus.wait('count(up{job="glassbox"} == 1)', 2), \
            self.prometheus.log.read_text()
        armed = ask(self.sick.operators, "/faults", "PUT", body=json.dumps(PLAN).encode(), headers=[
            ("Authorization", f"Bearer {faults.TOKEN}"), ("Content-Type", "application/json")])
        assert armed.status == 200, armed.body
        faults.write(self.plan_file, '{"faults": [{"eror": {"ratio": 0.1}}]}')
        with contextlib.ExitStack() as crowd:
            for _ in range(2 * LIMIT):
                crowd.enter_context(socket.create_connection(self.sick.public, timeout=5))
            assert eventually(
                lambda: self.sick.total("glassbox_connections_refused_total") >= LIMIT - 2)
        assert eventually(lambda: self.sick.value("glassbox_fault_plan_last_load_successful") == 0)

    # ---- what a person has ----------------------------------------------------------------------

    def variables(self) -> dict[str, str]:
        """The environment of a runbook's commands; what the services said so far is in a file, as
        the journal has it."""
        said = self.folder / "stderr"
        said.write_text("".join(json.dumps(message) + "\n" for service in (self.sick, self.lossy)
                                for message in list(service.messages)))
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.folder), "TERM": "dumb",
                "SERVICE": f"http://{endpoint(self.sick.public)}",
                "OPERATORS": f"http://{endpoint(self.sick.operators)}",
                "PROMETHEUS": f"http://{PUBLIC}:{self.prometheus.port}",
                "ALERTMANAGER": self.alertmanager.url,
                "TOKEN_FILE": str(self.folder / "token"), "PLAN_FILE": str(self.plan_file),
                "ACCESS_LOG": str(self.access_log), "DIAGNOSTICS": str(said),
                "GLASSBOX_PID": str(self.sick.pid)}

