"""What `helm test` says: the scripts as they are rendered, run by dash and by busybox against a Prometheus and an API
server of the test's own, which have one link broken each."""

import json
import os
import shutil
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Iterator

import pytest

from rendering import one, rendered

CLOCK = "now=0; date() { echo $now; }; sleep() { now=$((now + $1)); }\n"
SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"]}
METRIC = "/apis/custom.metrics.k8s.io/v1beta1"


class World:
    """What the pods of the tests would find. `counts` are the answers of Prometheus, by a part of the query;
    `answers` those of everything else, by the beginning of the path: (status, body)."""

    def __init__(self) -> None:
        self.counts: dict[str, str | None] = {
            "vector(1)": "1", "count(up{": "3", "== 0)": "0", "duration_seconds_count": "12", "slo:objective": "8"}
        pods = {"items": [{"status": {"podIP": f"10.0.0.{number}"}} for number in range(3)]}
        self.answers: dict[str, tuple[int, Any]] = {
            "/api/v1/targets": (200, {"data": {"activeTargets": [
                {"lastError": "", "health": "up"}, {"lastError": "connection refused", "health": "down"},
                {"lastError": "", "health": "up"}]}}),
            "/api/v1/namespaces": (200, pods), f"{METRIC}/namespaces": (200, metrics(3)), METRIC: (200, {"resources": []}),
            "/": (200, "hello")}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.token: str | None = None

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Of Prometheus, or of somebody else."""
        self.asked.append((path, query))
        if path != "/api/v1/query":
            return next(said for start, said in self.answers.items() if path.startswith(start))
        # The longest that fits: `count(up{…} == 0)` is not `count(up{…})`.
        found = [value for part, value in self.counts.items() if part in query["query"]]
        value = self.counts["== 0)"] if "== 0)" in query["query"] else found[0]
        result = [] if value is None else [{"metric": {"a": "b"}, "value": [1795694374.297, value]}]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


def metrics(count: int) -> dict[str, Any]:
    """The custom metrics API's answer for so many pods."""
    return {"kind": "MetricValueList", "items": [
        {"describedObject": {"kind": "Pod", "name": f"shop-{number}"}, "value": "5"} for number in range(count)]}


@pytest.fixture(name="world")
def a_world() -> Iterator[tuple[World, str]]:
    """One, and where it is."""
    world = World()

    class Handler(BaseHTTPRequestHandler):
        """Answers as the world does."""

        def do_GET(self) -> None:
            world.token = self.headers.get("Authorization") or world.token
            path, _, query = self.path.partition("?")
            status, body = world.answer(path, dict(urllib.parse.parse_qsl(query)))
            data = body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """The test tells."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield world, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(shell: str, name: str, at: str, tokens: Path, **env: str) -> tuple[int, str]:
    """A pod's container: its arguments as the kubelet reads them, its environment; the clock is the test's, so that no
    second is waited for."""
    if not shutil.which(SHELLS[shell][0]):
        pytest.skip(f"no {shell}")
    [container] = one(rendered("production"), "Pod", f"shop-glassbox-test-{name}")["spec"]["containers"]
    assert container["command"] == ["sh", "-eu", "-c"]
    script = container["args"][0].replace("$$", "$")
    told = {each["name"]: each["value"] for each in container["env"]}
    told |= {key: at for key in ("PROMETHEUS_URL", "SERVICE_URL") if key in told} | {"API": at, "TOKENS": str(tokens)}
    done = subprocess.run([*SHELLS[shell], "-eu", "-c", CLOCK + script], env={"PATH": os.environ["PATH"]} | told | env,
                          capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(name="tokens")
def service_account(tmp_path: Path) -> Path:
    """What is mounted for who may ask the API."""
    (tmp_path / "token").write_text("a-token")
    (tmp_path / "ca.crt").write_text("")
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name, lines", [
    ("service", ["/ answers 200", "/demo/hello answers 200"]),
    ("series", ["3 targets of ServiceMonitor front/shop-glassbox", "each of them answers its scrapes",
                "12 series of http_server_request_duration_seconds_count", "8 objectives recorded"]),
    ("custom-metrics", ["the custom metrics API answers", "http_requests_per_second of 3 pods"])])
def test_all_is_well(shell: str, name: str, lines: list[str], world: tuple[World, str], tokens: Path) -> None:
    """Each line says what was found."""
    status, said = run(shell, name, world[1], tokens)
    assert status == 0, said
    assert [line for line in said.splitlines() if not line.startswith("ok: ")] == []
    assert all(any(line.endswith(wanted) for line in said.splitlines()) for wanted in lines), said


def test_only_its_own_is_asked_for(world: tuple[World, str], tokens: Path) -> None:
    """Of this namespace and this release; with the token, which Prometheus does not see."""
    assert run("dash", "series", world[1], tokens)[0] == 0
    asked = [query["query"] for path, query in world[0].asked if path == "/api/v1/query" and "vector(1)" != query["query"]]
    assert asked and all('namespace="front"' in query for query in asked) and world[0].token is None
    assert run("dash", "custom-metrics", world[1], tokens)[0] == 0
    selector = "app.kubernetes.io/name=glassbox,app.kubernetes.io/instance=shop,app.kubernetes.io/component=server"
    listed = [query for path, query in world[0].asked if path.startswith((f"{METRIC}/", "/api/v1/namespaces/"))]
    assert len(listed) == 2 and all(query["labelSelector"] == selector for query in listed)
    assert world[0].token == "Bearer a-token"


# Which test, what is otherwise, what it says, and a line that it says to change.
BREAKS: list[tuple[str, dict[str, Any], str, str]] = [
    ("service", {"/": (503, "drained")}, "/: 503 drained", "no pod is ready"),
    ("series", {"count(up{": None}, "Prometheus has no target of ServiceMonitor front/shop-glassbox",
     "values: monitoring.labels (release=kube-prometheus-stack) must be what the operator selects by"),
    ("series", {"== 0)": "1"}, "1 targets cannot be read: connection refused", "values: networkPolicy.monitoringFrom"),
    ("series", {"duration_seconds_count": None}, "have no series with the label pod", "values: monitoring.serviceMonitor"),
    ("series", {"slo:objective": None}, "has not loaded PrometheusRule front/shop-glassbox", "values: monitoring.labels"),
    ("custom-metrics", {METRIC: (404, "404 page not found")}, "there is no custom metrics API",
     "charts/stack/install --only prometheus-adapter"),
    ("custom-metrics", {METRIC: (503, "service unavailable")}, "has nobody behind it: service unavailable",
     "kubectl get apiservice v1beta1.custom.metrics.k8s.io"),
    ("custom-metrics", {f"{METRIC}/namespaces": (403, "forbidden")}, "this test may not ask: forbidden", "role,rolebinding"),
    ("custom-metrics", {f"{METRIC}/namespaces": (404, "could not find the metric")},
     "though Prometheus has 12 series: no rule of the adapter makes it of them: 404 could not find the metric",
     "charts/stack/values/prometheus-adapter.yaml: rules.custom: name.as must be http_requests_per_second"),
    ("custom-metrics", {f"{METRIC}/namespaces": (200, metrics(0)), "duration_seconds_count": None},
     "as Prometheus has no series", "helm test shop -n front --filter name=shop-glassbox-test-series"),
    ("custom-metrics", {f"{METRIC}/namespaces": (200, metrics(2))}, "is there of 2 of 3 pods",
     "helm test shop -n front --filter name=shop-glassbox-test-series"),
]


@pytest.mark.parametrize("name, changes, what, change", BREAKS, ids=[f"{row[0]}: {row[2]}"[:44] for row in BREAKS])
def test_what_is_broken_is_told(name: str, changes: dict[str, Any], what: str, change: str, world: tuple[World, str],
                                tokens: Path) -> None:
    """And which line to change."""
    for key, value in changes.items():
        (world[0].counts if key in world[0].counts else world[0].answers)[key] = value
    status, said = run("dash", name, world[1], tokens)
    assert status == 1, said
    assert what in next(line for line in said.splitlines() if line.startswith("broken: ")), said
    assert any(change in line for line in said.splitlines() if line.startswith("  change: ")), said


@pytest.mark.parametrize("name, what", [("series", "no Prometheus at http://127.0.0.1:1: 000"),
                                        ("service", "http://127.0.0.1:1/: 000")])
def test_nobody_there_is_told(name: str, what: str, tokens: Path) -> None:
    """And why: a connection that is refused is no status."""
    status, said = run("dash", name, "http://127.0.0.1:1", tokens)
    assert status == 1 and what in said and "Failed to connect" in said, said
