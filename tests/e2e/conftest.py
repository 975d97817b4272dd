"""Fixtures: the cluster, what was installed on it, and where each of the three signals ends.

`.ci/e2e.sh` brings the cluster up, installs and takes down; the tests find both there. What a test changes it restores,
also when it is ended by a signal.
"""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

import client
from client import Client, Traffic
from cluster import ROOT, Cluster
from collected import Spans
from follow import Logs
from glassbox import Glassbox
from prometheus import Api
from rolls import Rolls

RESULTS = ROOT / "build/e2e"  # tables for people, and JSON


ENDED: list[int] = []  # signals that came


def pytest_configure(config: pytest.Config) -> None:
    """SIGTERM ends the run as Ctrl-C does: fixtures restore what was changed."""
    def end(number: int, _: object) -> None:
        ENDED.append(number)
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)  # ignored, where a script has it in its background
    RESULTS.mkdir(parents=True, exist_ok=True)


def pytest_runtest_setup() -> None:
    """No test begins after that, though what a test restores may have failed in the interrupt's place."""
    if ENDED:
        raise KeyboardInterrupt


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """That nothing fires where nothing is wrong is asked first: what comes after makes much go wrong, and some alerts
    remember it for long."""
    items.sort(key=lambda item: item.path.name != "test_rules.py")


@dataclass(frozen=True)
class Stack:
    """What charts/stack/install has installed."""

    monitoring: str = "monitoring"  # the namespace of all but the service
    prometheus: str = "kube-prometheus-stack-prometheus"      # Services
    alertmanager: str = "kube-prometheus-stack-alertmanager"
    operator: str = "kube-prometheus-stack"                   # the release
    collector: str = "opentelemetry-collector"
    webhook: str = "webhook"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """That is up: infra/cluster's of $CLUSTER_NAME, or that of E2E_KUBECONFIG."""
    with Cluster() as up:
        yield up


@pytest.fixture(scope="session")
def stack(cluster: Cluster) -> Stack:
    """All that charts/stack/install brings, and it is deployed."""
    made = Stack()
    for release, namespace in ((made.operator, made.monitoring), ("glassbox", "glassbox")):
        found = cluster.run("helm", "--namespace", namespace, "status", release, "--output", "json", check=False)
        if found.returncode != 0:
            pytest.exit(f"{release} is not installed in {namespace}: make e2e does it, or charts/stack/install "
                        f"--profile demo --overlay infra/cluster/values ({found.stderr.strip()})", 2)
    return made


@pytest.fixture(scope="session")
def service(cluster: Cluster, stack: Stack) -> Glassbox:
    """The release; its replicas are ready."""
    made = Glassbox(cluster)
    made.settle()
    return made


class Prometheus(Api):
    """Through the API server; it is waited for, as the machine may be busy with the whole cluster."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        super().__init__(url)
        self.cluster = cluster

    def api(self, path: str, **parameters: Any) -> Any:
        try:
            return json.loads(self.cluster.text(f"{self.url}/api/v1/{path}?{urlencode(parameters)}"))["data"]
        except HTTPError:  # not there yet
            return None


@pytest.fixture(scope="session")
def prometheus(cluster: Cluster, stack: Stack) -> Prometheus:
    """The operator's."""
    return Prometheus(cluster, cluster.of_service(stack.monitoring, stack.prometheus, "http-web"))


@pytest.fixture(scope="session")
def logs(cluster: Cluster, service: Glassbox) -> Iterator[Logs]:
    """Every line of every container of the service, from its first."""
    with Logs(cluster, service.namespace, service.selector, service.container) as following:
        yield following


@pytest.fixture
def spans(cluster: Cluster, stack: Stack) -> Spans:
    """What comes to the Collector's file from now on: `look()` reads it."""
    return Spans(cluster, stack.monitoring)


@pytest.fixture(scope="session")
def clients(cluster: Cluster) -> Iterator[str]:
    """The namespace of who calls the service."""
    with client.namespace(cluster) as made:
        yield made


@pytest.fixture
def rolls(cluster: Cluster, service: Glassbox, logs: Logs, spans: Spans, clients: str) -> Rolls:
    """Where loads are sent, and counted at both ends."""
    return Rolls(cluster, service, logs, spans, clients)


@pytest.fixture(scope="session")
def caller(cluster: Cluster, clients: str) -> Client:
    """A pod with curl."""
    return Client(cluster)


@pytest.fixture(scope="session")
def switch(cluster: Cluster, service: Glassbox, clients: str) -> Traffic:
    """A little traffic of every route, off at first."""
    return Traffic(cluster, service.host)


@pytest.fixture
def traffic(switch: Traffic) -> None:
    """It is on, and stays on for the tests that come: rates take a while to be known."""
    switch.on()


@pytest.fixture
def quiet(switch: Traffic) -> None:
    """It is off: whoever counts is alone."""
    switch.off()


@pytest.fixture
def frozen(cluster: Cluster, service: Glassbox) -> Iterator[list[str]]:
    """The number of pods stays as it is: a pod that is scaled away takes its counters with it."""
    spec = service.hpa()["spec"]
    now = len(service.settle())
    cluster.patch(service.namespace, f"hpa/{service.name}", {"spec": {"minReplicas": now, "maxReplicas": now}})
    yield service.settle()
    cluster.patch(service.namespace, f"hpa/{service.name}", {
        "spec": {name: spec[name] for name in ("minReplicas", "maxReplicas")}})


@pytest.fixture(scope="session")
def results() -> Path:
    """Where tables for people are left."""
    return RESULTS
