"""Who calls the service from within the cluster: a pod with curl, in a namespace of its own.

`call` sends a number of requests and says what came of each; `Traffic` is a little of every route until it is switched
off, for what needs something to look at; `LoadTest` is k6 that writes its results to Prometheus, for the dashboard of
load tests.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from cluster import ROOT, Cluster
from wire import eventually

NAMESPACE = "e2e"
# A node of ours has what infra/cluster made; elsewhere it is the image of the Helm tests, which has curl as well.
K6 = "2.2.0"
IMAGES = {"curl": ("localhost/tools:1", "E2E_TOOLS_IMAGE", "docker.io/curlimages/curl:8.11.1"),
          "k6": (f"localhost/grafana/k6:{K6}", "E2E_K6_IMAGE", f"docker.io/grafana/k6:{K6}")}
RESPONSE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[0-3]")
ROUTES = list(yaml.safe_load((ROOT / "alerts/slo.yaml").read_text())["routes"])


def image(name: str, is_node: bool) -> str:
    """That is to be had where the tests run."""
    ours, variable, public = IMAGES[name]
    return ours if is_node else os.environ.get(variable) or public


def pod(name: str, container: dict[str, Any], volumes: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A pod, restricted like all others."""
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {
            "automountServiceAccountToken": False, "enableServiceLinks": False, "terminationGracePeriodSeconds": 1,
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532,
                                "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": volumes or [],
            "containers": [{
                "name": "main", **container,
                "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                    "capabilities": {"drop": ["ALL"]}}}]}}


def shell(is_node: bool, script: str) -> dict[str, Any]:
    """A container that runs a script, and has curl."""
    return {"image": image("curl", is_node), "command": ["sh", "-c", f"trap 'exit 0' TERM; {script}"]}


@dataclass(frozen=True)
class Answer:
    """What curl says of one request."""

    status: int
    trace_id: str


class Client:
    """A pod that waits to be told what to ask."""

    def __init__(self, cluster: Cluster, name: str = "client") -> None:
        self.cluster, self.name = cluster, name
        self.cluster.apply(pod(name, shell(cluster.is_node, "while :; do sleep 3600 & wait $!; done")))
        self.cluster.kubectl("--namespace", NAMESPACE, "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=90s")

    def curl(self, *words: str, check: bool = True) -> str:
        """curl in the pod."""
        return self.cluster.run("kubectl", "--namespace", NAMESPACE, "exec", self.name, "--", "curl", "-sS",
                                "--max-time", "20", *words, check=check).stdout

    def call(self, url: str, count: int, agent: str) -> list[Answer]:
        """That many requests, one after the other, each on a connection of its own: each may reach another pod."""
        said = self.curl("--output", "/dev/null", "--user-agent", agent, "--header", "Connection: close",
                         "--write-out", '{"status": %{http_code}, "trace": "%header{traceresponse}"}\n',
                         f"{url}?number=[1-{count}]")
        made = []
        for line in said.splitlines():
            told = json.loads(line)
            found = RESPONSE.fullmatch(told["trace"])
            made.append(Answer(told["status"], found[1] if found else ""))
        return made


class Pod:
    """One that is on or off."""

    def __init__(self, cluster: Cluster, *objects: dict[str, Any]) -> None:
        self.cluster, self.objects, self.is_on = cluster, objects, False

    def on(self) -> None:
        """If it is not."""
        if not self.is_on:
            self.cluster.apply(*self.objects)
            self.is_on = True

    def off(self) -> None:
        """If it is on; nothing of it is under way then."""
        if self.is_on:
            for one in self.objects:
                self.cluster.kubectl("--namespace", NAMESPACE, "delete", one["kind"].lower(), one["metadata"]["name"],
                                     "--wait=true", "--timeout=60s")
            self.is_on = False


class Traffic(Pod):
    """A dozen requests a second, of all routes that users call, and one that there is not, while it is on."""

    def __init__(self, cluster: Cluster, host: str) -> None:
        urls = " ".join(f"-o /dev/null 'http://{host}{route}'" for route in (*ROUTES, "/nowhere"))
        script = f"while :; do curl -sS --max-time 10 {urls} || true; sleep 0.25; done"
        super().__init__(cluster, pod("traffic", shell(cluster.is_node, script)))


# What a load test sends besides requests: a check, and the gauge that ours have.
SCRIPT = """
import http from 'k6/http';
import { check } from 'k6';
import { Gauge } from 'k6/metrics';

const predicted = new Gauge('hpa_predicted_replicas');
export const options = { scenarios: { dashboards: {
  executor: 'constant-arrival-rate', rate: 10, timeUnit: '1s', duration: '15m', preAllocatedVUs: 5 } } };

export default function () {
  check(http.get(`http://${__ENV.HOST}/demo/hello`), { 'status is 200': (answer) => answer.status === 200 });
  predicted.add(2);
}
"""


class LoadTest(Pod):
    """k6, ten requests a second, and its results in Prometheus every second."""

    def __init__(self, cluster: Cluster, host: str, prometheus: str) -> None:
        environment = {"HOST": host, "HOME": "/tmp", "K6_NO_USAGE_REPORT": "true",
                       "K6_PROMETHEUS_RW_SERVER_URL": f"http://{prometheus}/api/v1/write",
                       "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s",
                       "K6_PROMETHEUS_RW_TREND_STATS": "p(50),p(95),p(99),max"}
        script = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "load-test", "namespace": NAMESPACE},
                  "data": {"script.js": SCRIPT}}
        container = {
            "image": image("k6", cluster.is_node),
            "args": ["run", "--quiet", "--tag", "testid=dashboards-1", "--out", "experimental-prometheus-rw",
                     "/scripts/script.js"],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "volumeMounts": [{"name": "script", "mountPath": "/scripts"}]}
        super().__init__(cluster, script, pod("load-test", container, [
            {"name": "script", "configMap": {"name": "load-test"}}]))


@contextmanager
def namespace(cluster: Cluster) -> Iterator[str]:
    """The clients', from its making to its end."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    assert eventually(lambda: cluster.items(NAMESPACE, "serviceaccounts"), 30, 0.2), "no service account of it"
    try:
        yield NAMESPACE
    finally:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
